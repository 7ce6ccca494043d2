"""A small genome like that of yeast: short genes close together on both strands, with poly(A) signals behind them.

Coordinates are 0-based half-open.
"""

from dataclasses import dataclass

import numpy as np

from nucleotune.sequence.alphabet import BASES, base_codes, spelled
from nucleotune.simulate.composition import CODONS, STOP_CODONS, draw_codons
from nucleotune.simulate.genome import Contig, Exons, Place, at_least, draw_strand, trap_count
from nucleotune.studies.polya.toy_genes import STOP, WINDOW, Signal, draw_signal

#: Fewer genes than these leave too few on any one chromosome.
MINIMUM_GENES = 100

#: Chromosomes and what each weighs (kb in yeast); genes are dealt out by it.
CHROMOSOMES = {
    "I": 230, "II": 813, "III": 317, "IV": 1532, "V": 577, "VI": 270, "VII": 1091, "VIII": 563,
    "IX": 440, "X": 746, "XI": 667, "XII": 1078, "XIII": 924, "XIV": 784, "XV": 1091, "XVI": 948,
}  # fmt: skip
MITOCHONDRION = "Mito"
MITOCHONDRIAL_GENES = 6

COMPOSITION = {"between": (0.31, 0.19, 0.18, 0.32), "coding": (0.32, 0.19, 0.21, 0.28)}

# Codons, stop included: log-normal (median, sigma), and limits.
CODON_COUNT, CODON_LIMITS = (110, 0.4), (60, 400)
INTRON_SHARE, INTRON = 0.04, (60, 120)
STOP_SHARES = (0.47, 0.23, 0.30)  # of TAA, TAG, TGA
NAMED_SHARE = 0.75

# What lies between two genes: so much on the side of an end, of a start, of a gene without CDS; half-open.
BEHIND, BEFORE, BESIDE_OTHERS = (190, 330), (110, 220), (40, 90)
CONVERGENT = (260, 480)  # between two ends: the windows overlap
HEAD = (330, 500)  # of a chromosome
CUT_HEAD = (150, 210)  # where a window runs off

# Of protein-coding genes, on top.
OTHERS = {"tRNA": (0.03, (71, 76)), "snoRNA": (0.012, (80, 160)), "pseudogene": (0.01, (200, 400))}


@dataclass(frozen=True)
class YeastGene:
    """A gene and its place; exons of a coding gene reach from ATG to stop codon.

    signal: what is planted behind a coding gene; None for others.
    """

    id: str
    name: str | None
    biotype: str
    place: Place
    exons: Exons
    signal: Signal | None


@dataclass(frozen=True)
class _Unit:
    """A gene before it is placed: its sense strand (codes of bases) and its exons therein."""

    biotype: str
    strand: int
    bases: np.ndarray
    exons: Exons


def make_yeast(n: int, rng: np.random.Generator) -> tuple[dict[str, str], list[YeastGene]]:
    """Make `n` nuclear protein-coding genes, and on top a few others and those of the mitochondrion.

    Returns the sequence of each chromosome, and the genes in their order. The window of the first gene of the first
    chromosome and that of the last gene of the last one run off. Raises InputError when `n` is below `MINIMUM_GENES`.
    """
    at_least("toy yeast: polya.genes", n, MINIMUM_GENES)
    weights = np.cumsum([0, *CHROMOSOMES.values()]) / sum(CHROMOSOMES.values())
    coding = np.diff(np.rint(weights * n).astype(int)).tolist()
    others = [
        biotype for biotype, (share, _) in OTHERS.items() for _ in range(trap_count(share, n))
    ]
    homes = rng.choice(len(CHROMOSOMES), size=len(others), p=np.diff(weights))
    names = [*CHROMOSOMES, MITOCHONDRION]
    sequences, genes = {}, []
    for i, name in enumerate(names):
        strands = rng.choice((1, -1), size=(coding + [MITOCHONDRIAL_GENES])[i])
        if i == 0:
            strands[0] = -1
        if name == names[-2]:
            strands[-1] = 1
        units = [_coding_unit(int(strand), rng) for strand in strands]
        for other, home in zip(others, homes, strict=True):
            if home == i:
                units.insert(int(rng.integers(1, len(units))), _other_unit(other, rng))
        cut = (i == 0, name == names[-2])
        sequences[name], placed = _lay_out(name, chr(ord("A") + i), units, cut, rng)
        genes += placed
    return sequences, genes


def _coding_unit(strand: int, rng: np.random.Generator) -> _Unit:
    median, sigma = CODON_COUNT
    codons = int(np.clip(rng.lognormal(np.log(median), sigma), *CODON_LIMITS))
    stop = str(rng.choice(STOP_CODONS, p=STOP_SHARES))
    sequence = f"ATG{draw_codons(codons - 2, _codon_weights(), rng)}{stop}"
    exons = ((0, len(sequence)),)
    if rng.random() < INTRON_SHARE:
        first, size = 3 * int(rng.integers(2, 12)) + 1, int(rng.integers(*INTRON))
        inner = spelled(_draw(size - 4, "between", rng))
        sequence = f"{sequence[:first]}GT{inner}AG{sequence[first:]}"
        exons = ((0, first), (first + size, len(sequence)))
    return _Unit("protein_coding", strand, base_codes([sequence])[0], exons)


def _other_unit(biotype: str, rng: np.random.Generator) -> _Unit:
    size = int(rng.integers(*OTHERS[biotype][1]))
    strand = draw_strand(rng)
    return _Unit(biotype, strand, _draw(size, "coding", rng), ((0, size),))


def _lay_out(
    chromosome: str,
    letter: str,
    units: list[_Unit],
    cut: tuple[bool, bool],
    rng: np.random.Generator,
) -> tuple[str, list[YeastGene]]:
    """Paste units along a chromosome, then plant behind each coding gene."""
    gaps = [int(rng.integers(*(CUT_HEAD if cut[0] else HEAD)))]
    gaps += [_gap(left, right, rng) for left, right in zip(units, units[1:], strict=False)]
    gaps.append(int(rng.integers(*(CUT_HEAD if cut[1] else HEAD))))
    contig = Contig(chromosome)
    places = [
        contig.put(gap, len(unit.bases), unit.strand)
        for gap, unit in zip(gaps[:-1], units, strict=True)
    ]
    bases = _draw(contig.length + gaps[-1], "between", rng)
    taken = np.zeros(len(bases), dtype=bool)
    for place, unit in zip(places, units, strict=True):
        there = slice(place.start, place.end)
        bases[there] = unit.bases if unit.strand == 1 else 3 - unit.bases[::-1]
        taken[there] = True
    genes = []
    for i, (place, unit) in enumerate(zip(places, units, strict=True)):
        gap = gaps[i + 1] if unit.strand == 1 else gaps[i]
        signal = None
        if unit.biotype == "protein_coding":
            room = min(WINDOW, STOP + gap)
            stop = place.size - STOP
            behind = slice(*place.of(stop, stop + room))
            signal = draw_signal(taken[behind][:: unit.strand], rng)
            _plant(signal, bases[behind], unit.strand)
        genes.append(
            YeastGene(
                id=f"TOY{letter}{i + 1:03d}{'W' if unit.strand == 1 else 'C'}",
                name=f"TYG{letter}{i + 1}" if rng.random() < NAMED_SHARE else None,
                biotype=unit.biotype,
                place=place,
                exons=unit.exons,
                signal=signal,
            )
        )
    return spelled(bases), genes


def _gap(left: _Unit, right: _Unit, rng: np.random.Generator) -> int:
    """Draw what lies between two genes."""
    coding = (left.biotype == "protein_coding", right.biotype == "protein_coding")
    if all(coding) and (left.strand, right.strand) == (1, -1):
        return int(rng.integers(*CONVERGENT))
    ends = (left.strand == 1, right.strand == -1)
    sides = [
        (BEHIND if end else BEFORE) if is_coding else BESIDE_OTHERS
        for end, is_coding in zip(ends, coding, strict=True)
    ]
    return sum(int(rng.integers(*side)) for side in sides)


def _plant(signal: Signal, behind: np.ndarray, strand: int) -> None:
    """Write elements into the bases behind a gene, as they lie on the chromosome."""
    sense = behind[::strand]
    for element in signal.elements:
        codes = base_codes([element.sequence])[0]
        sense[element.position : element.end] = codes if strand == 1 else 3 - codes


def _codon_weights() -> np.ndarray:
    base = dict(zip(BASES, COMPOSITION["coding"], strict=True))
    weights = np.array([base[a] * base[b] * base[c] for a, b, c in CODONS])
    weights[[CODONS.index(stop) for stop in STOP_CODONS]] = 0.0
    return weights / weights.sum()


def _draw(n: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` independent bases as codes 0-3: A, C, G, T; the complement of a code is 3 less it."""
    return np.searchsorted(np.cumsum(COMPOSITION[kind])[:3], rng.random(n), "right").astype(
        np.uint8
    )
