"""Say of each sequence of one RBP which nucleotides are in UTRs, CDS and introns."""

import pandas as pd

from nucleotune.contracts import read_examples
from nucleotune.frames import read_parquet, write_parquet
from nucleotune.scripting import job
from nucleotune.studies.rbp.build import regions_of

with job(snakemake.log[0]) as log:
    files = snakemake.input
    places = pd.concat([read_examples(files.examples), read_parquet(files.rest)], ignore_index=True)
    regions, counts = regions_of(
        places, files.annotation, genome=files.get("genome"), chain=files.get("chain")
    )
    log.info("%s", counts)
    write_parquet(snakemake.output[0], regions)
