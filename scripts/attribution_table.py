"""The table of how complete contributions are and how they agree with mutagenesis, by explained model."""

from nucleotune.files import read_json
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import run_titles, summaries_table
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    runs = run_titles(snakemake.wildcards.study, snakemake.input, snakemake.params.described)
    summaries = [read_json(path) for path in snakemake.input]
    table = summaries_table(dict(zip(runs, summaries, strict=True)))
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES["attribution"])
