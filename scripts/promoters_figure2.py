"""Figure 2: attention along the promoters of highly and lowly expressed genes, with controls."""

from nucleotune.frames import read_tsv
from nucleotune.scripting import job
from nucleotune.studies.promoters.figures import profile_figure

with job(snakemake.log[0]):
    tables = {
        title: read_tsv(path)
        for title, path in zip(snakemake.params.titles, snakemake.input, strict=True)
    }
    labels = dict(enumerate(snakemake.params.labels))
    profile_figure(tables, labels, snakemake.output.svg)
