"""The order of the elements of polyadenylation, by explained model."""

from nucleotune.frames import read_tsv
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import order_table, run_titles
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    runs = run_titles("polya", snakemake.input, snakemake.params.described)
    tables = [read_tsv(path) for path in snakemake.input]
    table = order_table(dict(zip(runs, tables, strict=True)))
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES["order"])
