"""Table 3: published, configured and searched hyper-parameters."""

from pathlib import Path

import pandas as pd

from nucleotune.files import read_json
from nucleotune.profile_contracts import examples_digest, read_profile_examples
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.polya.tables import TABLES, polya_table3, searches_of

with job(snakemake.log[0]):
    training = {}
    for path in snakemake.input.training:
        dataset, method = Path(path).parts[-4:-2]
        training.setdefault(dataset, {}).setdefault(method, []).append(read_json(path))
    digests = {
        Path(path).parts[-2]: examples_digest(read_profile_examples(path))
        for path in snakemake.input.examples
        if Path(path).parts[-2] in snakemake.params.found
    }
    table = polya_table3(
        pd.read_csv(snakemake.input.published, sep="\t"),
        snakemake.params.settings,
        training,
        searches_of(snakemake.params.found, digests),
        snakemake.params.datasets,
        snakemake.params.methods,
    )
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES[3])
