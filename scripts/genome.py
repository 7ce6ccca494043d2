"""Unpack a genome, if it is packed, and index it: then any part of it is one seek away."""

import gzip
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

from nucleotune.files import atomic_path
from nucleotune.genome.windows import open_genome
from nucleotune.scripting import job

with job(snakemake.log[0]) as log:
    source = snakemake.input[0]
    with (
        atomic_path(snakemake.output.fasta) as path,
        (gzip.open if source.endswith((".gz", ".bgz")) else open)(source, "rb") as packed,
        path.open("wb") as plain,
    ):
        shutil.copyfileobj(packed, plain, 2**24)
    with open_genome(snakemake.output.fasta) as genome:
        log.info("%d contigs, %d nt", len(genome.keys()), sum(map(len, genome.values())))
