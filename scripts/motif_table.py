"""The table of motifs of a study's explained models."""

from nucleotune.frames import read_tsv
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import motifs_table, run_titles
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    study = snakemake.wildcards.study
    runs = run_titles(study, snakemake.input, snakemake.params.described)
    tables = [read_tsv(path) for path in snakemake.input]
    table = motifs_table(dict(zip(runs, tables, strict=True)))
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[study])
