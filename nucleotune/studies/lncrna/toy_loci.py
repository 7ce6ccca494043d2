"""Loci of the toy species: genes with exons, introns and isoforms, not yet placed anywhere.

A locus is its own strand's sequence, introns included, and transcripts are exons cut from it:
isoforms of one gene share sequence because they share exons. Exons are 0-based half-open, counted
from the locus' 5' end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from nucleotune.simulate import composition
from nucleotune.simulate.genome import Exons, pick, trap_count

# Log-normal (median nt, sigma) of the spliced main isoform. Partial and NMD transcripts shorten the
# coding side, so the medians are closer in the files: length alone gives an AUROC of about 0.57.
CODING_LENGTH = (860, 0.62)
LNCRNA_LENGTH = (640, 0.75)
LONGEST_CODING = 30_000
LONGEST_LNCRNA = 20_000
MEAN_EXON = 220

# Shares of genes. Traps are counted out, not drawn, so that a small toy species has them too (at
# least 2 of each).
SHORT_SHARE = 0.03  # under 100 nt, to be filtered
SEGMENT_SHARE = 0.015  # genes of each IG and TR segment biotype, on top of the coding genes
GAP_SHARE = 0.01  # lncRNA genes crossed by an assembly gap
# Coding-sized ORFs in lncRNAs: together with partial CDS they hold ORF length alone at an AUROC of
# 0.80-0.92.
DECOY_SHARE = 0.16
DECOY_FRACTION = (0.35, 0.9)  # of the transcript

ISOFORM_SHARES = {1: 0.2, 2: 0.3, 3: 0.27, 4: 0.23}
LNCRNA_ISOFORM_SHARES = {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1}
FIRST_ISOFORM_KINDS = {
    "complete": 0.80,
    "start_not_found": 0.08,
    "end_not_found": 0.08,
    "n_padded": 0.04,
}
OTHER_ISOFORM_KINDS = {
    "exon_skip": 0.34,
    "alternative_end": 0.22,
    "nmd": 0.14,
    "end_not_found": 0.12,
    "start_not_found": 0.08,
    "n_padded": 0.10,
}
LNCRNA_ISOFORM_KINDS = {
    "exon_skip": 0.35,
    "alternative_end": 0.20,
    "alternative_start": 0.20,
    "retained_intron": 0.15,
    "processed_transcript": 0.10,
}
FRAME_SHIFTS = (4, 5, 7, 8)  # bases between two splice sites of an exon, no multiple of 3
PARTIAL_LOSS = (0.1, 0.65)  # share of a CDS missing when its start or end was not found

SEGMENT_LENGTHS = {"TR_D_gene": (8, 16), "TR_V_gene": (270, 350), "IG_V_gene": (280, 360)}
SMALL_RNA_LENGTHS = {
    "miRNA": (60, 112),
    "snRNA": (100, 192),
    "snoRNA": (68, 140),
    "misc_RNA": (90, 320),
    "rRNA": (112, 124),
    "Mt_tRNA": (64, 76),
}

_NOUNS = (
    "kinase",
    "zinc finger protein",
    "solute carrier",
    "receptor",
    "ligase",
    "homeobox protein",
)
_QUALIFIERS = (
    "alpha subunit",
    "type II: regulatory",
    "(putative) [fragment]",
    "H+-coupled, 5'-specific",
    "like",
)


@dataclass(frozen=True)
class Transcript:
    """Exons of a locus; `padding` N complete the first codon of a CDS cut inside a codon."""

    biotype: str
    exons: Exons
    padding: int = 0


@dataclass(frozen=True)
class Locus:
    """What is transcribed: sense strand, from the first to the last exon of any transcript."""

    biotype: str
    sequence: str
    transcripts: tuple[Transcript, ...]
    symbol: str | None = None
    description: str | None = None
    decoy_orf: bool = False


def transcript_sequence(locus: Locus, transcript: Transcript) -> str:
    """Return the spliced sequence as Ensembl gives it, N padding of a partial CDS included."""
    return "N" * transcript.padding + _splice(locus.sequence, transcript.exons)


def coding_loci(n: int, rng: np.random.Generator) -> list[Locus]:
    """Make `n` protein-coding loci, the longest first; exons are CDS only, without UTRs."""
    lengths = _lengths(n, CODING_LENGTH, LONGEST_CODING, rng)
    n_isoforms = [1, *_deal(ISOFORM_SHARES, n - 1, rng)]
    first_kinds = ["complete", *_deal(FIRST_ISOFORM_KINDS, n - 1, rng)]
    other_kinds = _deal(OTHER_ISOFORM_KINDS, sum(n_isoforms) - n, rng)
    loci = []
    for length, count, first in zip(lengths, n_isoforms, first_kinds, strict=True):
        others, other_kinds = other_kinds[: count - 1], other_kinds[count - 1 :]
        loci.append(_coding_locus(length // 3, [first, *others], len(loci), rng))
    return loci


def _coding_locus(
    n_codons: int, kinds: Sequence[str], number: int, rng: np.random.Generator
) -> Locus:
    weights = composition.gene_codon_weights(rng)
    stop = composition.draw_stop(rng)
    cds = "ATG" + composition.draw_codons(n_codons - 2, weights, rng) + stop
    bounds = _exon_bounds(len(cds), rng)
    # The alternative last exon lies downstream and goes on from the same split codon.
    into = bounds[-2]
    split = cds[into : into + -into % 3]
    alternative = split + composition.draw_codons(int(rng.integers(15, 80)), weights, rng) + stop
    sequence, exons = _assemble(cds + alternative, [*bounds, len(cds) + len(alternative)], rng)
    main, last = exons[:-1], exons[-1]
    transcripts = tuple(_coding_transcript(sequence, main, last, kind, rng) for kind in kinds)
    symbol = f"TOY{number + 1}" if number % 7 else None
    return _locus("protein_coding", sequence, transcripts, symbol, rng)


def _coding_transcript(
    sequence: str, main: Exons, alternative_last: Exons, kind: str, rng: np.random.Generator
) -> Transcript:
    length = sum(end - start for start, end in main)
    loss = int(length * rng.uniform(*PARTIAL_LOSS))
    if kind == "complete":
        return Transcript("protein_coding", main)
    if kind == "start_not_found":
        return Transcript("protein_coding", _tail(main, loss - loss % 3))
    if kind == "n_padded":
        phase = int(rng.integers(1, 3))
        return Transcript("protein_coding", _tail(main, loss - loss % 3 + phase), padding=phase)
    if kind == "end_not_found" or len(main) == 1:
        return Transcript("protein_coding", _head(main, length - loss))
    if kind == "exon_skip":
        for i in rng.permutation(np.arange(1, len(main) - 1)):
            exons = main[:i] + main[i + 1 :]
            spliced = _splice(sequence, exons)
            if composition.first_stop(spliced) == len(spliced) - 3:
                return Transcript("protein_coding", exons)
    if kind == "nmd":
        # A splice site a few bases on shifts the frame into a premature stop, where the CDS ends.
        for i in rng.permutation(np.arange(1, len(main))):
            shift = int(rng.choice(FRAME_SHIFTS))
            exons = (*main[:i], (main[i][0] + shift, main[i][1]), *main[i + 1 :])
            stop = composition.first_stop(_splice(sequence, exons))
            if 0 < stop < length - shift - 3:
                return Transcript("nonsense_mediated_decay", _head(exons, stop + 3))
    return Transcript("protein_coding", (*main[:-1], alternative_last))


def lncrna_loci(n: int, rng: np.random.Generator) -> list[Locus]:
    """Make `n` lncRNA loci, the longest first."""
    lengths = _lengths(n, LNCRNA_LENGTH, LONGEST_LNCRNA, rng)
    n_isoforms = [1, *_deal(LNCRNA_ISOFORM_SHARES, n - 1, rng)]
    kinds = _deal(LNCRNA_ISOFORM_KINDS, sum(n_isoforms) - n, rng)
    long_enough = [i for i in range(1, n) if lengths[i] >= 250]
    decoys = set(pick(trap_count(DECOY_SHARE, n), long_enough, rng))
    gaps = set(pick(trap_count(GAP_SHARE, n), long_enough, rng))
    loci = []
    for i, (length, count) in enumerate(zip(lengths, n_isoforms, strict=True)):
        others, kinds = kinds[: count - 1], kinds[count - 1 :]
        loci.append(_lncrna_locus(length, others, i in decoys, i in gaps, i, rng))
    return loci


def _lncrna_locus(
    length: int, kinds: Sequence[str], decoy: bool, gap: bool, number: int, rng: np.random.Generator
) -> Locus:
    chain = composition.gene_background(rng)
    spliced = composition.draw_background(length, chain, rng)
    if decoy:
        n_codons = int(length * rng.uniform(*DECOY_FRACTION)) // 3
        start = int(rng.integers(0, length - 3 * n_codons + 1))
        spliced = composition.plant_open_frame(spliced, start, n_codons, rng)
    if gap:
        size = int(rng.integers(20, 50))
        start = int(rng.integers(0, length - size))
        spliced = spliced[:start] + "N" * size + spliced[start + size :]
    sequence, main = _assemble(spliced, _exon_bounds(length, rng), rng)
    others = [_lncrna_transcript(main, kind, rng) for kind in kinds]
    symbol = f"LINC{number + 1:05d}" if rng.random() < 0.35 else None
    return _locus("lncRNA", sequence, (Transcript("lncRNA", main), *others), symbol, rng, decoy)


def _lncrna_transcript(main: Exons, kind: str, rng: np.random.Generator) -> Transcript:
    length = sum(end - start for start, end in main)
    kept = int(length * rng.uniform(0.45, 0.9))
    if kind == "processed_transcript":
        return Transcript("processed_transcript", _tail(main, length - kept))
    if kind == "retained_intron" and len(main) > 1:
        i = int(rng.integers(0, len(main) - 1))
        retained = (main[i][0], main[i + 1][1])
        return Transcript("retained_intron", (*main[:i], retained, *main[i + 2 :]))
    if kind == "exon_skip" and len(main) > 2:
        i = int(rng.integers(1, len(main) - 1))
        return Transcript("lncRNA", main[:i] + main[i + 1 :])
    exons = _tail(main, length - kept) if kind == "alternative_start" else _head(main, kept)
    return Transcript("lncRNA", exons)


def segment_loci(coding_genes: int, rng: np.random.Generator) -> list[Locus]:
    """V segments are codons from ATG without a stop; D segments are too short for any structure."""
    loci = []
    for biotype, (low, high) in SEGMENT_LENGTHS.items():
        for number in range(1, trap_count(SEGMENT_SHARE, coding_genes) + 1):
            length = int(rng.integers(low, high + 1))
            weights = composition.gene_codon_weights(rng)
            sequence = ("ATG" + composition.draw_codons(length // 3, weights, rng))[:length]
            if biotype == "TR_D_gene":
                chain = composition.gene_background(rng)
                sequence = composition.draw_background(length, chain, rng)
            symbol = f"{biotype.removesuffix('_gene').replace('_', '')}{number}"
            transcript = Transcript(biotype, ((0, length),))
            loci.append(_locus(biotype, sequence, (transcript,), symbol, rng))
    return loci


def small_rna_loci(n: int, rng: np.random.Generator) -> list[Locus]:
    """Make `n` small RNA loci, the biotypes of `SMALL_RNA_LENGTHS` in turn."""
    biotypes = list(SMALL_RNA_LENGTHS)
    loci = []
    for i in range(n):
        biotype = biotypes[i % len(biotypes)]
        low, high = SMALL_RNA_LENGTHS[biotype]
        length = int(rng.integers(low, high + 1))
        sequence = composition.draw_background(length, composition.gene_background(rng), rng)
        symbol = f"{biotype.upper()}{i + 1}" if rng.random() < 0.7 else None
        transcript = Transcript(biotype, ((0, length),))
        loci.append(_locus(biotype, sequence, (transcript,), symbol, rng))
    return loci


def _locus(
    biotype: str,
    sequence: str,
    transcripts: tuple[Transcript, ...],
    symbol: str | None,
    rng: np.random.Generator,
    decoy_orf: bool = False,
) -> Locus:
    """Cut the sequence to what is transcribed; describe most named genes and a few unnamed ones."""
    description = None
    if rng.random() < (0.9 if symbol else 0.1):
        accession = rng.integers(1, 99999)
        words = f"{rng.choice(_NOUNS)} {rng.choice(_QUALIFIERS)}"
        description = f"{words} [Source:TOY Symbol;Acc:TOY:{accession}]"
    first = min(transcript.exons[0][0] for transcript in transcripts)
    last = max(transcript.exons[-1][1] for transcript in transcripts)
    shifted = tuple(
        replace(transcript, exons=tuple((a - first, b - first) for a, b in transcript.exons))
        for transcript in transcripts
    )
    return Locus(biotype, sequence[first:last], shifted, symbol, description, decoy_orf)


def _assemble(exonic: str, bounds: Sequence[int], rng: np.random.Generator) -> tuple[str, Exons]:
    """Cut `exonic` at `bounds` and put introns (GT...AG) between the pieces."""
    chain = composition.gene_background(rng)
    sequence, exons = "", []
    for start, end in zip(bounds, bounds[1:], strict=False):
        if exons:
            inner = composition.draw_background(int(rng.integers(60, 300)), chain, rng)
            sequence += f"GT{inner}AG"
        exons.append((len(sequence), len(sequence) + end - start))
        sequence += exonic[start:end]
    return sequence, tuple(exons)


def _exon_bounds(length: int, rng: np.random.Generator) -> list[int]:
    """Return 0, exon ends and `length`.

    Most inner exons have a multiple of 3 bases: they can be skipped without a shift of frame.
    """
    n_exons = max(1, min(length // 60, 1 + int(rng.poisson(length / MEAN_EXON))))
    cuts = sorted(pick(n_exons - 1, range(1, max(2, length // 30)), rng))
    phase = int(rng.integers(3))
    bounds = [0]
    for cut in cuts:
        phase = phase if rng.random() < 0.7 else int(rng.integers(3))
        bounds.append(30 * cut + phase)
    return [*bounds, length]


def _lengths(n: int, shape: tuple[int, float], longest: int, rng: np.random.Generator) -> list[int]:
    """Return `n` lengths: the longest, some of 60-96 nt, then the log-normal's quantiles shuffled.

    Quantiles instead of draws: few genes would otherwise differ in length by chance of the seed.
    """
    n_short = trap_count(SHORT_SHARE, n)
    n_usual = n - 1 - n_short
    normal = NormalDist(np.log(shape[0]), shape[1])
    usual = np.exp([normal.inv_cdf((i + 0.5) / n_usual) for i in rng.permutation(n_usual)])
    return [longest, *rng.integers(60, 97, size=n_short).tolist(), *usual.astype(int).tolist()]


def _deal(shares: dict, n: int, rng: np.random.Generator) -> list:
    """Return `n` keys in random order, each as often as its share says."""
    edges = np.rint(np.cumsum(list(shares.values())) * n).astype(int)
    keys = list(shares)
    dealt = np.searchsorted(edges, np.arange(n), side="right")
    return [keys[i] for i in rng.permutation(dealt)]


def _splice(sequence: str, exons: Exons) -> str:
    return "".join(sequence[start:end] for start, end in exons)


def _head(exons: Exons, n: int) -> Exons:
    """Keep the first `n` spliced bases."""
    kept = []
    for start, end in exons:
        if n <= 0:
            break
        kept.append((start, min(end, start + n)))
        n -= end - start
    return tuple(kept)


def _tail(exons: Exons, dropped: int) -> Exons:
    """Leave out the first `dropped` spliced bases."""
    kept = []
    for start, end in exons:
        if dropped < end - start:
            kept.append((start + max(dropped, 0), end))
        dropped -= end - start
    return tuple(kept)
