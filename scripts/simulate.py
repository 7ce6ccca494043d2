"""Write the files of a simulated species as a mirror directory."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.files import atomic_path
from nucleotune.scripting import job
from nucleotune.simulate.ensembl import write_toy_species
from nucleotune.simulate.promoter_study import write_promoter_study

with job(snakemake.log[0]) as log:
    names = {key: snakemake.params.ensembl[key] for key in ("species", "assembly", "release")}
    sizes = dict(snakemake.params.simulate)
    promoters = sizes.pop("promoters")
    with atomic_path(snakemake.output[0]) as mirror:
        log.info("transcripts: %s", write_toy_species(mirror, **names, **sizes))
        if promoters:
            summary = write_promoter_study(mirror, **names, seed=sizes["seed"], **promoters)
            log.info("promoters: %s", summary)
