"""Pool the examples of several species for pre-training."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.contracts import read_examples, write_examples
from nucleotune.files import describe_file, write_json
from nucleotune.scripting import job
from nucleotune.studies.lncrna import pool_examples, split_card

with job(snakemake.log[0]):
    tables = [read_examples(path) for path in snakemake.input]
    examples = pool_examples(zip(snakemake.params.species, tables, strict=True))
    write_examples(snakemake.output.examples, examples)
    card = {"species": snakemake.params.species, **split_card(examples)}
    write_json(
        snakemake.output.card, {**card, "inputs": [describe_file(path) for path in snakemake.input]}
    )
