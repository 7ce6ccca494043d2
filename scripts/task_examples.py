"""Build the examples and the data card of one task."""

from nucleotune.contracts import write_examples
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.task.build import build_task

with job(snakemake.log[0]):
    examples, card = build_task(
        dict(snakemake.input.items()),
        task=snakemake.params.task,
        share=snakemake.params.share,
        threads=snakemake.threads,
    )
    write_examples(snakemake.output.examples, examples)
    write_json(snakemake.output.card, card)
