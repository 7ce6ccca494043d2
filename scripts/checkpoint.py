"""Make the checkpoint directory of a published model from its files."""

from pathlib import Path

from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.scripting import job

with job(snakemake.log[0]):
    prepare_checkpoint(
        snakemake.wildcards.model,
        snakemake.params.model,
        dict(zip(snakemake.params.files, map(Path, snakemake.input), strict=True)),
        Path(snakemake.output[0]),
        commit=snakemake.params.commit,
    )
