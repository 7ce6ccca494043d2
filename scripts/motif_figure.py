"""Logos of the motifs of a study's explained models."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.attribution.contributions import read_contributions
from nucleotune.attribution.modisco import read_patterns
from nucleotune.attribution.motifs import composition
from nucleotune.reporting.attribution import Motifs, motif_figure
from nucleotune.reporting.motifs import run_titles
from nucleotune.scripting import job

with job(snakemake.log[0]):
    study, files = snakemake.wildcards.study, snakemake.input
    runs = run_titles(study, files.motifs, snakemake.params.described)
    shown = []
    for (dataset, method), motifs, patterns, contributions in zip(
        runs, files.motifs, files.patterns, files.contributions, strict=True
    ):
        found = read_patterns(patterns)
        shown.append(
            Motifs(
                f"{dataset}, {method}",
                pd.read_csv(motifs, sep="\t").fillna({"element": "", "motif": ""}),
                found.ppm,
                found.cwm,
                composition(read_contributions(contributions).sequences),
            )
        )
    motif_figure(shown, snakemake.output.svg)
