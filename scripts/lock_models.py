"""Find the commits of the revisions that model files name, and keep them."""

from nucleotune.errors import InputError
from nucleotune.scripting import job
from nucleotune.sources.revisions import lock_revisions

with job(snakemake.log[0]) as log:
    if snakemake.params.offline:
        raise InputError(
            "lock_models asks the model hub, but the configuration says offline: true; run it once on a machine"
            f" with a network, with --config offline=False, and keep {snakemake.params.lock}"
        )
    locked = lock_revisions(snakemake.params.checkpoints, snakemake.params.lock)
    log.info("%s: %d model(s)", snakemake.params.lock, len(locked))
