"""Fit one classical method and predict the rows it has not seen."""

from nucleotune.baselines import find_baseline, fit_predict
from nucleotune.contracts import read_examples
from nucleotune.files import write_json
from nucleotune.scripting import job
from nucleotune.sequence.mea import read_structures
from nucleotune.tasks import task_of

with job(snakemake.log[0]):
    method = snakemake.params.method
    structures = {}
    if snakemake.input.structures:
        table = read_structures(snakemake.input.structures).table.dropna(subset="shreps")
        structures = dict(zip(table["sequence"], table["shreps"], strict=True))
    predictions, summary = fit_predict(
        method["baseline"],
        read_examples(snakemake.input.examples),
        train_splits=method["train_splits"],
        options=find_baseline(method["baseline"]).options(
            method, threads=snakemake.threads, structures=structures
        ),
        seed=int(snakemake.wildcards.seed),
        labels=snakemake.params.labels,
        kind=snakemake.params.task,
        output_dir=snakemake.output.model,
    )
    task_of(snakemake.params.task).write_predictions(snakemake.output.predictions, predictions)
    write_json(snakemake.output.summary, summary)
