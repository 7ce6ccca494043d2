"""What makes steps run again: digests of the code behind them, and numbers that a lock keeps honest."""

import re
import subprocess
import sys

import pytest

from nucleotune import stages
from nucleotune.stages import ROOT, closure, code_digest, read_stages, stage_digest, stage_number

#: Scripts whose results do not depend on the library's code: they copy, link, fetch or print.
FREE = {"download", "take_finetuned", "plan", "lock_models"}


@pytest.mark.parametrize("row", read_stages(), ids=lambda row: row["stage"])
def test_nobody_forgot_a_stage(row):
    assert stage_digest(row) == row["digest"], (
        f"the code behind stage {row['stage']!r} has changed: if its results have, raise its number in"
        " nucleotune/stages.tsv; then `make stages` and commit the file"
    )
    assert stage_number(row["stage"]) >= 1


@pytest.mark.parametrize(
    "module",
    ["nucleotune.evaluation.paired", "nucleotune.studies.rbp.write", "nucleotune.training.runs"],
)
def test_closure_has_all_that_python_imports(module):
    code = (
        f"import sys, {module}; "
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'nucleotune'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {str(path) for path in closure(f"{module}:f")}
    assert set(done.stdout.split()) <= found


def test_digest_changes_with_what_is_imported_and_nothing_else(tmp_path, monkeypatch):
    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / "nucleotune" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def digest():
        for cached in (code_digest, stages._digest, stages._imported):
            cached.cache_clear()
        return code_digest("nucleotune.a:f")

    monkeypatch.setattr(stages, "ROOT", tmp_path)
    write(
        __init__="",
        a="from nucleotune import (\n    b,\n)\n\n\ndef f():\n    from nucleotune.c import x as y\n",
        b="",
        c="",
        d="",
    )
    first = digest()
    write(d="1")
    assert digest() == first
    known = {first}
    for name in ("b", "c", "a", "__init__"):
        path = tmp_path / "nucleotune" / f"{name}.py"
        path.write_text(path.read_text() + "\nz = 1\n")
        assert digest() not in known
        known.add(digest())


def test_every_step_has_a_number_or_a_digest():
    numbered = {name for row in read_stages() for name in row["scripts"].split(",")}
    for path in (ROOT / "rules").glob("*.smk"):
        for block in re.split(r"\n(?=\s*(?:use )?rule\b)", path.read_text())[1:]:
            found = re.search(r'"\.\./scripts/(\w+)\.py"', block)
            if found is None or found[1] in FREE:
                continue
            name = found[1]
            wanted = "stage_number(" if name in numbered else "code_digest("
            assert wanted in block, f"{path.name}: {name}"
