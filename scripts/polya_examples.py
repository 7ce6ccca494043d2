"""Build the examples and the data card of the poly(A) study for one species."""

from nucleotune.files import describe_file, write_json
from nucleotune.profile_contracts import ProfileExamples, write_profile_examples
from nucleotune.scripting import job
from nucleotune.studies.polya.build import build_polya

with job(snakemake.log[0]):
    files = dict(snakemake.input.items())
    built = build_polya(files, species=snakemake.params.species, settings=snakemake.params.settings)
    inputs = [describe_file(path) for name, path in files.items() if name != "genome"]
    write_profile_examples(
        snakemake.output.examples, ProfileExamples(built.table, built.counts, built.tracks)
    )
    write_json(snakemake.output.card, {**built.card, "inputs": inputs})
