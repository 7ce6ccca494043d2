"""A small genome for the promoter study: genes with planted promoters on chromosomes of background.

Independent of the transcripts of `genes`: other identifiers, other places. Gene bodies are background too: the study
looks at promoters alone. Coordinates are 0-based half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import reverse_complement
from nucleotune.simulate.genes import CHROMOSOMES, SCAFFOLDS
from nucleotune.simulate.loci import pick, trap_count
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
    """Exons on the seq_region in ascending order; `promoter` is the one it starts from, None for another start."""

    id: str
    version: int
    exons: tuple[tuple[int, int], ...]
    promoter: Promoter | None


@dataclass(frozen=True)
class ToyGene:
    """A gene and its place. The first transcript is the longest and starts where the gene starts."""

    id: str
    version: int
    symbol: str | None
    biotype: str
    seq_region: str
    start: int
    end: int
    strand: int
    transcripts: tuple[Transcript, ...]

    def tss(self, transcript: Transcript) -> int:
        """First base of a transcript."""
        return transcript.exons[0][0] if self.strand == 1 else transcript.exons[-1][1] - 1


@dataclass(frozen=True)
class Unit:
    """A gene before it is placed: sense strand from its promoter's first base, each transcript's exons and promoter."""

    biotype: str
    sequence: str
    transcripts: tuple[tuple[tuple[tuple[int, int], ...], Promoter | None], ...]


def make_genome(n: int, rng: np.random.Generator) -> tuple[dict[str, str], list[ToyGene]]:
    """Make `n` genes, half of them protein-coding and half lncRNA, and a few of other biotypes; place them.

    Returns the sequence of each seq_region, and the genes in their order. Raises InputError when `n` is below
    `MINIMUM_GENES`.
    """
    if n < MINIMUM_GENES:
        raise InputError(f"toy species: promoters.genes is {n}; give at least {MINIMUM_GENES}")
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
    edges = np.rint(np.cumsum([0, *CHROMOSOME_SHARES.values()]) * (len(units) - SCAFFOLD_GENES))
    for name, first, last in zip(
        [*CHROMOSOME_SHARES, SCAFFOLD], edges, [*edges[1:], len(units)], strict=True
    ):
        sequences[name], placed = _lay_out(name, shuffled[int(first) : int(last)], len(genes), rng)
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
    pieces, length, genes = [telomere], len(telomere), []
    deserts = set(pick(round(DESERT_SHARE * len(units)), range(len(units)), rng))
    gaps = set(pick(round(ASSEMBLY_GAP_SHARE * len(units)), range(len(units)), rng))
    for i, unit in enumerate(units):
        size = GAP_MINIMUM + int(rng.exponential(GAP_MEAN))
        if i in deserts:
            size += int(rng.integers(*DESERT))
        between = draw_stretch(size, "genome", rng)
        if i in gaps:
            between = between[: size // 2] + "N" * ASSEMBLY_GAP + between[size // 2 :]
        strand = 1 if rng.random() < 0.5 else -1
        start = length + len(between)
        pieces += [between, unit.sequence if strand == 1 else reverse_complement(unit.sequence)]
        length = start + len(unit.sequence)
        number = FIRST_NUMBER + n_before + i
        genes.append(_place(unit, seq_region, start, strand, number, rng))
    tail = draw_stretch(GAP_MINIMUM, "genome", rng)
    return "".join([*pieces, tail, telomere]), genes


def _place(
    unit: Unit, seq_region: str, start: int, strand: int, number: int, rng: np.random.Generator
) -> ToyGene:
    end = start + len(unit.sequence)
    transcripts = []
    for k, (exons, promoter) in enumerate(unit.transcripts):
        placed = [(start + a, start + b) if strand == 1 else (end - b, end - a) for a, b in exons]
        identifier = f"ENSTOYT{4 * number + k:011d}"
        version = int(rng.integers(1, 8))
        transcripts.append(Transcript(identifier, version, tuple(sorted(placed)), promoter))
    symbol = None
    if rng.random() >= UNNAMED_SHARE.get(unit.biotype, 0.3):
        prefix = {"protein_coding": "TOYP", "lncRNA": "LINCP", "miRNA": "MIRP"}
        symbol = f"{prefix.get(unit.biotype, 'PSD')}{number - FIRST_NUMBER + 1}"
    return ToyGene(
        id=f"ENSTOYG{number:011d}",
        version=int(rng.integers(1, 15)),
        symbol=symbol,
        biotype=unit.biotype,
        seq_region=seq_region,
        start=transcripts[0].exons[0][0],
        end=transcripts[0].exons[-1][1],
        strand=strand,
        transcripts=tuple(transcripts),
    )
