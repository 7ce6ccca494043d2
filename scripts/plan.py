"""Print what the configuration would run and cost; nothing is written but the log."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from nucleotune.costs import read_costs, read_jobs
from nucleotune.errors import InputError
from nucleotune.estimate import Estimate
from nucleotune.reporting.plan import render_plan
from nucleotune.scripting import job

with job(snakemake.log[0]):
    params = snakemake.params
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(params.run["config"], config)
        config.flush()
        asked = subprocess.run(
            [*params.snakemake, "--summary", "--configfile", config.name]
            + ["--rerun-triggers", *params.rerun_triggers]
            + ["--profile", "none", "--workflow-profile", "none"],
            capture_output=True,
            text=True,
        )
    if asked.returncode:
        raise InputError(f"Snakemake finds no way to run this configuration:\n{asked.stderr}")
    folder = Path.cwd()
    estimate = Estimate(
        read_jobs(asked.stdout, params.outputs),
        params.run,
        params.datasets,
        params.weights,
        read_costs(params.costs),
        folder,
    )
    print(render_plan(estimate, shutil.disk_usage(folder).free))
