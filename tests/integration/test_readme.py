"""Every command of the README is run here, planned here where it would take a cluster, or run by CI."""

import os
import random
import re
import shlex
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT, snakemake
from forks import PYTHON

BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
COMMANDS = [line for block in BLOCKS for line in block.strip().splitlines()]
CI = (ROOT / ".ci/run").read_text()


def test_make_commands_are_run_by_ci():
    made = [command for command in COMMANDS if command.startswith("make ")]
    assert made == ["make demo", "make test"]
    assert all(re.search(rf"^{command}$", CI, re.M) for command in made)


#: Commands on the user's own table, run one after the other.
OWN = [c for c in COMMANDS if re.search(r"\bmy-(data|run)\b", c)]
PLANNED = [c for c in COMMANDS if c.startswith(".venv/bin/snakemake ") and c not in OWN]


@pytest.mark.slow
def test_own_table(tmp_path):
    """As the README says, but without the tiny model, to be quick."""
    letters = random.Random(1)
    lines = ["sequence\tlabel"]
    for row in range(240):
        sequence = "".join(letters.choices("ACGT" + "GC" * (row % 2), k=50))
        lines.append(f"{sequence}\t{('free', 'bound')[row % 2]}")
    (tmp_path / "my-data.tsv").write_text("\n".join(lines) + "\n")
    first, second = OWN
    subprocess.run(
        [os.environ[PYTHON], "-m", "nucleotune", *shlex.split(first)[1:]], check=True, cwd=tmp_path
    )
    run = yaml.safe_load((tmp_path / "my-run.yaml").read_text())
    run["task"]["methods"] = ["dinucleotide", "gc"]
    (tmp_path / "my-run.yaml").write_text(yaml.safe_dump(run))
    command = second.replace("my-run.yaml", str(tmp_path / "my-run.yaml"))
    done = snakemake(tmp_path, *shlex.split(command)[1:])
    assert "See results/reports/task.html" in done.stdout
    assert "GC content only" in (tmp_path / "results/tables/task_performance.tsv").read_text()


@pytest.mark.parametrize("command", PLANNED)
def test_snakemake_commands_can_be_planned(command, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    snakemake(tmp_path, *shlex.split(command)[1:], "--dry-run", "--quiet")


@pytest.mark.slow
def test_predict_command(default_run, tmp_path):
    (command,) = [c for c in COMMANDS if c.startswith(".venv/bin/nucleotune predict ")]
    (default_run / "my.fa").write_text(">mine\n" + "ATGGCC" * 40 + "\n")
    subprocess.run(
        [os.environ[PYTHON], "-m", "nucleotune", *shlex.split(command)[1:]],
        check=True,
        cwd=default_run,
    )
    scores = (default_run / "scores.tsv").read_text()
    for name in ("my.fa", "scores.tsv"):
        (default_run / name).unlink()
    assert scores.startswith("id\tscore\tpredicted\ttruncated\n")


def test_no_command_is_left_out():
    starts = ("make ", ".venv/bin/snakemake ", ".venv/bin/nucleotune ")
    assert COMMANDS and all(command.startswith(starts) for command in COMMANDS)


def test_named_files_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links and all((ROOT / link).exists() for link in links)
