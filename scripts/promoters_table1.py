"""Tables 1, 2 and 4: methods by length of the promoters, by task, and by size of k-mers."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.promoters.tables import TABLES, table1, table2, table4

with job(snakemake.log[0]):
    number = snakemake.params.table
    table = {1: table1, 2: table2, 4: table4}[number](
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        noted(snakemake.params.datasets, read_cards(snakemake.input.cards)),
        snakemake.params.methods,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[number])
