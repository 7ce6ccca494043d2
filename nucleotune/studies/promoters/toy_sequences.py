"""Promoters of the toy species: elements planted at their places on the composition of their kind.

Positions are counted from the transcription start site (TSS): 0 is its first base, -1 the base before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.sequence.alphabet import BASES, reverse_complement
from nucleotune.simulate.composition import draw_background

# What is drawn with a promoter's own composition: bases before the TSS, and from it on (TSS included).
UPSTREAM, DOWNSTREAM = 330, 120

# Islands mark coding genes (Task 4), but do not raise expression: that follows elements, so that base composition tells
# nothing of it and whoever reads it has to know the elements.
ISLAND_SHARE = {"protein_coding": 0.62, "lncRNA": 0.20}

# G + C and CpG (observed / expected) of CpG islands, other promoters and the rest of the genome;
# G + C of each stretch is drawn with this spread.
COMPOSITION = {"island": (0.66, 0.75), "plain": (0.48, 0.35), "genome": (0.42, 0.22)}
GC_SPREAD = 0.04

# Elements carry a wrong base, and a weaker effect, this often; degenerate sites are the rule in cells.
MISMATCH_SHARE = 0.25
MISMATCH_EFFECT = 0.5

_IUPAC = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "N": "ACGT"}


@dataclass(frozen=True)
class Element:
    """A binding site: IUPAC consensus, range of its first base, effect on log2 TPM, share of promoters that have it."""

    name: str
    consensus: str
    first: tuple[int, int]  # half-open
    effect: float
    share: float
    either_strand: bool = True


# Consensus and places of vertebrate core and proximal promoter elements, as textbooks give them; shares
# and effects are this simulation's. The first four are EPD's columns.
ELEMENTS = (
    Element("TATA-box", "TATAWAWR", (-31, -27), 1.5, 0.3, either_strand=False),
    Element("Inr", "YYANWYY", (-2, -1), 0.8, 0.3, either_strand=False),
    Element("CCAAT-box", "RRCCAATSR", (-120, -60), 1.5, 0.3),
    Element("GC-box", "RGGGCGGRRC", (-150, -50), 0.7, 0.3),
    Element("CRE", "TGACGTCA", (-110, -40), 2.5, 0.3),
    Element("ETS", "SCCGGAAGYG", (-60, 15), 0.7, 0.3),
    Element("NRF1", "GCGCMTGCGC", (-90, -12), 0.7, 0.3),
    Element("NRSE", "TTCAGCACCNYGGACAG", (-200, -20), -3.0, 0.25),
)
EPD_ELEMENTS = tuple(element.name for element in ELEMENTS[:4])


@dataclass(frozen=True)
class Site:
    """An element where it stands: `first` base from the TSS, strand relative to the gene (1 or -1).

    effect: on log2 TPM, weaker where the site deviates from the consensus.
    """

    name: str
    first: int
    strand: int
    sequence: str
    effect: float


@dataclass(frozen=True)
class Promoter:
    """Sense strand of `UPSTREAM` + `DOWNSTREAM` bases; its TSS is base `UPSTREAM`."""

    sequence: str
    island: bool
    sites: tuple[Site, ...]

    @property
    def activity(self) -> float:
        """What the sequence adds to log2 TPM."""
        return sum(site.effect for site in self.sites)


def draw_promoter(biotype: str, rng: np.random.Generator) -> Promoter:
    """Draw a promoter of a `protein_coding` or `lncRNA` gene."""
    island = bool(rng.random() < ISLAND_SHARE[biotype])
    bases = list(draw_stretch(UPSTREAM + DOWNSTREAM, "island" if island else "plain", rng))
    sites: list[Site] = []
    for element in ELEMENTS:
        site = _draw_site(element, sites, rng) if rng.random() < element.share else None
        if site:
            sites.append(site)
            start = UPSTREAM + site.first
            bases[start : start + len(site.sequence)] = (
                site.sequence if site.strand == 1 else reverse_complement(site.sequence)
            )
    return Promoter("".join(bases), island, tuple(sites))


def _draw_site(element: Element, taken: Sequence[Site], rng: np.random.Generator) -> Site | None:
    """Draw a site that overlaps no other; None where ten places did not do."""
    site = [str(rng.choice(list(_IUPAC.get(letter, letter)))) for letter in element.consensus]
    effect = element.effect
    if rng.random() < MISMATCH_SHARE:
        site[int(rng.integers(len(site)))] = BASES[int(rng.integers(4))]
        effect *= MISMATCH_EFFECT
    strand = -1 if element.either_strand and rng.random() < 0.5 else 1
    for _ in range(10):
        first = int(rng.integers(*element.first))
        end = first + len(site)
        if all(end <= other.first or first >= other.first + len(other.sequence) for other in taken):
            return Site(element.name, first, strand, "".join(site), effect)
    return None


def draw_stretch(n: int, kind: str, rng: np.random.Generator) -> str:
    """Draw `n` bases of one of the kinds of `COMPOSITION`."""
    gc, cpg = COMPOSITION[kind]
    return draw_background(n, cpg_chain(float(rng.normal(gc, GC_SPREAD)), cpg), rng)


def cpg_chain(gc: float, cpg: float) -> np.ndarray:
    """Return a first-order chain as `composition.draw_background` takes it, shape (16, 4).

    gc: G + C before CpG is thinned out; cpg: the share of CpG that stays. Of the others one half has become TpG, the
    other CpA, and the pairs they are part of with their neighbours follow: the chain reads the same on both strands.
    """
    base = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    pairs = np.outer(base, base)
    a, c, g, t = range(4)
    half = (1 - cpg) * pairs[c, g] / 2
    pairs[c, g] -= 2 * half
    pairs[t, g] += half
    pairs[:, c] -= half * base
    pairs[:, t] += half * base
    pairs[c, a] += half
    pairs[g, :] -= half * base
    pairs[a, :] += half * base
    chain = np.cumsum(pairs / pairs.sum(axis=1, keepdims=True), axis=1)
    return np.tile(chain, (4, 1))
