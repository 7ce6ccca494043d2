"""Snakemake's command line in a process of its own, forked from one that has imported it: two seconds saved a run."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["snakemake.cli"])


def run_snakemake(
    arguments: Sequence[str], *, root: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess:
    """Run `snakemake ARGUMENTS` in directory `root`; standard output and error come back as one text."""
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as output:
        settings = (list(arguments), str(root), dict(environment), output.name)
        process = _processes.Process(target=_main, args=settings)
        process.start()
        process.join()
        return subprocess.CompletedProcess(arguments, process.exitcode, output.read())


def _main(arguments: list[str], root: str, environment: dict[str, str], output: str) -> None:
    with open(output, "wb") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, root)  # as PYTHONPATH would have it
    sys.argv = ["snakemake", *arguments]

    from snakemake.cli import main

    main()
