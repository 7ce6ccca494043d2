"""Build the examples and the data card of one species under one split."""

from nucleotune.contracts import write_examples
from nucleotune.files import describe_file, write_json
from nucleotune.reporting.sampled import log_sampled
from nucleotune.scripting import job
from nucleotune.studies.lncrna.build import LABELS, build_examples

with job(snakemake.log[0]):
    files = {label: list(snakemake.input.get(label)) for label in LABELS}
    examples, card = build_examples(
        files,
        snakemake.params.species,
        split=snakemake.params.split,
        min_length=snakemake.params.min_length,
        balance=snakemake.params.balance,
        fractions=snakemake.params.fractions,
        kept=snakemake.params.kept,
        train_view=snakemake.params.train_view,
        seed=snakemake.params.sampling_seed,
    )
    log_sampled(card)
    card["inputs"] = [describe_file(path) for paths in files.values() for path in paths]
    write_examples(snakemake.output.examples, examples)
    write_json(snakemake.output.card, card)
