"""Write the Ensembl files of a simulated species as a mirror directory."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.files import atomic_path
from nucleotune.scripting import job
from nucleotune.simulate.ensembl import write_toy_species

with job(snakemake.log[0]) as log:
    ensembl = snakemake.params.ensembl
    with atomic_path(snakemake.output[0]) as mirror:
        summary = write_toy_species(
            mirror,
            species=ensembl["species"],
            assembly=ensembl["assembly"],
            release=ensembl["release"],
            **snakemake.params.simulate,
        )
    log.info("written: %s", summary)
