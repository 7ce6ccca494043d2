"""The kit of the toy genomes: where genes lie on contigs, and the draws that all of them make.

A gene is made as its sense strand, and its exons are counted from that strand's first base; its `Place` says where that
is on a contig. Coordinates are 0-based half-open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import reverse_complement

Span = tuple[int, int]
Exons = tuple[Span, ...]

#: Contigs that the toy species' genomes share.
CHROMOSOMES = ("1", "2", "3", "X")
SCAFFOLDS = ("KI270728.1", "KI270734.1")


@dataclass(frozen=True)
class Place:
    """Where the sense strand of a gene lies; strand 1 or -1."""

    contig: str
    start: int
    end: int
    strand: int

    @property
    def size(self) -> int:
        """Bases, introns included."""
        return self.end - self.start

    @property
    def side(self) -> tuple[str, int]:
        """What it shares with genes of the same direction: contig and strand."""
        return self.contig, self.strand

    @property
    def sign(self) -> str:
        """Its strand as files write it."""
        return "+" if self.strand == 1 else "-"

    @property
    def first(self) -> int:
        """Its first base in the direction of the gene."""
        return self.start if self.strand == 1 else self.end - 1

    def of(self, start: int, end: int) -> Span:
        """Where a stretch of the sense strand lies."""
        if self.strand == 1:
            return self.start + start, self.start + end
        return self.end - end, self.end - start

    def row(self, source: str, feature: str, span: Span, text: str, phase: object = ".") -> str:
        """A line of GTF or GFF3 on a stretch of the sense strand, with the attributes `text`."""
        start, end = self.of(*span)
        place = f"{self.contig}\t{source}\t{feature}\t{start + 1}\t{end}"
        return f"{place}\t.\t{self.sign}\t{phase}\t{text}"


@dataclass
class Contig:
    """A contig that genes are laid along, one behind the other."""

    name: str
    length: int = 0

    def put(self, gap: int, size: int, strand: int) -> Place:
        """The place of a gene of `size` bases, `gap` bases behind what was put before."""
        start = self.length + gap
        self.length = start + size
        return Place(self.name, start, self.length, strand)


def parts(exons: Exons, cds: Span | None) -> list[tuple[str, Span, int, str]]:
    """What a transcript has below it, as GTF has it: feature, span, number of its exon, phase; UTRs last.

    `cds` includes the stop codon, which in GTF belongs to the UTR; None for a transcript without.
    """
    found, utrs, done = [], [], 0
    for number, (start, end) in enumerate(exons, start=1):
        found.append(("exon", (start, end), number, "."))
        if cds is None:
            continue
        first, stop = cds[0], cds[1] - 3
        coding = max(start, first), min(end, stop)
        if coding[0] < coding[1]:
            found.append(("CDS", coding, number, str(-done % 3)))
            done += coding[1] - coding[0]
        for feature, codon in (("start_codon", first), ("stop_codon", stop)):
            if start <= codon < end:
                found.append((feature, (codon, codon + 3), number, "0"))
        untranslated = (start, min(end, first)), (max(start, stop), end)
        utrs += [("UTR", (a, b), number, ".") for a, b in untranslated if a < b]
    return found + utrs


def paste(between: Sequence[str], genes: Iterable[tuple[str, int]]) -> str:
    """A contig's sequence: genes (sense strand, strand), and the stretches between them, one more than genes."""
    pieces = [between[0]]
    for (sense, strand), stretch in zip(genes, between[1:], strict=True):
        pieces += [sense if strand == 1 else reverse_complement(sense), stretch]
    return "".join(pieces)


def draw_strand(rng: np.random.Generator) -> int:
    """Draw 1 or -1."""
    return 1 if rng.random() < 0.5 else -1


def pick(n: int, candidates: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Draw `n` different candidates."""
    return rng.choice(np.asarray(candidates), size=n, replace=False).tolist()


def trap_count(share: float, n: int) -> int:
    """Return how many of `n` genes carry a trap of the given share, at least 2."""
    return max(2, round(share * n))


def edges(shares: Iterable[float], n: int) -> list[int]:
    """Where to cut `n` things, so that each part has its share: 0, ..., n."""
    return np.rint(np.cumsum([0, *shares]) * n).astype(int).tolist()


def at_least(what: str, n: int, least: int) -> None:
    """Raise InputError where `n` of `what` are fewer than a toy needs."""
    if n < least:
        raise InputError(f"{what} is {n}; give at least {least}")
