"""Fetch one external file, verified, from a mirror or the network."""

from pathlib import Path

from nucleotune.scripting import job
from nucleotune.sources.download import download
from nucleotune.sources.registry import Source

with job(snakemake.log[0]):
    simulated = [Path(mirror) for mirror in snakemake.input]
    source = dict(snakemake.params.source)
    download(
        Source(**{**source, "urls": tuple(source["urls"])}),
        Path(snakemake.output.file),
        simulated=simulated,
        mirrors=[Path(mirror) for mirror in snakemake.params.mirrors],
        offline=snakemake.params.offline,
        # A simulated file changes with its simulation, so it is not held to the checksum of an earlier one.
        lock=None if simulated else Path("resources/downloads.lock.tsv"),
    )
