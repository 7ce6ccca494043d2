"""Build the examples and the data card of one RBP, and keep the sequences that sampling left out."""

from nucleotune.contracts import write_examples
from nucleotune.files import write_json
from nucleotune.frames import write_parquet
from nucleotune.reporting.sampled import log_sampled
from nucleotune.scripting import job
from nucleotune.studies.rbp.build import build_rbp

with job(snakemake.log[0]):
    examples, rest, card = build_rbp(
        dict(snakemake.input.items()),
        rbp=snakemake.params.rbp,
        form=snakemake.params.format,
        rows=snakemake.params.rows,
        split=snakemake.params.split,
        settings=snakemake.params.settings,
    )
    log_sampled(card)
    write_examples(snakemake.output.examples, examples)
    write_parquet(snakemake.output.rest, rest)
    write_json(snakemake.output.card, card)
