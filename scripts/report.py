"""Gather what a run has written and render the report."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.files import atomic_path
from nucleotune.reporting.gather import gather
from nucleotune.reporting.page import render_report
from nucleotune.scripting import job

with job(snakemake.log[0]):
    page = render_report(
        gather(
            {name: list(paths) for name, paths in snakemake.input.items()},
            dict(snakemake.params.items()),
        )
    )
    with atomic_path(snakemake.output[0]) as path:
        path.write_text(page, encoding="utf-8")
