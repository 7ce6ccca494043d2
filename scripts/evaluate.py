"""Metrics of one method on one data set, with intervals."""

from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.tasks import task_of

with job(snakemake.log[0]):
    params = snakemake.params
    names = {key: snakemake.wildcards[key] for key in ("study", "dataset", "method")}
    metrics = task_of(params.task).evaluate(
        snakemake.input.examples,
        dict(zip(params.seeds, snakemake.input.predictions, strict=True)),
        relatives=snakemake.input.relatives,
        bootstrap=params.bootstrap,
        source="{study}/{dataset}/{method}".format(**names),
        **params.judged,
    )
    write_json(snakemake.output[0], {**names, **metrics})
