"""Genes of the RBP study: exons and introns whose regions differ mildly in composition, and isoforms to choose from.

A gene's own coordinates run along its sense strand from its first base; all are 0-based half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.sequence.alphabet import BASES, spelled
from nucleotune.simulate.composition import draw_codons, draw_stop, gene_codon_weights
from nucleotune.simulate.genome import Exons, Place, Span

# A, C, G and T of each region: UTRs rich in A and U, introns in U, first UTRs in G and C. `E`: exons of a transcript
# without CDS; `-`: between genes. Coding sequence (`C`) comes from codons.
COMPOSITION = {
    "5": (0.22, 0.28, 0.29, 0.21),
    "3": (0.30, 0.20, 0.21, 0.29),
    "I": (0.26, 0.20, 0.20, 0.34),
    "E": (0.28, 0.22, 0.23, 0.27),
    "-": (0.29, 0.21, 0.21, 0.29),
}
GC_SPREAD = 0.12  # of the log-odds of G or C, between genes
CPG_KEPT = 0.35  # of CpG; the others have become TpG or CpA

UTR5, UTR3, CODONS = (130, 350), (900, 1500), (280, 480)
INTRON, CODING_INTRONS = (450, 1100), (3, 6)
LNCRNA_EXON, LNCRNA_EXONS = (250, 500), (2, 5)
EXON_MARGIN = 60  # no intron closer to the ends of what it divides
# Of the longer transcript, by the region it begins or ends with.
EXTENSION = {"5": (120, 300), "3": (250, 600), "E": (100, 300)}

# Why a transcript is the one to take for its gene: shares of genes. lncRNAs have no APPRIS.
REASONS = {
    "protein_coding": {"appris": 0.45, "tsl": 0.2, "length": 0.2, "only": 0.15},
    "lncRNA": {"tsl": 0.4, "length": 0.35, "only": 0.25},
}
RETAINED_INTRON_SHARE = 0.3  # of coding genes


@dataclass(frozen=True)
class Isoform:
    """A transcript in its gene's coordinates; `cds` includes the stop codon, None for a transcript without."""

    biotype: str
    exons: Exons
    cds: Span | None
    appris: str | None
    support: str  # transcript support level, "1" to "5" or "NA"


@dataclass(eq=False)
class ToyGene:
    """A gene; `regions` and `frame` (place in the codon, -1 outside CDS) have one entry a base, as `bases`.

    `best` is the number of the isoform to take, for the reason `why`. `core` is what all isoforms to choose from share:
    their regions agree there. Number, version and place come with the layout.
    """

    biotype: str
    bases: list[str]
    regions: str
    frame: np.ndarray
    core: tuple[int, int]
    isoforms: tuple[Isoform, ...]
    best: int
    why: str
    number: int = 0
    version: int = 1
    place: Place | None = None

    @property
    def id(self) -> str:
        return f"ENSTOYG{self.number:011d}.{self.version}"

    def transcript_id(self, isoform: int) -> str:
        return f"ENSTOYT{10 * self.number + isoform:011d}.{self.version}"


def draw_region(region: str, n: int, rng: np.random.Generator) -> str:
    """Draw `n` bases of a region's composition; of CpG as many as stay have not become TpG or CpA."""
    is_gc = np.array([base in "CG" for base in BASES])
    shares = np.array(COMPOSITION[region]) * np.exp(is_gc * rng.normal(0.0, GC_SPREAD))
    codes = rng.choice(4, size=n, p=shares / shares.sum())
    a, c, g, t = range(4)
    cpg = np.flatnonzero((codes[:-1] == c) & (codes[1:] == g))
    fate = rng.random(len(cpg))
    codes[cpg[fate < (1 - CPG_KEPT) / 2]] = t
    codes[cpg[fate >= (1 + CPG_KEPT) / 2] + 1] = a
    return spelled(codes)


def coding_gene(rng: np.random.Generator) -> ToyGene:
    """Draw a protein-coding gene."""
    n_codons = int(rng.integers(*CODONS))
    cds = f"ATG{draw_codons(n_codons - 2, gene_codon_weights(rng), rng)}{draw_stop(rng)}"
    first = _draw("5", UTR5, rng)
    last = _draw("3", UTR3, rng)
    n_introns = int(rng.integers(*CODING_INTRONS))
    cuts = _cuts(len(first), len(first) + len(cds), n_introns, rng)
    if rng.random() < 0.5:
        cuts = [*_cuts(0, len(first), 1, rng), *cuts]
    spliced = first + cds + last
    letters = "5" * len(first) + "C" * len(cds) + "3" * len(last)
    return _gene("protein_coding", spliced, letters, cuts, rng)


def lncrna_gene(rng: np.random.Generator) -> ToyGene:
    """Draw a lncRNA gene."""
    exons = [_draw("E", LNCRNA_EXON, rng) for _ in range(int(rng.integers(*LNCRNA_EXONS)))]
    cuts = np.cumsum([len(exon) for exon in exons])[:-1].tolist()
    spliced = "".join(exons)
    return _gene("lncRNA", spliced, "E" * len(spliced), cuts, rng)


def _gene(
    biotype: str, spliced: str, letters: str, cuts: Sequence[int], rng: np.random.Generator
) -> ToyGene:
    """Put introns into a spliced transcript at `cuts`, extend it where there is a longer one, and annotate it."""
    reasons = REASONS[biotype]
    why = str(rng.choice(list(reasons), p=list(reasons.values())))
    before = after = ""
    if why != "only":
        before = _draw(letters[0], EXTENSION[letters[0]], rng)
        after = _draw(letters[-1], EXTENSION[letters[-1]], rng)
    pieces, regions, exons = [before], [letters[0] * len(before)], []
    length = len(before)
    for start, end in zip([0, *cuts], [*cuts, len(spliced)], strict=True):
        if start:
            intron = f"GT{_draw('I', INTRON, rng)}AG"
            pieces.append(intron)
            regions.append("I" * len(intron))
            length += len(intron)
        pieces.append(spliced[start:end])
        regions.append(letters[start:end])
        exons.append((length, length + end - start))
        length += end - start
    bases, regions = [*"".join([*pieces, after])], "".join([*regions, letters[-1] * len(after)])
    cds = (regions.index("C"), regions.rindex("C") + 1) if "C" in regions else None
    isoforms, best = _isoforms(biotype, why, exons, cds, len(bases), rng)
    if why in ("appris", "tsl"):  # of the longer transcript alone
        ends = len(before), len(bases) - len(after)
        regions = "." * ends[0] + regions[slice(*ends)] + "." * len(after)
    return ToyGene(
        biotype=biotype,
        bases=bases,
        regions=regions,
        frame=_frame(regions),
        core=(exons[0][0], exons[-1][1]),
        isoforms=isoforms,
        best=best,
        why=why,
    )


def _isoforms(
    biotype: str,
    why: str,
    exons: Sequence[tuple[int, int]],
    cds: tuple[int, int] | None,
    length: int,
    rng: np.random.Generator,
) -> tuple[tuple[Isoform, ...], int]:
    """Return the transcripts of a gene and which of them is to be taken."""
    coding = biotype == "protein_coding"
    principal = "appris_principal_1" if coding else None
    other = "appris_alternative_1" if rng.random() < 0.5 else None
    # APPRIS and support of the shorter transcript and of the longer one.
    (short_appris, short_support), (long_appris, long_support) = {
        "appris": ((principal, str(rng.choice(["2", "5", "NA"]))), (other, "1")),
        "tsl": ((principal, "1"), (principal, str(rng.choice(["2", "5", "NA"])))),
        "length": ((principal, "1"), (principal, "1")),
        "only": ((principal, str(rng.choice(["1", "3", "NA"]))), (None, "")),
    }[why]
    isoforms = [Isoform(biotype, tuple(exons), cds, short_appris, short_support)]
    if why != "only":
        longer = list(exons)
        longer[0] = (0, longer[0][1])
        longer[-1] = (longer[-1][0], length)
        isoforms.append(Isoform(biotype, tuple(longer), cds, long_appris, long_support))
    best = 1 if why == "length" else 0
    if coding and rng.random() < RETAINED_INTRON_SHARE:
        k = int(rng.integers(len(exons) - 1))
        kept = ((exons[k][0], exons[k + 1][1]),)
        isoforms.append(Isoform("retained_intron", kept, None, None, "1"))
    order = rng.permutation(len(isoforms)).tolist()
    return tuple(isoforms[i] for i in order), order.index(best)


def _frame(regions: str) -> np.ndarray:
    coding = np.frombuffer(regions.encode(), np.uint8) == ord("C")
    return np.where(coding, (np.cumsum(coding) - 1) % 3, -1)


def _cuts(start: int, end: int, n: int, rng: np.random.Generator) -> list[int]:
    """Draw `n` places for introns between `start` and `end`, one in each of as many equal parts."""
    parts = np.linspace(start, end, n + 1).astype(int)
    margin = EXON_MARGIN // 2 if n > 1 else EXON_MARGIN
    return [
        int(rng.integers(a + margin, b - margin))
        for a, b in zip(parts[:-1], parts[1:], strict=True)
    ]


def _draw(region: str, length: tuple[int, int], rng: np.random.Generator) -> str:
    return draw_region(region, int(rng.integers(*length)), rng)
