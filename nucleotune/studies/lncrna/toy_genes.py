"""Genes of the toy species: loci with identifiers and places on toy chromosomes.

Genes of a seq_region do not overlap, so a genome can be laid out by pasting each locus where its
gene stands (reverse complemented on strand -1). Coordinates are 0-based half-open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nucleotune.simulate.genome import (
    CHROMOSOMES,
    SCAFFOLDS,
    Contig,
    Place,
    Span,
    at_least,
    draw_strand,
    pick,
    trap_count,
)
from nucleotune.studies.lncrna.toy_loci import (
    Locus,
    Transcript,
    coding_loci,
    lncrna_loci,
    segment_loci,
    small_rna_loci,
)

#: Fewer genes than these could not hold every trap.
MINIMUM = {"coding_genes": 40, "lncrna_genes": 40, "small_rnas": 12}

# Of genes: repeated under an id of their own on an alternative haplotype, as Ensembl ships them,
# and on scaffolds.
HAPLOTYPE_SHARE = 0.04
SCAFFOLD_SHARE = 0.03

MITOCHONDRION = "MT"
HAPLOTYPE = "CHR_TSCHR2_MHC_COX_CTG1"
INTERGENIC = (300, 2500)


@dataclass(frozen=True)
class Gene:
    """A locus with identifiers (`transcript_ids` parallel to its transcripts) and a place."""

    id: str
    transcript_ids: tuple[str, ...]
    locus: Locus
    place: Place


def transcript_span(gene: Gene, transcript: Transcript) -> Span:
    """Return start and end of a transcript on the gene's seq_region."""
    return gene.place.of(transcript.exons[0][0], transcript.exons[-1][1])


def make_genes(seed: int, coding_genes: int, lncrna_genes: int, small_rnas: int) -> list[Gene]:
    """Make the genes of a toy species, ordered by seq_region and start.

    The same arguments give the same genes. `coding_genes` counts genes of biotype protein_coding,
    haplotype copies included; immunoglobulin and T cell receptor segments come on top. Raises
    InputError when a number is too small to hold every trap (`MINIMUM`).
    """
    sizes = {"coding_genes": coding_genes, "lncrna_genes": lncrna_genes, "small_rnas": small_rnas}
    for name, size in sizes.items():
        at_least(f"toy species: {name}", size, MINIMUM[name])
    rng = np.random.default_rng(seed)
    coding, coding_copies = _with_copies(coding_loci, coding_genes, rng)
    lncrna, lncrna_copies = _with_copies(lncrna_loci, lncrna_genes, rng)
    unplaced = [
        *coding,
        *lncrna,
        *segment_loci(coding_genes, rng),
        *small_rna_loci(small_rnas, rng),
    ]
    regions = [_chromosome(locus, rng) for locus in unplaced]
    for first, made in ((0, coding), (len(coding), lncrna)):
        for i in pick(trap_count(SCAFFOLD_SHARE, len(made)), range(first, first + len(made)), rng):
            regions[i] = SCAFFOLDS[int(rng.integers(len(SCAFFOLDS)))]
    copies = [*coding_copies, *lncrna_copies]
    return _place([*unplaced, *copies], [*regions, *[HAPLOTYPE] * len(copies)], rng)


def _chromosome(locus: Locus, rng: np.random.Generator) -> str:
    if locus.biotype.startswith("Mt_"):
        return MITOCHONDRION
    return CHROMOSOMES[int(rng.integers(len(CHROMOSOMES)))]


def _place(loci: Sequence[Locus], regions: Sequence[str], rng: np.random.Generator) -> list[Gene]:
    """Lay loci along their regions without overlap and number them in that order."""
    order = [*CHROMOSOMES, MITOCHONDRION, HAPLOTYPE, *SCAFFOLDS]
    contigs = {name: Contig(name) for name in order}
    shuffled = sorted(rng.permutation(len(loci)), key=lambda i: order.index(regions[i]))
    genes: list[Gene] = []
    n_transcripts = 0
    for number, i in enumerate(shuffled, start=1):
        locus, gap = loci[i], int(rng.integers(*INTERGENIC))
        numbers = range(n_transcripts + 1, n_transcripts + len(locus.transcripts) + 1)
        ids = [f"ENSTOYT{k:011d}.{rng.integers(1, 12)}" for k in numbers]
        n_transcripts += len(ids)
        place = contigs[regions[i]].put(gap, len(locus.sequence), draw_strand(rng))
        gene_id = f"ENSTOYG{number:011d}.{rng.integers(1, 15)}"
        genes.append(Gene(gene_id, tuple(ids), locus, place))
    return genes


def _with_copies(
    make_loci: Callable[[int, np.random.Generator], list[Locus]], n: int, rng: np.random.Generator
) -> tuple[list[Locus], list[Locus]]:
    """Make `n` loci in all: new ones and, in the second list, repeats of some (never the longest)."""
    n_copies = trap_count(HAPLOTYPE_SHARE, n)
    loci = make_loci(n - n_copies, rng)
    return loci, [loci[i] for i in pick(n_copies, range(1, len(loci)), rng)]
