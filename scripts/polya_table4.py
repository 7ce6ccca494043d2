"""Table 4: metrics of predicted profiles on test genes."""

from pathlib import Path

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.frames import read_tsv
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.polya.tables import TABLES, polya_table4

with job(snakemake.log[0]):
    table = polya_table4(
        pd.read_csv(snakemake.input.published, sep="\t"),
        read_metrics(snakemake.input.metrics),
        {Path(path).parent.name: read_tsv(path) for path in snakemake.input.comparisons},
        snakemake.params.datasets,
        snakemake.params.methods,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[4])
