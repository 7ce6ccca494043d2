"""Motifs that a model's contributions make up, beside known ones, and where they are."""

from pathlib import Path

import nucleotune
from nucleotune.attribution.contributions import read_contributions
from nucleotune.attribution.meme import read_motifs
from nucleotune.attribution.modisco import run_modisco, write_inputs
from nucleotune.attribution.motifs import (
    by_element,
    composition,
    match_patterns,
    motif_table,
    seqlet_places,
)
from nucleotune.attribution.spacing import order_of_elements
from nucleotune.attribution.words import gains_of_words
from nucleotune.frames import write_tsv
from nucleotune.scripting import job

with job(snakemake.log[0]) as log:
    explained = read_contributions(snakemake.input.contributions)
    known, shipped = snakemake.input.motifs, snakemake.params.shipped
    if shipped:
        known = Path(nucleotune.__file__).resolve().parents[1] / shipped["path"]
    motifs = read_motifs(known) if known else {}
    way, hypothetical = explained.for_motifs()
    log.info("motifs are made from contributions by %s", way)
    inputs = Path(snakemake.output.sequences).parent
    write_inputs(inputs, explained.sequences, hypothetical)
    patterns = run_modisco(explained.sequences, hypothetical, snakemake.output.patterns)
    matches = match_patterns(patterns, motifs, composition(explained.sequences))
    places = seqlet_places(patterns, matches, explained.sites)
    tables = {
        snakemake.output.motifs: motif_table(patterns, matches, places, list(by_element(motifs))),
        snakemake.output.seqlets: places,
        snakemake.output.words: gains_of_words(explained, motifs),
        snakemake.output.order: order_of_elements(
            places, explained.sites, seed=int(snakemake.wildcards.seed)
        ),
    }
    for target, table in tables.items():
        write_tsv(target, table)
