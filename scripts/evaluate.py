"""Metrics of one method on one data set, with intervals."""

from nucleotune.contracts import not_run, read_examples, read_predictions
from nucleotune.evaluation.intervals import evaluate_predictions, unmeasured
from nucleotune.files import write_json
from nucleotune.scripting import job

with job(snakemake.log[0]):
    names = {key: snakemake.wildcards[key] for key in ("study", "dataset", "method")}
    reason = next(filter(None, map(not_run, snakemake.input.predictions)), None)
    if reason:
        metrics = unmeasured(reason)
    else:
        seeds = snakemake.params.seeds
        tables = {
            seed: read_predictions(path)
            for seed, path in zip(seeds, snakemake.input.predictions, strict=True)
        }
        examples = read_examples(snakemake.input.examples, columns=["id", "group"])
        metrics = evaluate_predictions(
            tables,
            groups=examples.set_index("id")["group"],
            **snakemake.params.bootstrap,
            source="{study}/{dataset}/{method}".format(**names),
        )
    write_json(snakemake.output[0], {**names, **metrics})
