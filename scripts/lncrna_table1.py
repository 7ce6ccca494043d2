"""Table 1: number and length of the transcripts of each class."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.files import read_json
from nucleotune.reporting.lncrna import TABLES, table1
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    datasets = snakemake.params.datasets
    names = [dataset["name"] for dataset in datasets]
    cards = dict(zip(names, map(read_json, snakemake.input.cards), strict=True))
    table = table1(pd.read_csv(snakemake.input.published, sep="\t"), cards, datasets)
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[1])
