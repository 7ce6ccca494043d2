"""A small genome for the promoter study: genes with planted promoters on chromosomes of background.

Independent of the transcripts of `genes`: other identifiers, other places. Gene bodies are background too: the study
looks at promoters alone. Coordinates are 0-based half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nucleotune.simulate.genome import (
    CHROMOSOMES,
    SCAFFOLDS,
    Contig,
    Exons,
    Place,
    Span,
    at_least,
    draw_strand,
    edges,
    paste,
    pick,
    trap_count,
)
from nucleotune.studies.promoters.toy_sequences import (
    DOWNSTREAM,
    UPSTREAM,
    Promoter,
    draw_promoter,
    draw_stretch,
)

#: Fewer genes than these leave too few of a class for any split.
MINIMUM_GENES = 100

SCAFFOLD = SCAFFOLDS[0]
CHROMOSOME_SHARES = dict(zip(CHROMOSOMES, (0.35, 0.30, 0.20, 0.15), strict=True))
SCAFFOLD_GENES = 6

# Of genes.
SECOND_PROMOTER_SHARE = 0.18  # coding: another first exon, downstream
SECOND_TRANSCRIPT_SHARE = 0.35  # begins at the second exon
UNNAMED_SHARE = {"protein_coding": 0.03, "lncRNA": 0.55}
OTHER_SHARE = 0.02  # of each of the biotypes below, on top
OTHER_BIOTYPES = {"processed_pseudogene": (200, 600), "miRNA": (60, 110)}

EXON, INTRON = (70, 140), (60, 130)
GAP_MINIMUM, GAP_MEAN = 120, 300  # between genes, beside what belongs to their promoters
DESERT_SHARE, DESERT = 0.06, (3000, 6000)
TELOMERE = 200  # N at both ends of a chromosome
ASSEMBLY_GAP_SHARE, ASSEMBLY_GAP = 0.01, 50  # N

FIRST_NUMBER = 1_000_001  # of gene and transcript identifiers; `genes` counts from 1


@dataclass(frozen=True)
class Transcript:
    """Exons on its gene's sense strand, ascending; `promoter` is the one it starts from, None for another start."""

    id: str
    version: int
    exons: Exons
    promoter: Promoter | None

    @property
    def span(self) -> Span:
        """From its first base to its last."""
        return self.exons[0][0], self.exons[-1][1]


@dataclass(frozen=True)
class ToyGene:
    """A gene; its place is that of its unit. The first transcript is the longest and starts where the gene starts."""

    id: str
    version: int
    symbol: str | None
    biotype: str
    place: Place
    transcripts: tuple[Transcript, ...]

    def tss(self, transcript: Transcript) -> int:
        """First base of a transcript, on the seq_region."""
        first = transcript.exons[0][0]
        return self.place.of(first, first + 1)[0]


@dataclass(frozen=True)
class Unit:
    """A gene before it is placed: sense strand from its promoter's first base, each transcript's exons and promoter."""

    biotype: str
    sequence: str
    transcripts: tuple[tuple[Exons, Promoter | None], ...]


def make_genome(n: int, rng: np.random.Generator) -> tuple[dict[str, str], list[ToyGene]]:
    """Make `n` genes, half of them protein-coding and half lncRNA, and a few of other biotypes; place them.

    Returns the sequence of each seq_region, and the genes in their order. Raises InputError when `n` is below
    `MINIMUM_GENES`.
    """
    at_least("toy species: promoters.genes", n, MINIMUM_GENES)
    units = [
        *(_gene("protein_coding", rng) for _ in range(n // 2)),
        *(_gene("lncRNA", rng) for _ in range(n - n // 2)),
    ]
    for biotype, lengths in OTHER_BIOTYPES.items():
        for _ in range(trap_count(OTHER_SHARE, n)):
            sequence = draw_stretch(int(rng.integers(*lengths)), "genome", rng)
            units.append(Unit(biotype, sequence, ((((0, len(sequence)),), None),)))
    shuffled = [units[i] for i in rng.permutation(len(units))]
    sequences: dict[str, str] = {}
    genes: list[ToyGene] = []
    cuts = [*edges(CHROMOSOME_SHARES.values(), len(units) - SCAFFOLD_GENES), len(units)]
    for name, (first, last) in zip([*CHROMOSOME_SHARES, SCAFFOLD], pairwise(cuts), strict=True):
        sequences[name], placed = _lay_out(name, shuffled[first:last], len(genes), rng)
        genes += placed
    return sequences, genes


def _gene(biotype: str, rng: np.random.Generator) -> Unit:
    coding = biotype == "protein_coding"
    promoter = draw_promoter(biotype, rng)
    sequence = promoter.sequence
    exons = [(UPSTREAM, UPSTREAM + DOWNSTREAM)]
    second = None
    if coding and rng.random() < SECOND_PROMOTER_SHARE:
        second = draw_promoter(biotype, rng)
        sequence += _intron(rng) + second.sequence
        other_first = (len(sequence) - DOWNSTREAM, len(sequence))
    for _ in range(int(rng.integers(1, 5 if coding else 3))):
        sequence += _intron(rng)
        start = len(sequence)
        sequence += draw_stretch(int(rng.integers(*EXON)), "genome", rng)
        exons.append((start, len(sequence)))
    transcripts = [(tuple(exons), promoter)]
    if second:
        transcripts.append(((other_first, *exons[1:]), second))
    if rng.random() < SECOND_TRANSCRIPT_SHARE:
        transcripts.append((tuple(exons[1:]), None))
    return Unit(biotype, sequence, tuple(transcripts))


def _intron(rng: np.random.Generator) -> str:
    return f"GT{draw_stretch(int(rng.integers(*INTRON)), 'genome', rng)}AG"


def _lay_out(
    seq_region: str, units: Sequence[Unit], n_before: int, rng: np.random.Generator
) -> tuple[str, list[ToyGene]]:
    """Paste units along a seq_region, on either strand, with background between them."""
    telomere = "N" * (TELOMERE if seq_region != SCAFFOLD else 0)
    contig, between, genes = Contig(seq_region), [], []
    deserts = set(pick(round(DESERT_SHARE * len(units)), range(len(units)), rng))
    gaps = set(pick(round(ASSEMBLY_GAP_SHARE * len(units)), range(len(units)), rng))
    for i, unit in enumerate(units):
        size = GAP_MINIMUM + int(rng.exponential(GAP_MEAN))
        if i in deserts:
            size += int(rng.integers(*DESERT))
        stretch = draw_stretch(size, "genome", rng)
        if i in gaps:
            stretch = stretch[: size // 2] + "N" * ASSEMBLY_GAP + stretch[size // 2 :]
        between.append(stretch if i else telomere + stretch)
        place = contig.put(len(between[i]), len(unit.sequence), draw_strand(rng))
        genes.append(_annotated(unit, place, FIRST_NUMBER + n_before + i, rng))
    between.append(draw_stretch(GAP_MINIMUM, "genome", rng) + telomere)
    senses = [(unit.sequence, gene.place.strand) for unit, gene in zip(units, genes, strict=True)]
    return paste(between, senses), genes


def _annotated(unit: Unit, place: Place, number: int, rng: np.random.Generator) -> ToyGene:
    transcripts = []
    for k, (exons, promoter) in enumerate(unit.transcripts):
        identifier = f"ENSTOYT{4 * number + k:011d}"
        version = int(rng.integers(1, 8))
        transcripts.append(Transcript(identifier, version, exons, promoter))
    symbol = None
    if rng.random() >= UNNAMED_SHARE.get(unit.biotype, 0.3):
        prefix = {"protein_coding": "TOYP", "lncRNA": "LINCP", "miRNA": "MIRP"}
        symbol = f"{prefix.get(unit.biotype, 'PSD')}{number - FIRST_NUMBER + 1}"
    return ToyGene(
        id=f"ENSTOYG{number:011d}",
        version=int(rng.integers(1, 15)),
        symbol=symbol,
        biotype=unit.biotype,
        place=place,
        transcripts=tuple(transcripts),
    )
