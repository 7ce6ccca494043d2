"""Make a table or a figure: what the function `make` of its study makes of the files that it needs."""

from importlib import import_module

from nucleotune.reporting.tables import write_table
from nucleotune.scripting import job

with job(snakemake.log[0]):
    module, _, name = snakemake.params.make.partition(":")
    make, arguments = getattr(import_module(module), name), snakemake.params.arguments
    if snakemake.output.get("svg"):
        make(snakemake.input, snakemake.output.svg, **arguments)
    else:
        table, texts = make(snakemake.input, **arguments)
        write_table(snakemake.output.tsv, snakemake.output.html, table, **texts)
