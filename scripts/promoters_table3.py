"""Table 3: expression of protein-coding and lncRNA genes."""

from pathlib import Path

import pandas as pd

from nucleotune.files import read_json
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.promoters.tables import TABLES, table3

with job(snakemake.log[0]):
    cards = {Path(path).parent.name: read_json(path) for path in snakemake.input.cards}
    published = pd.read_csv(snakemake.input.published, sep="\t")
    table = table3(published, cards, snakemake.params.datasets)
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[3])
