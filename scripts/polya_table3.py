"""Table 3: published, configured and searched hyper-parameters."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import pandas as pd

from nucleotune.files import read_json
from nucleotune.reporting.polya import TABLES, polya_table3
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    training = {}
    for path in snakemake.input.training:
        dataset, method = Path(path).parts[-4:-2]
        training.setdefault(dataset, {}).setdefault(method, []).append(read_json(path))
    table = polya_table3(
        pd.read_csv(snakemake.input.published, sep="\t"),
        snakemake.params.settings,
        training,
        snakemake.params.found,
        snakemake.params.datasets,
        snakemake.params.methods,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[3])
