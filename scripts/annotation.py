"""Read a GTF or GFF3 file once; what follows reads Parquet."""

from nucleotune.genome.annotation import read_with_contigs, write_annotation
from nucleotune.scripting import job

with job(snakemake.log[0]) as log:
    annotation, contigs = read_with_contigs(snakemake.input[0], extra=snakemake.params.extra)
    log.info("%s", annotation["feature"].value_counts().to_dict())
    write_annotation(annotation, snakemake.output[0], contigs)
