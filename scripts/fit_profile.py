"""Train one profile model on one data set, and predict with it."""

from pathlib import Path

from nucleotune.files import write_json
from nucleotune.frames import write_tsv
from nucleotune.profile_contracts import read_profile_examples, write_profile_predictions
from nucleotune.scripting import job
from nucleotune.training.profile import train_profile
from nucleotune.training.state import remove_state

with job(snakemake.log[0]):
    checkpoint = snakemake.input.checkpoint
    trained = train_profile(
        read_profile_examples(snakemake.input.examples),
        method=snakemake.params.method,
        model=snakemake.params.model,
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        checkpoint=Path(checkpoint) if checkpoint else None,
        state_dir=Path(snakemake.params.state),
        output_dir=Path(snakemake.output.model),
    )
    write_profile_predictions(snakemake.output.predictions, trained.predictions)
    write_tsv(snakemake.output.training, trained.training_rows)
    write_json(snakemake.output.summary, trained.summary)
    remove_state(snakemake.params.state)
