"""Pool the examples of several species for pre-training."""

from nucleotune.contracts import read_examples, write_examples
from nucleotune.files import describe_file, read_json, write_json
from nucleotune.scripting import job
from nucleotune.studies.lncrna.build import pool_examples, split_card

with job(snakemake.log[0]):
    species, paths = snakemake.params.species, snakemake.input.examples
    tables = [read_examples(path) for path in paths]
    cards = [read_json(path) for path in snakemake.input.cards]
    examples, genes_known = pool_examples(zip(species, tables, cards, strict=True))
    write_examples(snakemake.output.examples, examples)
    card = {"species": species, **split_card(examples, genes_known)}
    write_json(snakemake.output.card, {**card, "inputs": [describe_file(path) for path in paths]})
