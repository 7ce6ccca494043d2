"""Unpack a genome, if it is packed, and index it: then any part of it is one seek away."""

from nucleotune.genome.genome_file import open_genome, unpack_genome
from nucleotune.scripting import job

with job(snakemake.log[0]) as log:
    unpack_genome(snakemake.input[0], snakemake.output.fasta)
    with open_genome(snakemake.output.fasta) as genome:
        log.info("%d contigs, %d nt", len(genome.keys()), sum(map(len, genome.values())))
