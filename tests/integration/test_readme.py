"""Every command of the README is run here, planned here where it would take a cluster, or run by CI."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, snakemake

BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
COMMANDS = [line for block in BLOCKS for line in block.strip().splitlines()]
CI = (ROOT / ".ci/run").read_text()


def test_make_commands_are_run_by_ci():
    made = [command for command in COMMANDS if command.startswith("make ")]
    assert made == ["make demo", "make test"]
    assert all(re.search(rf"^{command}$", CI, re.M) for command in made)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(".venv/bin/snakemake ")])
def test_snakemake_commands_can_be_planned(command, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    snakemake(tmp_path, *shlex.split(command)[1:], "--dry-run", "--quiet")


@pytest.mark.slow
def test_predict_command(default_run, tmp_path):
    (command,) = [c for c in COMMANDS if c.startswith(".venv/bin/nucleotune ")]
    (default_run / "my.fa").write_text(">mine\n" + "ATGGCC" * 40 + "\n")
    subprocess.run(
        [sys.executable, "-m", "nucleotune", *shlex.split(command)[1:]], check=True, cwd=default_run
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
