"""Write the files of a published model with random weights, as a mirror directory."""

from nucleotune.files import atomic_path
from nucleotune.models.standins import standin_mirror
from nucleotune.scripting import job

with job(snakemake.log[0]), atomic_path(snakemake.output[0], replace_directory=True) as mirror:
    standin_mirror({snakemake.wildcards.model: snakemake.params.model}, mirror)
