"""Train one method on several data sets, one after the other in one process."""

from itertools import zip_longest

from nucleotune.devices import granted
from nucleotune.scripting import job
from nucleotune.training.runs import RESULTS, Run, Settings, train_several
from nucleotune.training.state import remove_state

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    runs = [
        Run(
            dataset=dataset,
            labels=snakemake.params.labels[dataset],
            examples=examples,
            start_from=start_from,
            checkpoint=snakemake.input.checkpoint or None,
            state=f"{snakemake.params.state}/{dataset}",
            **{kind: f"{snakemake.output[0]}/{dataset}/{name}" for kind, name in RESULTS.items()},
        )
        for dataset, examples, start_from in zip_longest(
            snakemake.params.datasets, snakemake.input.examples, snakemake.input.start_from
        )
    ]
    settings = Settings(
        task=snakemake.params.task,
        method=snakemake.params.method,
        model=snakemake.params.model,
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        device=device,
    )
    train_several(runs, settings)
    remove_state(snakemake.params.state)  # the job's own directory, now empty
