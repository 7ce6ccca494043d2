"""Tables 4 and 5: all methods on partial transcripts."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.lncrna.partial_tables import TABLES, partial_table

with job(snakemake.log[0]):
    cards = read_cards(snakemake.input.cards)
    table = partial_table(
        snakemake.params.number,
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        noted(snakemake.params.datasets, cards),
        snakemake.params.methods,
        snakemake.params.kept,
    )
    write_table(
        snakemake.output.tsv, snakemake.output.html, table, **TABLES[snakemake.params.number]
    )
