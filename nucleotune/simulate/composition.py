"""What toy sequences are made of: vertebrate-like codons, and a background without frame."""

from functools import cache
from itertools import product

import numpy as np

from nucleotune.sequence.alphabet import BASES

STOP_CODONS = ("TAA", "TAG", "TGA")

# Codons per thousand, rounded figures typical of a vertebrate: the amino-acid frequencies and the
# preference for G or C in the third position come with them. Rows: first and second base; columns:
# third base A, C, G, T.
_USAGE_PER_MILLE = """
    AA 24 19 32 17   AC 15 19  6 13   AG 12 20 12 12   AT  8 21 22 16
    CA 12 15 34 11   CC 17 20  7 18   CG  6 10 11  5   CT  7 20 40 13
    GA 29 25 40 22   GC 16 28  7 18   GG 17 22 17 11   GT  7 15 28 11
    TA  1 15  1 12   TC 12 18  4 15   TG  2 13 13 11   TT  8 20 13 18
"""
CODONS = tuple("".join(codon) for codon in product(BASES, repeat=3))

# How much of the coding 3-mer, 2-mer and 1-mer statistics the background keeps: the more, the less
# there is to learn from composition. Set so that 3-mer frequencies over all frames separate the
# classes at an AUROC of about 0.95; the spread between genes makes some lncRNAs harder than others.
TRIMER_WEIGHT_MEAN = 0.1
TRIMER_WEIGHT_SPREAD = 0.1
DIMER_SHARE_OF_REST = 0.12

# Isochores: log-odds of G or C, drawn once a gene. The spread is wider than the distance of the
# class means, so that GC alone tells little (AUROC about 0.6).
BACKGROUND_GC_SHIFT = -0.08
BACKGROUND_GC_SPREAD = 0.25
THIRD_BASE_GC_SPREAD = 0.3

# Strength of codon bias between genes (exponent of the usage table) and of protein-specific
# amino-acid content (gamma shape: small = idiosyncratic proteins). Both keep coding genes from
# being all alike.
CODON_BIAS_RANGE = (0.7, 1.1)
CODON_GAMMA_SHAPE = 25.0


@cache
def codon_usage() -> np.ndarray:
    """Return the usage of the 64 codons in the order of `CODONS`, stops included, summing to 1."""
    fields = _USAGE_PER_MILLE.split()
    rows = {fields[i]: fields[i + 1 : i + 5] for i in range(0, len(fields), 5)}
    usage = np.array([float(rows[codon[:2]][BASES.index(codon[2])]) for codon in CODONS])
    return usage / usage.sum()


@cache
def pooled_trimers() -> np.ndarray:
    """Return the 3-mer frequencies of coding sequence, shape (4, 4, 4): mean of its three frames.

    Exact for independent codons drawn from `codon_usage`.
    """
    usage = codon_usage().reshape(4, 4, 4)
    first, third = usage.sum(axis=(1, 2)), usage.sum(axis=(0, 1))
    frame1 = usage.sum(axis=0)[:, :, None] * first
    frame2 = third[:, None, None] * usage.sum(axis=2)
    return (usage + frame1 + frame2) / 3


def gene_codon_weights(rng: np.random.Generator) -> np.ndarray:
    """Draw the sense-codon probabilities of one gene, shape (64,), zero for stops."""
    gc_third = np.array([codon[2] in "CG" for codon in CODONS])
    weights = codon_usage() ** rng.uniform(*CODON_BIAS_RANGE)
    weights *= np.exp(gc_third * rng.normal(0.0, THIRD_BASE_GC_SPREAD))
    weights *= rng.gamma(CODON_GAMMA_SHAPE, size=64)
    weights[[CODONS.index(stop) for stop in STOP_CODONS]] = 0.0
    return weights / weights.sum()


def draw_codons(n: int, weights: np.ndarray, rng: np.random.Generator) -> str:
    """Draw `n` independent codons."""
    return "".join(CODONS[i] for i in rng.choice(64, size=n, p=weights))


def draw_stop(rng: np.random.Generator) -> str:
    """Draw one of the three stop codons."""
    return STOP_CODONS[int(rng.integers(3))]


def gene_background(rng: np.random.Generator) -> np.ndarray:
    """Draw one gene's non-coding chain, cumulative P(next base | last two), shape (16, 4).

    An interpolated Markov chain over the pooled coding statistics: base composition is the coding
    one, 2-mer composition partly, 3-mer composition less, and nothing depends on a reading frame.
    """
    trimers = pooled_trimers()
    dimers = trimers.sum(axis=0)
    order2 = trimers / trimers.sum(axis=2, keepdims=True)
    order1 = np.broadcast_to(dimers / dimers.sum(axis=1, keepdims=True), (4, 4, 4))
    order0 = np.broadcast_to(dimers.sum(axis=0), (4, 4, 4))
    weight = float(np.clip(rng.normal(TRIMER_WEIGHT_MEAN, TRIMER_WEIGHT_SPREAD), 0.0, 1.0))
    rest = DIMER_SHARE_OF_REST * order1 + (1 - DIMER_SHARE_OF_REST) * order0
    chain = weight * order2 + (1 - weight) * rest
    is_gc = np.array([base in "CG" for base in BASES])
    chain = chain * np.exp(is_gc * rng.normal(BACKGROUND_GC_SHIFT, BACKGROUND_GC_SPREAD))
    return np.cumsum(chain / chain.sum(axis=2, keepdims=True), axis=2).reshape(16, 4)


def draw_background(n: int, chain: np.ndarray, rng: np.random.Generator) -> str:
    """Draw `n` bases from a chain of `gene_background`."""
    thresholds = chain[:, :3].tolist()
    state, bases = int(rng.integers(16)), []
    for u in rng.random(n).tolist():
        a, c, g = thresholds[state]
        base = 0 if u < a else 1 if u < c else 2 if u < g else 3
        bases.append(BASES[base])
        state = (state * 4 + base) % 16
    return "".join(bases)


def first_stop(sequence: str) -> int:
    """Return the start of the first in-frame (frame 0) stop codon, or -1."""
    for i in range(0, len(sequence) - 2, 3):
        if sequence[i : i + 3] in STOP_CODONS:
            return i
    return -1


def plant_open_frame(sequence: str, start: int, n_codons: int, rng: np.random.Generator) -> str:
    """Return `sequence` with an ORF of `n_codons` (ATG, stop included) at `start`.

    Only the stops in the way are replaced, each by its reverse (a sense codon), so the stretch is
    as long as a coding ORF yet keeps the non-coding composition.
    """
    stretch = list(sequence[start : start + 3 * n_codons])
    stretch[:3] = "ATG"
    for i in range(3, len(stretch), 3):
        if "".join(stretch[i : i + 3]) in STOP_CODONS:
            stretch[i : i + 3] = reversed(stretch[i : i + 3])
    stretch[-3:] = draw_stop(rng)
    return sequence[:start] + "".join(stretch) + sequence[start + 3 * n_codons :]
