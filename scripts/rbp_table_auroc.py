"""AUROC by RBP and method, and methods compared over RBPs."""

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.rbp.tables import TABLES, rbp_table_auroc, rbp_table_comparison

with job(snakemake.log[0]):
    params = snakemake.params
    published = pd.read_csv(snakemake.input.published, sep="\t")
    metrics = read_metrics(snakemake.input.metrics)
    datasets = noted(params.datasets, read_cards(snakemake.input.cards))
    common = (published, metrics, datasets, params.methods)
    if params.table == "auroc":
        table = rbp_table_auroc(*common, params.bootstrap)
    else:
        table = rbp_table_comparison(*common, params.focus, params.bootstrap)
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[params.table])
