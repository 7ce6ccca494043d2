"""Write the files of a simulated species as a mirror directory."""

from nucleotune.files import atomic_path
from nucleotune.scripting import job
from nucleotune.studies.lncrna.toy import write_toy_species
from nucleotune.studies.polya.toy import write_polya_study
from nucleotune.studies.promoters.toy import write_promoter_study

WRITERS = {
    "transcripts": write_toy_species,
    "promoters": write_promoter_study,
    "polya": write_polya_study,
}

with job(snakemake.log[0]) as log:
    names = {key: snakemake.params.ensembl[key] for key in ("species", "assembly", "release")}
    simulate = snakemake.params.simulate
    with atomic_path(snakemake.output[0], replace_directory=True) as mirror:
        for part, write in WRITERS.items():
            if simulate[part]:
                log.info(
                    "%s: %s", part, write(mirror, **names, seed=simulate["seed"], **simulate[part])
                )
