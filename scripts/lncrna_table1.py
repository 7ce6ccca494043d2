"""Table 1: number and length of the transcripts of each class."""

import pandas as pd

from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.lncrna.tables import TABLES, table1

with job(snakemake.log[0]):
    cards = read_cards(snakemake.input.cards)
    datasets = noted(snakemake.params.datasets, cards)
    table = table1(pd.read_csv(snakemake.input.published, sep="\t"), cards, datasets)
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[1])
