"""One method of one task on the test rows of the other tasks with the same labels."""

from nucleotune.devices import granted
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.task.cross import cross_tests

with job(snakemake.log[0]), granted(snakemake.resources.devices) as device:
    params, inputs = snakemake.params, snakemake.input
    found = cross_tests(
        inputs.examples,
        dict(zip(params.seeds, inputs.predictions, strict=True)),
        dict(zip(params.seeds, inputs.models, strict=True)),
        dict(zip(params.others, inputs.others, strict=True)),
        kind=params.task,
        judged=params.judged,
        related=params.related,
        bootstrap=params.bootstrap,
        threads=snakemake.threads,
        device=device,
    )
    names = {key: snakemake.wildcards[key] for key in ("dataset", "method")}
    write_json(snakemake.output[0], {**names, "tests": found})
