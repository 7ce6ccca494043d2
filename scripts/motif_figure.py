"""Logos of the motifs of a study's explained models."""

from nucleotune.reporting.attribution import motif_figure
from nucleotune.reporting.motifs import drawn_motifs, run_titles
from nucleotune.scripting import job

with job(snakemake.log[0]):
    files = snakemake.input
    runs = run_titles(snakemake.wildcards.study, files.motifs, snakemake.params.described)
    shown = drawn_motifs(runs, files.motifs, files.patterns, files.contributions)
    motif_figure(shown, snakemake.output.svg)
