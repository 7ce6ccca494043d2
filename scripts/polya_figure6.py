"""Figure 6: training and validation loss by epoch."""

from pathlib import Path

from nucleotune.frames import read_tsv
from nucleotune.reporting.figures import method_styles
from nucleotune.scripting import job
from nucleotune.studies.polya.figures import loss_figure

with job(snakemake.log[0]):
    datasets = {one["name"]: one["title"] for one in snakemake.params.datasets}
    titles = {one["name"]: one["title"] for one in snakemake.params.methods}
    lines = [one["title"] for one in snakemake.params.methods if one["kind"] == "reference"]
    histories = {}
    for path in snakemake.input:
        dataset, method = Path(path).parts[-4:-2]
        panel = histories.setdefault(datasets[dataset], {})
        panel.setdefault(titles[method], []).append(read_tsv(path))
    styles = method_styles(titles.values(), reference=lines)
    loss_figure(histories, snakemake.output.svg, styles=styles)
