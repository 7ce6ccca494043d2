"""Figure 8: distance and order of the elements of polyadenylation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.reporting.attribution import Places, distance_figure
from nucleotune.reporting.motifs import run_titles
from nucleotune.scripting import job

with job(snakemake.log[0]):
    files = snakemake.input
    runs = run_titles("polya", files.seqlets, snakemake.params.described)
    shown = [
        Places(", ".join(run), pd.read_csv(seqlets, sep="\t"), pd.read_csv(order, sep="\t"))
        for run, seqlets, order in zip(runs, files.seqlets, files.order, strict=True)
    ]
    distance_figure(shown, snakemake.params.length, snakemake.output.svg)
