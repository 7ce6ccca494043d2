"""Table 3: all methods on full-length transcripts."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.lncrna.tables import TABLES, table3

with job(snakemake.log[0]):
    cards = read_cards(snakemake.input.cards)
    table = table3(
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        noted(snakemake.params.datasets, cards),
        snakemake.params.methods,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[3])
