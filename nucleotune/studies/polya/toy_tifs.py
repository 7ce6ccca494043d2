"""TIF-seq of the toy yeast: pairs of a message's first and last base, with the reads that saw them."""

from collections.abc import Mapping, Sequence

import numpy as np

from nucleotune.studies.polya.toy_genes import CONDITIONS, STOP, WINDOW
from nucleotune.studies.polya.toy_yeast import CHROMOSOMES, YeastGene

#: Libraries in the order of the columns, three a condition, by turns.
LIBRARIES = ("ypd", "gal", "lypd", "lgal", "nypd", "ngal")
LIBRARY_SHARES = (0.5, 0.2, 0.3)  # of a condition's reads

# Reads of a gene: log-normal, the logarithm's mean growing with that of its sites' strength.
READS, SITES_EXPONENT, READS_SIGMA = 240, 1.3, 0.6
GALACTOSE, GALACTOSE_SIGMA = 0.8, 0.4
# Genes without reads: in neither condition, without glucose alone, without galactose alone.
SILENT, NO_GLUCOSE, NO_GALACTOSE = 0.02, 0.01, 0.02

STARTS, FIRST_START, START_SPREAD = 4, (18, 75), 12  # bases before ATG
INNER_STARTS, INNER_START_SHARE = 3, 0.06  # messages that begin inside the ORF
INNER_ENDS, INNER_END_SHARE = 3, 0.03  # and those that end there
READTHROUGH_SHARE = 0.015  # end behind the next gene of the same strand, where that follows

# Messages from elsewhere, as shares of the genes: antisense to an ORF, or between genes.
ANTISENSE, INTERGENIC, ELSEWHERE_LENGTH = 0.10, 0.05, (80, 300)

#: chromosome (1-16), strand (1 or -1), t5, t3 (1-based), then the reads of each library.
KEYS = 4


def draw_tifs(
    genes: Sequence[YeastGene], lengths: Mapping[str, int], rng: np.random.Generator
) -> np.ndarray:
    """Draw all messages, int64 (rows, 4 + 6): see `KEYS` and `LIBRARIES`. Rows are sorted, each pair of ends once.

    t5 is the first base and t3 the last before the tail, so t5 > t3 on the reverse strand; lengths: of chromosomes.
    """
    numbers = {name: i for i, name in enumerate(CHROMOSOMES, start=1)}
    nuclear = [gene for gene in genes if gene.place.contig in numbers]
    drawn = []
    for gene, following in zip(nuclear, _following(nuclear), strict=True):
        if gene.signal and gene.signal.sites:
            drawn.append(_of_gene(gene, following, numbers[gene.place.contig], rng))
    drawn.append(_from_elsewhere(nuclear, lengths, numbers, rng))
    return _merged(np.concatenate(drawn))


def tif_types(rows: np.ndarray, genes: Sequence[YeastGene]) -> list[tuple[str, str]]:
    """Return what each row covers, as (type, name of the ORF or NA), by the ORFs of its strand."""
    types: list[tuple[str, str]] = [("", "NA")] * len(rows)
    for number, chromosome in enumerate(CHROMOSOMES, start=1):
        for strand in (1, -1):
            orfs = [g for g in genes if g.signal and g.place.side == (chromosome, strand)]
            others = [g for g in genes if g.signal and g.place.side == (chromosome, -strand)]
            chosen = np.flatnonzero((rows[:, 0] == number) & (rows[:, 1] == strand))
            low = rows[chosen, 2:KEYS].min(axis=1) - 1
            high = rows[chosen, 2:KEYS].max(axis=1)
            touched = _within(orfs, low, high)
            opposite = _within(others, low, high)
            for row, a, b, first, last, across in zip(
                chosen.tolist(), low.tolist(), high.tolist(), *touched, opposite[1] > opposite[0],
                strict=True,
            ):  # fmt: skip
                types[row] = _type(a, b, orfs[first:last], bool(across))
    return types


def _of_gene(
    gene: YeastGene, following: YeastGene | None, number: int, rng: np.random.Generator
) -> np.ndarray:
    place, size = gene.place, gene.place.size
    # Bases from the first of ATG on, in the direction of the gene.
    first = -int(rng.integers(*FIRST_START)) + rng.integers(-START_SPREAD, START_SPREAD, STARTS)
    starts = np.concatenate([first, rng.integers(size // 2, size - 30, INNER_STARTS)])
    start_shares = np.concatenate(
        [
            (1 - INNER_START_SHARE) * rng.dirichlet(np.ones(STARTS)),
            np.full(INNER_STARTS, INNER_START_SHARE / INNER_STARTS),
        ]
    )
    inner = rng.integers(size // 5, size // 2, INNER_ENDS)
    window = size - 3 + np.arange(WINDOW)
    beyond = np.array([], dtype=int)
    if following:
        behind = abs(following.place.first - place.first)
        beyond = behind + following.place.size - STOP + np.arange(WINDOW)
    ends = np.concatenate([window, inner, beyond])
    reads = _reads(gene, rng)
    cells = []
    for condition, n in zip(CONDITIONS, reads, strict=True):
        further = READTHROUGH_SHARE if following else 0.0
        shares = [
            (1 - INNER_END_SHARE - further) * gene.signal.profile(condition),
            np.full(INNER_ENDS, INNER_END_SHARE / INNER_ENDS),
        ]
        if following:
            shares.append(further * following.signal.profile(condition))
        joint = np.outer(start_shares, np.concatenate(shares))
        joint[starts[:, None] >= ends] = 0.0
        cells.append(rng.multinomial(n, (joint / joint.sum()).ravel()))
    seen = np.flatnonzero(cells[0] + cells[1])
    t5 = place.first + place.strand * starts[seen // len(ends)] + 1
    t3 = place.first + place.strand * ends[seen % len(ends)] + 1
    keys = np.column_stack([np.full(len(seen), number), np.full(len(seen), place.strand), t5, t3])
    return np.hstack([keys, _by_library([cell[seen] for cell in cells], rng)])


def _reads(gene: YeastGene, rng: np.random.Generator) -> tuple[int, int]:
    """Draw a gene's reads in glucose and in galactose."""
    strength = sum(gene.signal.strength(site, "glucose") for site in gene.signal.sites)
    glucose = READS * strength**SITES_EXPONENT * np.exp(rng.normal(0.0, READS_SIGMA))
    galactose = GALACTOSE * glucose * np.exp(rng.normal(0.0, GALACTOSE_SIGMA))
    on = rng.random()
    if on < SILENT + NO_GLUCOSE:
        glucose = 0.0
    if on < SILENT or 0 <= on - SILENT - NO_GLUCOSE < NO_GALACTOSE:
        galactose = 0.0
    return int(rng.poisson(glucose)), int(rng.poisson(galactose))


def _from_elsewhere(
    genes: Sequence[YeastGene],
    lengths: Mapping[str, int],
    numbers: Mapping[str, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw messages antisense to ORFs, and messages behind the starts of genes, which lead away from them."""
    rows = []
    for share, antisense in ((ANTISENSE, True), (INTERGENIC, False)):
        for i in rng.choice(len(genes), size=round(share * len(genes)), replace=False):
            place, strand = genes[i].place, -genes[i].place.strand
            length = int(rng.integers(*ELSEWHERE_LENGTH))
            inside = place.size // 2 if antisense else -int(rng.integers(10, 60))
            t5 = place.first + place.strand * inside
            t3 = t5 + strand * (length - 1)
            if 0 <= t3 < lengths[place.contig]:
                rows.append([numbers[place.contig], strand, t5 + 1, t3 + 1])
    reads = [1 + rng.poisson(1.0, len(rows)) for _ in CONDITIONS]
    return np.hstack([np.array(rows).reshape(-1, KEYS), _by_library(reads, rng)])


def _by_library(reads: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Deal the reads of both conditions out to the libraries, (n, 6)."""
    dealt = [rng.multinomial(n, LIBRARY_SHARES) for n in reads]
    return np.stack(dealt, axis=2).reshape(len(reads[0]), len(LIBRARIES))


def _merged(rows: np.ndarray) -> np.ndarray:
    keys, row = np.unique(rows[:, :KEYS], axis=0, return_inverse=True)
    reads = np.zeros((len(keys), len(LIBRARIES)), dtype=np.int64)
    np.add.at(reads, row.ravel(), rows[:, KEYS:])
    return np.hstack([keys, reads])


def _following(genes: Sequence[YeastGene]) -> list[YeastGene | None]:
    """Return, for each gene, the next one downstream where that is a coding gene with sites on the same strand."""
    found = []
    for i, gene in enumerate(genes):
        j = i + gene.place.strand
        other = genes[j] if 0 <= j < len(genes) else None
        same = other and other.place.side == gene.place.side
        found.append(other if same and other.signal and other.signal.sites else None)
    return found


def _within(
    orfs: Sequence[YeastGene], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and behind the last of the ORFs, ascending and apart, that each [low, high) touches."""
    first = np.searchsorted([orf.place.end for orf in orfs], low, "right")
    last = np.searchsorted([orf.place.start for orf in orfs], high, "left")
    return first, last


def _type(low: int, high: int, orfs: Sequence[YeastGene], across: bool) -> tuple[str, str]:
    intact = [orf for orf in orfs if low <= orf.place.start and orf.place.end <= high]
    if len(intact) == 1:
        return "Covering one intact ORF", intact[0].id
    if intact:
        return "Covering >=2 ORFs", "NA"
    if len(orfs) > 1:
        return "Overlap >=2 ORFs", "NA"
    if orfs:
        place = orfs[0].place
        begins = low <= place.start if place.strand == 1 else place.end <= high
        return f"Overlap {5 if begins else 3}' of one ORF", orfs[0].id
    return ("SUTs", "NA") if across else ("Intergenic transcripts", "NA")
