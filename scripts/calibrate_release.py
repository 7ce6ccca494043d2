"""Count the transcripts of one Ensembl file under every reading of the paper's filters."""

from nucleotune.frames import write_tsv
from nucleotune.scripting import job
from nucleotune.studies.lncrna.calibration import count_readings, result

with job(snakemake.log[0]):
    names = snakemake.wildcards
    counts = count_readings(snakemake.input[0], names.label, snakemake.params.min_length)
    table = result(names.species, int(names.release), names.label, counts)
    write_tsv(snakemake.output[0], table)
