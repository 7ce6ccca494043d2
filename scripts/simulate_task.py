"""Write the files of a simulated task as a mirror directory."""

from nucleotune.files import atomic_path
from nucleotune.scripting import job
from nucleotune.studies.task.toy import write_toy_task

with (
    job(snakemake.log[0]) as log,
    atomic_path(snakemake.output[0], replace_directory=True) as mirror,
):
    simulate = snakemake.params.simulate
    log.info("%s", write_toy_task(mirror, kind=snakemake.params.kind, **simulate))
