"""Build the examples and the data card of one task."""

from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.task.build import build_task
from nucleotune.tasks import task_of

with job(snakemake.log[0]):
    task = snakemake.params.task
    examples, card = build_task(
        dict(snakemake.input.items()),
        task=task,
        share=snakemake.params.share,
        threads=snakemake.threads,
    )
    more = {"classes": len(task["classes"])} if task["kind"] == "classes" else {}
    task_of(task["kind"]).write_examples(snakemake.output.examples, examples, **more)
    write_json(snakemake.output.card, card)
