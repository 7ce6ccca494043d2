"""Helpers that run the workflow as a user does, in a directory of its own."""

import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from forks import PYTHON, forked_python

ROOT = Path(__file__).resolve().parent.parent

# As many processes as cores are at work already. Before any library reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Hide the GPUs of this machine, and start one server of forked processes for all processes of xdist.

    The tests compare bytes, which only CPUs repeat. `pytest -m gpu` runs the tests that need a GPU instead, and leaves
    it in sight.
    """
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if PYTHON not in os.environ:
        server = forked_python()
        server.__enter__()
        config.add_cleanup(lambda: server.__exit__(None, None, None))


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
    """Mark tests that judge what a training found; put files with slow tests first: none is left alone at the end."""
    for item in items:
        if "training_seed" in item.fixturenames:
            item.add_marker("trained")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What has been imported stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """Run the workflow in `folder` on two cores; its output comes back as one text."""
    command = [os.environ[PYTHON], "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*command, "--directory", str(folder), "--cores", "2", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if check and done.returncode:
        pytest.fail(f"snakemake {' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
    return done


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test starts as `sys.executable` is forked: for tests of what a process does, not of how it starts."""
    monkeypatch.setattr(sys, "executable", os.environ[PYTHON])


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
