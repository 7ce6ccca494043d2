"""What a job costs by way of SLURM, beside the same job on this machine.

    python benchmarks/slurm.py [--jobs 10]

Starts the one-machine cluster of tests/slurm and runs a workflow of jobs that do nothing, independent of each other, by
profiles/slurm and then by `--cores 2`, two jobs at a time. Seconds a job are those of the whole command over the number
of jobs: Snakemake's start, and the time until it looks for finished jobs, are in them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/slurm"))

from cluster import Cluster, obstacle

ROOT = Path(__file__).resolve().parents[1]

WORKFLOW = """
rule all:
    input:
        expand("{i}", i=range(config["jobs"])),


rule one:
    output:
        "{i}",
    resources:
        mem_mb=500,
    shell:
        "touch {output}"
"""


def seconds(cluster: Cluster, jobs: int, *options: str) -> float:
    """Wall-clock seconds of the whole workflow, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Snakefile").write_text(WORKFLOW)
        command = [sys.executable, "-m", "snakemake", "--directory", folder, "--quiet", "all"]
        command += ["--snakefile", f"{folder}/Snakefile", "--config", f"jobs={jobs}", *options]
        begin = time.perf_counter()
        subprocess.run(command, env=cluster.environment(), check=True)
        return time.perf_counter() - begin


def main() -> int:
    """Measure both; 0 if a SLURM could be started here."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=10)
    n = parser.parse_args().jobs
    if reason := obstacle():
        print(f"no SLURM here: {reason}")
        return 1
    profile = ("--workflow-profile", str(ROOT / "profiles/slurm"))
    often = ("--slurm-init-seconds-before-status-checks", "6")
    cluster = Cluster(Path(f"/tmp/nucleotune-{os.getpid()}"), cpus=2)
    try:
        cluster.start()
        by_slurm = seconds(cluster, n, *profile, *often)
        jobs = cluster.command("scontrol", "show", "job", "--oneliner").count("JobState=COMPLETED")
    finally:
        cluster.stop()
    local = seconds(cluster, n, "--cores", "2", "--workflow-profile", "none")
    print(f"jobs               {n}, {jobs} of them seen by SLURM; two at a time")
    print(f"profiles/slurm     {by_slurm / n:9.2f} s a job")
    print(f"--cores 2          {local / n:9.2f} s a job")
    print(f"ratio              {by_slurm / local:9.1f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
