"""Every method of a data set against the best baseline, on the same test rows."""

from nucleotune.contracts import not_run, read_examples, read_predictions
from nucleotune.evaluation.paired import compare_methods
from nucleotune.frames import write_tsv
from nucleotune.scripting import job

with job(snakemake.log[0]):
    methods, seeds = snakemake.params.methods, snakemake.params.seeds
    runs = [(method, seed) for method in methods for seed in seeds]
    predictions = {}
    for (method, seed), path in zip(runs, snakemake.input.predictions, strict=True):
        if not not_run(path):
            table = read_predictions(path, splits=["valid", "test"])
            predictions.setdefault(method, {})[seed] = table
    baselines = [method for method in predictions if method in snakemake.params.baselines]
    examples = read_examples(snakemake.input.examples, columns=["id", "group"])
    table = compare_methods(
        predictions,
        baselines,
        groups=examples.set_index("id")["group"],
        **snakemake.params.bootstrap,
    )
    write_tsv(snakemake.output[0], table)
