"""One source of truth for versions, and a Snakefile that stays cheap to parse."""

import re
import subprocess
import sys

import yaml

from nucleotune.stages import ROOT


def pins(lines):
    found = (re.match(r"\s*([A-Za-z0-9_.-]+)==([^\s;]+)", line) for line in lines)
    return {m[1].lower().replace("_", "-"): m[2] for m in found if m}


LOCK = pins((ROOT / "requirements.lock").read_text().splitlines())


def test_conda_environment_agrees_with_the_lock():
    environment = yaml.safe_load((ROOT / "envs/nucleotune.yaml").read_text())
    listed = pins(environment["dependencies"][-1]["pip"])
    assert listed
    assert {name: LOCK[name] for name in listed} == listed


def test_declared_dependencies_are_locked_and_in_the_environment():
    text = (ROOT / "pyproject.toml").read_text()
    declared = re.findall(
        r'^    "([A-Za-z0-9_.-]+)', text.split("dependencies = [")[1].split("]")[0], re.M
    )
    environment = yaml.safe_load((ROOT / "envs/nucleotune.yaml").read_text())
    assert {name.lower() for name in declared} == set(pins(environment["dependencies"][-1]["pip"]))
    assert {name.lower() for name in declared} <= set(LOCK)


def test_what_the_snakefile_imports_is_light():
    """rules/common.smk is parsed in every cluster job; torch alone would cost two seconds each time."""
    code = (
        "import sys; import nucleotune.studies.registry, nucleotune.config, nucleotune.plan.targets,"
        " nucleotune.plan.pages, nucleotune.reporting.sampled;"
        " print(*{'torch', 'numpy', 'pandas', 'transformers', 'peft', 'requests', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_every_rule_has_its_script_and_every_script_its_rule():
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    named = re.findall(r'rule (\w+):(?:(?!\nrule ).)*?"\.\./scripts/(\w+)\.py"', rules, re.S)
    assert all(rule == script for rule, script in named)
    # Rules of products have their names from the studies, and one script.
    assert rules.count('"../scripts/product.py"') == 1
    assert {script for _, script in named} | {"product"} == {
        path.stem for path in (ROOT / "scripts").glob("*.py")
    }
