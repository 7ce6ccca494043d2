"""Table 1 again: language models by the side at which they cut promoters that are too long."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.files import read_json
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.promoters.tables import TABLES, truncation_table

with job(snakemake.log[0]):
    table = truncation_table(
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        noted(snakemake.params.datasets, read_cards(snakemake.input.cards)),
        snakemake.params.methods,
        read_json(snakemake.input.reading),
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES["truncation"])
