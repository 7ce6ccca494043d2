"""How peaked the attention of Figure 2 is, beside its controls."""

from nucleotune.frames import read_tsv
from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job
from nucleotune.studies.promoters.tables import TABLES, controls_table

with job(snakemake.log[0]):
    peaks = {
        title: read_tsv(path)
        for title, path in zip(snakemake.params.titles, snakemake.input, strict=True)
    }
    table = controls_table(peaks, snakemake.params.labels)
    write_table(snakemake.output.tsv, snakemake.output.html, table, **TABLES["controls"])
