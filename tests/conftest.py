"""Helpers that run the workflow as a user does, in a directory of its own."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock
from runner import run_snakemake

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Hide the GPUs of this machine, before anything looks for them: the tests compare bytes, which only CPUs repeat.

    `pytest -m gpu` runs the tests that need one instead, and leaves them in sight.
    """
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a GPU where none is in sight."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.device_count():
            pytest.skip("no GPU in sight: choose these tests by `-m gpu` on a machine with one")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that judges what a training found takes `training_seed` and must hold for any.

    The environment variable NUCLEOTUNE_TRAINING_SEEDS names those to try, such as 1,2,3 (`benchmarks/robustness.py`).
    """
    if "training_seed" in metafunc.fixturenames:
        seeds = os.environ.get("NUCLEOTUNE_TRAINING_SEEDS", "1").split(",")
        metafunc.parametrize("training_seed", list(map(int, seeds)), ids="seed{}".format)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Compressed bytes hold the time of day, and xdist wants the same names of tests in all its processes."""
    return "gzip" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that judge what a training found."""
    for item in items:
        if "training_seed" in item.fixturenames:
            item.add_marker("trained")


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """Run the workflow in `folder` on two cores; its output comes back as one text."""
    done = run_snakemake(
        [
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--directory",
            str(folder),
            "--cores",
            "2",
            *arguments,
        ],
        root=ROOT,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if check and done.returncode:
        pytest.fail(f"snakemake {' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
    return done


def job_counts(output: str) -> dict[str, int]:
    """Jobs by rule, from the table that a dry run prints."""
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total +\d+", output, re.M | re.S)
    assert table, output
    return {name: int(count) for name, count in map(str.split, table[1].strip().splitlines())}


@pytest.fixture(scope="session")
def default_run(tmp_path_factory, worker_id) -> Path:
    """The whole default run, once for all tests that look at its results, in whatever process they are.

    The environment variable NUCLEOTUNE_RUN may name the directory of one, such as that of `make demo`; if anything is
    left to be done there, it is not used.
    """
    if os.environ.get("NUCLEOTUNE_RUN"):
        folder = Path(os.environ["NUCLEOTUNE_RUN"])
        done = snakemake(folder, "--dry-run", check=False)
        if "Nothing to be done" in done.stdout:
            return folder
    if worker_id == "master":  # no xdist
        folder = tmp_path_factory.mktemp("default")
    else:
        folder = tmp_path_factory.getbasetemp().parent / "default"
        folder.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "results/report.html").exists():
            snakemake(folder)
    return folder
