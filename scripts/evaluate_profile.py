"""Metrics of one profile method on one data set, with intervals."""

from nucleotune.evaluation.profile_intervals import evaluate_profiles
from nucleotune.files import write_json
from nucleotune.profile_contracts import read_profile_examples, read_profile_predictions
from nucleotune.scripting import job

with job(snakemake.log[0]):
    dataset, method = snakemake.wildcards.dataset, snakemake.wildcards.method
    tables = {
        seed: read_profile_predictions(path)
        for seed, path in zip(snakemake.params.seeds, snakemake.input.predictions, strict=True)
    }
    metrics = evaluate_profiles(
        tables,
        read_profile_examples(snakemake.input.examples),
        **snakemake.params.bootstrap,
        source=f"polya/{dataset}/{method}",
    )
    names = {"study": "polya", "dataset": dataset, "method": method}
    write_json(snakemake.output[0], {**names, **metrics})
