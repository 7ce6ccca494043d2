"""Build the examples and the data card of one task of the promoter study."""

from nucleotune.contracts import write_examples
from nucleotune.files import describe_file, write_json
from nucleotune.reporting.sampled import log_sampled
from nucleotune.scripting import job
from nucleotune.studies.promoters.build import build_task

with job(snakemake.log[0]):
    files = dict(snakemake.input.items())
    examples, card = build_task(
        files,
        task=snakemake.params.task,
        length=snakemake.params.length,
        split=snakemake.params.split,
        species=snakemake.params.species,
        settings=snakemake.params.settings,
    )
    log_sampled(card)
    card["inputs"] = [describe_file(path) for name, path in files.items() if name != "genome"]
    write_examples(snakemake.output.examples, examples)
    write_json(snakemake.output.card, card)
