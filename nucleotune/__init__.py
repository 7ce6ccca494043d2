"""nucleotune: fine-tuned nucleotide language models beside the classical methods they claim to beat.

The library holds all logic of the workflow and imports nothing of Snakemake. This file imports next to nothing: it is
read by the Snakefile, which is parsed again in every cluster job.
"""

from nucleotune.compiled import choose_cache

__version__ = "0.1.0"

choose_cache()
