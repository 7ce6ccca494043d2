"""What the toy RBPs bind, and where: windows of transcripts with elements planted in them.

TOYM binds a sequence motif; its negatives hold the same letters in another order, so composition tells nothing. TOYH
binds a short motif in the loop of a hairpin; its negatives hold the motif without a stem or the hairpin without the
motif. TOYU binds 3'UTRs, where a weak U-rich element stands; its negatives are other regions. Sequences are DNA.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nucleotune.sequence.alphabet import BASES, reverse_complement
from nucleotune.simulate.composition import STOP_CODONS
from nucleotune.studies.rbp.toy_genes import ToyGene

WIDTH = 101
CENTRE = WIDTH // 2
SPACING = (2, 12)  # between windows of a gene
CLEAR = 21  # bases either side of a window's centre that lie in one region
MARGIN = 3  # bases between an element and the edge of its region: splice sites, start and stop codons stay
REACH = 36  # bases either side of the centre within which all elements lie
JITTER = {"TOYM": 8, "TOYH": 5, "TOYU": 10}  # of the first element's middle around the centre
TRIES = 30

MOTIF = "TGTANATA"
MOTIF_MISMATCH = 0.15  # one of the last four bases is any
FURTHER_COPIES = (0.45, 0.45)  # how likely a second site is, and a third

LOOP_MOTIF = "CACGA"
ARM = "GGGCCAAT"  # letters of one side of the stem, in any order
OPEN_SHARE = (
    0.5  # of TOYH's negatives: the motif without a stem; the others are the stem without the motif
)
CHANCE_PAIRS = 3  # how many bases of an open motif's sides may pair

U_RICH = "TTTNTTTT"
U_RICH_SHARE, U_RICH_MISMATCH = 0.7, 0.5
U_SHARE = 0.7  # of a gene's windows in the 3'UTR
U_ELSEWHERE = 0.5  # how likely one window of a gene outside 3'UTRs is bound as well

_PAIRS = {"AT", "TA", "CG", "GC", "GT", "TG"}


@dataclass(frozen=True)
class Site:
    """An element in a window: its first base from the window's first, and its sequence, in sense direction."""

    element: str
    first: int
    sequence: str


@dataclass(frozen=True)
class Window:
    """`WIDTH` bases of a gene from `first` (in its coordinates): bound (label 1) by an RBP or not (0)."""

    rbp: str
    label: int
    gene: ToyGene
    first: int
    sites: tuple[Site, ...] = ()

    @property
    def region(self) -> str:
        """Region of the base at the centre."""
        return self.gene.regions[self.first + CENTRE]

    @property
    def place(self) -> tuple[int, int]:
        """Place on the chromosome."""
        return self.gene.place.of(self.first, self.first + WIDTH)

    @property
    def sequence(self) -> str:
        """The window as the gene now has it."""
        return "".join(self.gene.bases[self.first : self.first + WIDTH])


Pair = tuple[Window, Window]  # bound, not bound; of one gene


def deal_windows(gene: ToyGene, rng: np.random.Generator) -> dict[str, list[Pair]]:
    """Cut a gene into windows that do not overlap, and deal them out to the RBPs in pairs."""
    cut = _windows(gene, rng)
    firsts = [cut[i] for i in rng.permutation(len(cut))]
    utr = [first for first in firsts if gene.regions[first + CENTRE] == "3"]
    rest = [first for first in firsts if gene.regions[first + CENTRE] != "3"]
    n_bound = round(U_SHARE * len(utr))
    bound, utr = utr[:n_bound], utr[n_bound:]
    if rest and rng.random() < U_ELSEWHERE:
        bound.append(rest.pop())
    unbound, rest = rest[: len(bound)], rest[len(bound) :]
    free = [(utr + rest)[i] for i in rng.permutation(len(utr) + len(rest))]
    dealt = {
        "TOYM": zip(free[0::4], free[1::4], strict=False),
        "TOYH": zip(free[2::4], free[3::4], strict=False),
        "TOYU": zip(bound, unbound, strict=False),
    }
    return {
        rbp: [(Window(rbp, 1, gene, a), Window(rbp, 0, gene, b)) for a, b in pairs]
        for rbp, pairs in dealt.items()
    }


def plant_pair(pair: Pair, rng: np.random.Generator) -> Pair | None:
    """Write a pair's elements into their gene and return it with them; None where they do not fit."""
    unbound = _plant(pair[1], rng)
    bound = _plant(pair[0], rng) if unbound else None
    return (bound, unbound) if bound and unbound else None


def _windows(gene: ToyGene, rng: np.random.Generator) -> list[int]:
    firsts, first = [], gene.core[0] + int(rng.integers(*SPACING))
    while first + WIDTH <= gene.core[1]:
        centre = first + CENTRE
        if len(set(gene.regions[centre - CLEAR : centre + CLEAR + 1])) == 1:
            firsts.append(first)
            first += WIDTH
        first += int(rng.integers(*SPACING))
    return firsts


def _plant(window: Window, rng: np.random.Generator) -> Window | None:
    rbp, label = window.rbp, window.label
    sites: list[Site] = []
    if rbp == "TOYH" and not label and LOOP_MOTIF in window.sequence:
        return None
    for n in range(_copies(rbp, label, rng)):
        placed = _place(window, JITTER[rbp] if n == 0 else REACH, sites, rng)
        if not placed and n == 0:
            return None
        sites += placed
    if rbp == "TOYM" and not label and re.search(MOTIF.replace("N", "."), window.sequence):
        return None
    return replace(window, sites=tuple(sites))


def _copies(rbp: str, label: int, rng: np.random.Generator) -> int:
    if rbp == "TOYM":
        return 1 + int((rng.random(2) < FURTHER_COPIES).sum())
    if rbp == "TOYU":
        return label * int(rng.random() < U_RICH_SHARE)
    return 1


def _place(
    window: Window, reach: int, taken: Sequence[Site], rng: np.random.Generator
) -> list[Site]:
    """Write one element where it fits, its middle at most `reach` bases from the centre; return its sites, or none."""
    for _ in range(TRIES):
        text, sites = _draw_element(window.rbp, window.label, rng)
        first = CENTRE - len(text) // 2 + int(rng.integers(-reach, reach + 1))
        end = first + len(text)
        fits = first >= CENTRE - REACH and end <= CENTRE + REACH + 1
        fits = fits and all(end <= s.first or s.first + len(s.sequence) <= first for s in taken)
        if fits and _write(window.gene, window.first + first, text):
            return [replace(site, first=first + site.first) for site in sites]
    return []


def _write(gene: ToyGene, first: int, text: str) -> bool:
    """Write into a gene unless that would reach the edge of a region or put a stop codon into its CDS."""
    end = first + len(text)
    if len(set(gene.regions[first - MARGIN : end + MARGIN])) != 1:
        return False
    before = gene.bases[first:end]
    gene.bases[first:end] = text
    if gene.regions[first] == "C":
        codons = range(first - int(gene.frame[first]), end, 3)
        if any("".join(gene.bases[i : i + 3]) in STOP_CODONS for i in codons):
            gene.bases[first:end] = before
            return False
    return True


def _draw_element(rbp: str, label: int, rng: np.random.Generator) -> tuple[str, list[Site]]:
    """Draw what is written at once, and the sites in it, placed from its first base."""
    if rbp == "TOYH":
        return _draw_hairpin(label, rng)
    if rbp == "TOYU":
        text = _degenerate(U_RICH, 0, U_RICH_MISMATCH, rng)
        return text, [Site("u_rich", 0, text)]
    text = _degenerate(MOTIF, 4, MOTIF_MISMATCH, rng)
    if label:
        return text, [Site("motif", 0, text)]
    text = _scrambled(text, MOTIF[:4], rng)
    return text, [Site("scrambled", 0, text)]


def _draw_hairpin(label: int, rng: np.random.Generator) -> tuple[str, list[Site]]:
    motif = LOOP_MOTIF
    left = _shuffled(ARM, rng)
    right = reverse_complement(left)
    is_open = not label and rng.random() < OPEN_SHARE
    if is_open:
        right = _unpaired(left, right, rng)
    elif not label:
        motif = _scrambled(motif, LOOP_MOTIF[1:4], rng)
    text = f"{left}{BASES[rng.integers(4)]}{motif}{BASES[rng.integers(4)]}{right}"
    loop_motif = Site("open_motif" if is_open else "loop_motif", len(left) + 1, motif)
    if is_open:
        return text, [loop_motif]
    return text, [Site("hairpin", 0, text), *([loop_motif] if label else [])]


def _degenerate(consensus: str, free: int, mismatch: float, rng: np.random.Generator) -> str:
    """Draw a site: any base for N, and as often as `mismatch` any base at one place from `free` on."""
    bases = [BASES[rng.integers(4)] if letter == "N" else letter for letter in consensus]
    if rng.random() < mismatch:
        bases[int(rng.integers(free, len(bases)))] = BASES[rng.integers(4)]
    return "".join(bases)


def _shuffled(sequence: str, rng: np.random.Generator) -> str:
    return "".join(sequence[i] for i in rng.permutation(len(sequence)))


def _scrambled(sequence: str, core: str, rng: np.random.Generator) -> str:
    """Draw another order of the letters, one without `core`."""
    while core in (other := _shuffled(sequence, rng)):
        pass
    return other


def _unpaired(left: str, right: str, rng: np.random.Generator) -> str:
    """Draw another order of the letters of `right` in which few bases face a partner in `left`."""
    while True:
        other = _shuffled(right, rng)
        facing = zip(left, reversed(other), strict=True)
        if sum(a + b in _PAIRS for a, b in facing) <= CHANCE_PAIRS:
            return other
