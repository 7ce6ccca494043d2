"""Gather what a run has written of one study, and render its page."""

from nucleotune.files import atomic_path, write_json
from nucleotune.reporting.gather import gather_study
from nucleotune.reporting.page import render_study
from nucleotune.scripting import job

with job(snakemake.log[0]):
    context = gather_study(
        snakemake.wildcards.study,
        {name: list(paths) for name, paths in snakemake.input.items()},
        snakemake.params.run,
        snakemake.params.described,
        sources=snakemake.params.sources,
        jobs=snakemake.params.jobs,
        benchmarks=snakemake.params.benchmarks,
    )
    findings = ("study", "title", "asked", "answer", "headlines", "not_run")
    write_json(snakemake.output.findings, {key: context[key] for key in findings})
    with atomic_path(snakemake.output.page) as path:
        path.write_text(render_study(context), encoding="utf-8")
