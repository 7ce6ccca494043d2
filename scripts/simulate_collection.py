"""Write the files of a simulated collection of RBP data sets as a mirror directory."""

from nucleotune.files import atomic_path
from nucleotune.scripting import job
from nucleotune.studies.rbp.toy import write_rbp_study

with (
    job(snakemake.log[0]) as log,
    atomic_path(snakemake.output[0], replace_directory=True) as mirror,
):
    log.info("%s", write_rbp_study(mirror, **snakemake.params.simulate))
