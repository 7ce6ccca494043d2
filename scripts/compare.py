"""Every method of a data set against the best baseline or the reference line, on the same test rows."""

from nucleotune.frames import write_tsv
from nucleotune.scripting import job
from nucleotune.tasks import task_of

with job(snakemake.log[0]):
    params, predictions = snakemake.params, {}
    runs = [(method, seed) for method in params.methods for seed in params.seeds]
    for (method, seed), path in zip(runs, snakemake.input.predictions, strict=True):
        predictions.setdefault(method, {})[seed] = path
    table = task_of(params.task).compare(
        snakemake.input.examples,
        predictions,
        against=params.against,
        bootstrap=params.bootstrap,
        **params.judged,
    )
    write_tsv(snakemake.output[0], table)
