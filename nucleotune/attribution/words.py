"""What known words contribute, by their distance to the observed site: a check that asks no clustering.

A pattern of TF-MoDISco needs many alike seqlets, and a weak element beside a strong one, as the positioning element
beside the efficiency element, often makes none. Its words are in the sequences all the same. Here their nucleotides are
compared with all others of the same sequence at the same distance to the site, so that neither sequences that get high
contributions nor places that do can pass for an element.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from nucleotune.attribution.contributions import Explained
from nucleotune.attribution.motifs import by_element

#: Distances to the site (nt, negative upstream) that are looked at, and width of a window of them.
FIRST, LAST, WIDTH = -100, 60, 10


def gains_of_words(explained: Explained, motifs: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """In how many sequences the words of an element contribute more than their surroundings.

    A word of a motif has at each position a base with at least half the share of the commonest one.

    Args:
        explained: contributions; sequences without a site are left out.
        motifs: `meme.read_motifs`; those with one name up to a dot are variants of one element.

    Returns:
        One row per element and window: `element`, `begin`, `end` (nt from the site, half-open), `n` (sequences that
        have there nucleotides of its words and others), `share` of them in which the mean contribution of the words'
        nucleotides is above that of the others, `ci_low`, `ci_high` (95 %, Wilson). Windows with n = 0 are left out.
    """
    length = explained.actual.shape[1]
    distances = np.arange(length) - np.where(explained.sites < 0, np.inf, explained.sites)[:, None]
    rows = []
    for element, names in by_element(motifs).items():
        inside = covered(explained.sequences, [motifs[name] for name in names])
        for begin in range(FIRST, LAST, WIDTH):
            window = (distances >= begin) & (distances < begin + WIDTH)
            words, others = (_means(explained.actual, window & part) for part in (inside, ~inside))
            both = ~np.isnan(words) & ~np.isnan(others)
            if not both.any():
                continue
            higher = binomtest(int((words > others)[both].sum()), int(both.sum()))
            interval = higher.proportion_ci(0.95, method="wilson")
            rows.append(
                [element, begin, begin + WIDTH, higher.n, higher.statistic, *map(float, interval)]
            )
    columns = ["element", "begin", "end", "n", "share", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def covered(sequences: np.ndarray, motifs: Iterable[np.ndarray]) -> np.ndarray:
    """Nucleotides that belong to a word of any of the motifs (width, 4): bool (n, L) of one-hot (n, 4, L)."""
    n, _, length = sequences.shape
    inside = np.zeros((n, length), dtype=bool)
    for motif in motifs:
        begins = length - len(motif) + 1
        if begins < 1:
            continue
        allowed = motif >= motif.max(axis=1, keepdims=True) / 2
        there = np.ones((n, begins), dtype=bool)
        for place, bases in enumerate(allowed):
            there &= sequences[:, bases, place : place + begins].any(axis=1)
        for place in range(len(motif)):
            inside[:, place : place + begins] |= there
    return inside


def _means(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean of each row's values `where` they count, float64 (n,), NaN where none does."""
    counts = where.sum(axis=1)
    sums = (values * where).sum(axis=1, dtype=np.float64)
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)
