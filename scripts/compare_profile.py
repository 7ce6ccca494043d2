"""Every profile method of a data set against the reference line, on the same test genes."""

from nucleotune.evaluation.profile_intervals import compare_profiles
from nucleotune.frames import write_tsv
from nucleotune.profile_contracts import read_profile_examples, read_profile_predictions
from nucleotune.scripting import job

with job(snakemake.log[0]):
    runs = [
        (method, seed) for method in snakemake.params.methods for seed in snakemake.params.seeds
    ]
    tables = {}
    for (method, seed), path in zip(runs, snakemake.input.predictions, strict=True):
        tables.setdefault(method, {})[seed] = read_profile_predictions(path, splits=["test"])
    table = compare_profiles(
        tables,
        snakemake.params.line,
        read_profile_examples(snakemake.input.examples, splits=["test"]),
        **snakemake.params.bootstrap,
    )
    write_tsv(snakemake.output[0], table)
