"""Figure 7: contributions along a few sequences that a rule has chosen."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.attribution.contributions import read_contributions
from nucleotune.reporting.attribution import track_figure
from nucleotune.reporting.motifs import run_titles, tracks, typical
from nucleotune.scripting import job

with job(snakemake.log[0]):
    files, shown, rows = snakemake.input, {}, []
    runs = run_titles("polya", files.contributions, snakemake.params.described)
    for run, contributions, agreement, seqlets in zip(
        runs, files.contributions, files.agreement, files.seqlets, strict=True
    ):
        explained = read_contributions(contributions)
        # All models of a data set are shown on the same sequences.
        if run[0] not in shown:
            shown[run[0]] = typical(pd.read_csv(agreement, sep="\t"), explained)
        rows += tracks(run, explained, pd.read_csv(seqlets, sep="\t"), shown[run[0]])
    track_figure(rows, snakemake.output.svg)
