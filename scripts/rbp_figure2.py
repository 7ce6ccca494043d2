"""Figure 2: AUROC over RBPs, and of one method against each other one."""

from nucleotune.contracts import read_metrics
from nucleotune.scripting import job
from nucleotune.studies.rbp.figures import auroc_figure
from nucleotune.studies.rbp.tables import auroc_by_protein

with job(snakemake.log[0]):
    params = snakemake.params
    values = auroc_by_protein(read_metrics(snakemake.input), params.datasets, params.methods)
    auroc_figure(values, params.focus, snakemake.output.svg)
