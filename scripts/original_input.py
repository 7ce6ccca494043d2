"""Write the transcripts to score as FASTA, for tools that are run as they are installed."""

from nucleotune.baselines.original import rows_to_score, write_fasta
from nucleotune.scripting import job

with job(snakemake.log[0]):
    write_fasta(snakemake.output[0], rows_to_score(snakemake.input[0]))
