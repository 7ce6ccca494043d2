"""Figures 4 and 5: ROC curves of all methods on partial transcripts, one panel a data set and share kept."""

from nucleotune.contracts import read_metrics
from nucleotune.reporting.curves import Panel, roc_curves
from nucleotune.reporting.figures import method_styles, note_figure, roc_figure
from nucleotune.scripting import job
from nucleotune.studies.lncrna.plan import part_name

with job(snakemake.log[0]):
    datasets, methods = snakemake.params.datasets, snakemake.params.methods
    curves = roc_curves(
        [
            Panel(f"{one['title']}, {100 * kept:g} % kept", one["name"], part_name(kept))
            for one in datasets
            for kept in snakemake.params.kept
        ],
        snakemake.input.predictions,
        read_metrics(snakemake.input.metrics),
        datasets,
        methods,
        snakemake.params.seeds,
    )
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    styles = method_styles([method["title"] for method in methods], reference=lines)
    if curves:
        roc_figure(curves, snakemake.output.svg, styles=styles, columns=len(snakemake.params.kept))
    else:
        note_figure(
            f"No data set of the {snakemake.params.species} in this run", snakemake.output.svg
        )
