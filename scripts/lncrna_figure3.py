"""Figure 3: ROC curves of all methods, one panel a data set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

import itertools

from nucleotune.contracts import not_run, read_metrics, read_predictions
from nucleotune.evaluation.intervals import align_seeds
from nucleotune.evaluation.metrics import mean_roc
from nucleotune.reporting.figures import method_styles, roc_figure
from nucleotune.scripting import job

with job(snakemake.log[0]):
    datasets, methods = snakemake.params.datasets, snakemake.params.methods
    metrics = read_metrics(snakemake.input.metrics)
    runs = itertools.product(datasets, methods, snakemake.params.seeds)
    tables = {}
    for (dataset, method, seed), path in zip(runs, snakemake.input.predictions, strict=True):
        if not not_run(path):
            run = tables.setdefault((dataset["name"], method["name"]), {})
            run[seed] = read_predictions(path, splits=["test"])
    curves = {dataset["title"]: {} for dataset in datasets}
    for dataset, method in itertools.product(datasets, methods):
        if (dataset["name"], method["name"]) not in tables:
            continue
        test = align_seeds(tables[dataset["name"], method["name"]], "test")
        auroc = metrics[dataset["name"]][method["name"]]["splits"]["test"]["auroc"]
        interval = (auroc["ci_low"], auroc["ci_high"])
        curve = (*mean_roc(test.labels, test.scores), auroc["value"], interval)
        curves[dataset["title"]][method["title"]] = curve
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    styles = method_styles([method["title"] for method in methods], reference=lines)
    roc_figure(curves, snakemake.output.svg, styles=styles)
