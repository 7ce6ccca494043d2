"""Transcripts of every release under every reading of the filters, beside the paper's Table 1."""

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.frames import read_tsv, write_tsv
from nucleotune.scripting import job
from nucleotune.studies.lncrna.calibration import compare_counts

with job(snakemake.log[0]):
    if not snakemake.input.counts:
        raise InputError(
            "calibrate_counts: no species of lncrna.species both comes from Ensembl's main site and has a row"
            " in the paper (key 'published_as'); human and mouse do: --configfile config/paper.yaml"
        )
    table = compare_counts(
        [read_tsv(path) for path in snakemake.input.counts],
        pd.read_csv(snakemake.input.published, sep="\t"),
        snakemake.params.published_as,
    )
    write_tsv(snakemake.output[0], table)
