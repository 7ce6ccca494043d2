"""Search the hyper-parameters of one profile method on one data set."""

from pathlib import Path

from nucleotune.devices import granted
from nucleotune.profile_contracts import read_profile_examples
from nucleotune.scripting import job
from nucleotune.training.state import remove_state
from nucleotune.training.tune import tune_profile, write_tuned

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    checkpoint = snakemake.input.checkpoint
    tuned = tune_profile(
        read_profile_examples(snakemake.input.examples),
        method=snakemake.params.method,
        model=snakemake.params.model,
        space=snakemake.params.space,
        trials=snakemake.params.trials,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=device,
        checkpoint=Path(checkpoint) if checkpoint else None,
        state_dir=Path(snakemake.params.state),
    )
    write_tuned(tuned, snakemake.output.trials, snakemake.output.best)
    remove_state(snakemake.params.state)
