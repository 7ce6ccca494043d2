"""Table 6: language models on partial transcripts, with and without the open reading frame."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.lncrna.partial_tables import TABLES, sensitivity_table

with job(snakemake.log[0]):
    cards = read_cards(snakemake.input.cards)
    table = sensitivity_table(
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        noted(snakemake.params.datasets, cards),
        snakemake.params.methods,
        snakemake.params.kept,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[6])
