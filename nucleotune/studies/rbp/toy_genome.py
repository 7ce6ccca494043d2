"""A small annotated genome for the RBP study: genes laid out on chromosomes. Coordinates are 0-based half-open."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nucleotune.simulate.genome import (
    Contig,
    Place,
    at_least,
    draw_strand,
    edges,
    paste,
    pick,
    trap_count,
)
from nucleotune.studies.rbp.toy_genes import (
    LNCRNA_EXON,
    Isoform,
    ToyGene,
    coding_gene,
    draw_region,
    lncrna_gene,
)

#: Fewer genes than these leave too few on a chromosome.
MINIMUM_GENES = 30

CHROMOSOME_SHARES = {"chr1": 0.45, "chr2": 0.33, "chr3": 0.22}
LNCRNA_SHARE = 0.2
ANTISENSE_SHARE = 0.04  # of genes: another lies across a place of theirs, on the other strand
GAP = (500, 2500)  # between genes
TELOMERE = 300  # N at both ends of a chromosome

FIRST_NUMBER = 3_000_001  # of identifiers; the other toy genomes count from 1 and 1,000,001


@dataclass(frozen=True)
class Chromosome:
    """Genes in order, and the stretches between them: one more than genes, the first and last ending in N."""

    name: str
    genes: list[ToyGene]
    between: list[str]

    def sequence(self) -> str:
        """The whole chromosome, with what the genes' bases now are."""
        return paste(self.between, [("".join(g.bases), g.place.strand) for g in self.genes])

    def gap_middle(self, i: int) -> int:
        """Position in the middle of the stretch before gene `i`."""
        return self.genes[i].place.start - len(self.between[i]) // 2


def make_genome(n: int, rng: np.random.Generator) -> tuple[list[Chromosome], list[ToyGene]]:
    """Draw `n` genes on chromosomes, and a few more that lie across them on the other strand (second value).

    Raises InputError when `n` is below `MINIMUM_GENES`.
    """
    at_least("RBP study: genes", n, MINIMUM_GENES)
    n_lncrna = round(LNCRNA_SHARE * n)
    genes = [coding_gene(rng) for _ in range(n - n_lncrna)]
    genes += [lncrna_gene(rng) for _ in range(n_lncrna)]
    genes = [genes[i] for i in rng.permutation(n)]
    cuts = edges(CHROMOSOME_SHARES.values(), n)
    chromosomes = [
        _lay_out(name, genes[first:last], FIRST_NUMBER + first, rng)
        for name, (first, last) in zip(CHROMOSOME_SHARES, pairwise(cuts), strict=True)
    ]
    coding = [i for i, gene in enumerate(genes) if gene.biotype == "protein_coding"]
    hosts = pick(trap_count(ANTISENSE_SHARE, n), coding, rng)
    antisense = [
        _antisense_gene(genes[i], FIRST_NUMBER + n + k, rng) for k, i in enumerate(sorted(hosts))
    ]
    return chromosomes, antisense


def _lay_out(
    name: str, genes: Sequence[ToyGene], number: int, rng: np.random.Generator
) -> Chromosome:
    between = [draw_region("-", int(rng.integers(*GAP)), rng) for _ in range(len(genes) + 1)]
    between[0] = "N" * TELOMERE + between[0]
    between[-1] += "N" * TELOMERE
    contig = Contig(name)
    for i, gene in enumerate(genes):
        gene.number, gene.version = number + i, int(rng.integers(1, 15))
        gene.place = contig.put(len(between[i]), len(gene.bases), draw_strand(rng))
    return Chromosome(name, list(genes), between)


def _antisense_gene(host: ToyGene, number: int, rng: np.random.Generator) -> ToyGene:
    """Lay a lncRNA of one exon across a place of `host`, on the other strand; its bases are the host's."""
    length = int(rng.integers(*LNCRNA_EXON))
    offset = int(rng.integers(host.core[0], host.core[1] - length))
    return ToyGene(
        biotype="lncRNA",
        bases=["N"] * length,
        regions="E" * length,
        frame=np.full(length, -1),
        core=(0, length),
        isoforms=(Isoform("lncRNA", ((0, length),), None, None, "1"),),
        best=0,
        why="only",
        number=number,
        place=Place(host.place.contig, *host.place.of(offset, offset + length), -host.place.strand),
    )
