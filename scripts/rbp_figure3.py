"""Figures 3 to 5: what attention goes to, over all RBPs whose models were analysed."""

from nucleotune.scripting import job
from nucleotune.sequence.mea import read_engine
from nucleotune.studies.rbp.attention_figures import (
    region_figure,
    similarity_figure,
    structure_figure,
)
from nucleotune.studies.rbp.findings import gather_findings

with job(snakemake.log[0]):
    found = gather_findings({rbp: tuple(paths) for rbp, paths in snakemake.params.files.items()})
    path, titles = snakemake.output.svg, dict(snakemake.params.titles)
    example = snakemake.params.example
    if snakemake.params.figure == 3:
        shown = {name: title for name, title in titles.items() if name != "before"}
        region_figure(
            found.summary,
            found.heads,
            found.curves,
            path,
            titles=shown,
            example=tuple(example) if example else None,
        )
    elif snakemake.params.figure == 4:
        shown = {name: title for name, title in titles.items() if name != "after"}
        similarity_figure(found.summary, path, titles=shown)
    else:
        shown = {name: title for name, title in titles.items() if name != "scratch"}
        engines = sorted({read_engine(one) for one in snakemake.input.get("structures", [])})
        structure_figure(
            found.summary,
            found.curves,
            example,
            path,
            titles=shown,
            engine="; ".join(engines),
        )
