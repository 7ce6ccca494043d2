"""What methods read of the sequences of each task."""

from nucleotune.contracts import read_examples
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.studies.reading import readings

with job(snakemake.log[0]):
    params = snakemake.params
    facts = {}
    for name, path in zip(params.datasets, snakemake.input.examples, strict=True):
        sequences = read_examples(path, columns=["sequence"])["sequence"].tolist()
        methods = params.methods[name]
        facts[name] = {"reading": readings(sequences, methods, params.models, params.checkpoints)}
    write_json(snakemake.output[0], facts)
