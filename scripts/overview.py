"""The page that leads to the pages of the studies."""

from nucleotune.files import atomic_path
from nucleotune.reporting.gather import gather_overview
from nucleotune.reporting.page import render_overview
from nucleotune.scripting import job

with job(snakemake.log[0]):
    page = render_overview(
        gather_overview(
            snakemake.input.findings,
            snakemake.input.checkpoints,
            snakemake.params.run,
            jobs=snakemake.params.jobs,
            benchmarks=snakemake.params.benchmarks,
        )
    )
    with atomic_path(snakemake.output[0]) as path:
        path.write_text(page, encoding="utf-8")
