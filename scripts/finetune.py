"""Train one method on one data set, from scratch or from an earlier stage's weights."""

from nucleotune.devices import granted
from nucleotune.scripting import job
from nucleotune.training.runs import Run, Settings, train

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    train(
        Run(
            dataset=snakemake.wildcards.dataset,
            labels=snakemake.params.labels,
            examples=snakemake.input.examples,
            start_from=snakemake.input.start_from or None,
            checkpoint=snakemake.input.checkpoint or None,
            state=snakemake.params.state,
            **snakemake.output,
        ),
        Settings(
            task=snakemake.params.task,
            method=snakemake.params.method,
            model=snakemake.params.model,
            seed=int(snakemake.wildcards.seed),
            threads=snakemake.threads,
            device=device,
        ),
        processes=max(1, snakemake.resources.devices),
    )
