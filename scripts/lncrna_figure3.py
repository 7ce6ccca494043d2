"""Figure 3: ROC curves of all methods, one panel a data set."""

from nucleotune.contracts import read_metrics
from nucleotune.reporting.curves import Panel, roc_curves
from nucleotune.reporting.figures import method_styles, roc_figure
from nucleotune.scripting import job

with job(snakemake.log[0]):
    datasets, methods = snakemake.params.datasets, snakemake.params.methods
    curves = roc_curves(
        [Panel(one["title"], one["name"], "test") for one in datasets],
        snakemake.input.predictions,
        read_metrics(snakemake.input.metrics),
        datasets,
        methods,
        snakemake.params.seeds,
    )
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    styles = method_styles([method["title"] for method in methods], reference=lines)
    roc_figure(curves, snakemake.output.svg, styles=styles)
