"""Table 3: expression of protein-coding and lncRNA genes."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.files import read_json
from nucleotune.reporting.promoters import TABLES, table3
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    cards = {Path(path).parent.name: read_json(path) for path in snakemake.input.cards}
    # The genes are the same at every length and split.
    first = {}
    for dataset in snakemake.params.datasets:
        if dataset["name"] in cards:
            first.setdefault(dataset["species"], dataset)
    published = pd.read_csv(snakemake.input.published, sep="\t")
    table = table3(published, cards, list(first.values()))
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[3])
