"""The attention analyses of BERT-RBP (Yamada and Hamada 2022, section 2.4) from sums of attention.

Every function takes arrays over all layers and heads, or one head's values; what they were summed from is in
`attention.capture`. Layers and heads count from 0 here, from 1 in the paper: its head 7-12 is (6, 11).
"""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nucleotune.errors import InputError

#: Share of samples, those of least attention, between which probabilities are compared (section 2.4.2: "the 99.5
#: percentile").
PERCENTILE = 99.5

#: Bins of attention; the paper gives no number, the authors' program has 15 of equal width from 0 on.
BINS = 15

#: Parts into which samples are split for error bars (figures 3e and 5).
SUBSETS = 3


def relative_attention(to_class: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Equation 1: attention to [CLS] in sequences that have a property, relative to that in those without it.

    Args:
        to_class: (n, layers, heads), `AttentionSums.to_class`.
        has: bool (n,), f of each sequence.

    Returns:
        s(f) of each head, float64 (layers, heads); 1 where the property makes no difference.

    Raises:
        InputError: all sequences have the property, or none.
    """
    has = np.asarray(has, dtype=bool)
    if has.all() or not has.any():
        raise InputError(
            f"{int(has.sum())} of {len(has)} sequences have the property: relative attention needs both kinds"
        )
    return to_class[has].mean(axis=0, dtype=np.float64) / to_class[~has].mean(
        axis=0, dtype=np.float64
    )


def attention_ratio(to_property: np.ndarray, to_sequence: np.ndarray) -> np.ndarray:
    """Equation 2: the share of attention among the sequences' tokens that goes to tokens with a property.

    Sums over all sequences; those without such a token add nothing above the line. To be read beside `frequency`, which
    it equals where attention does not know the property.

    Args:
        to_property: (n, layers, heads, p), `AttentionSums.to_property`.
        to_sequence: (n, layers, heads), `AttentionSums.to_sequence`.

    Returns:
        t(g) of each head and property, float64 (layers, heads, p).
    """
    total = to_sequence.sum(axis=0, dtype=np.float64)
    return to_property.sum(axis=0, dtype=np.float64) / total[..., None]


def frequency(properties: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Share of the sequences' tokens (`content`, bool (t,)) that have each property: float64 (p,) of (t, p)."""
    return properties[content].mean(axis=0, dtype=np.float64)


def coefficient_of_variation(values: np.ndarray) -> float:
    """Standard deviation among all heads as a share of their mean: how specialised heads are (figure 3a, there in %).

    The deviation is that of all heads of the model (divided by their number), since they are all there are.
    """
    return float(np.std(values, dtype=np.float64) / np.mean(values, dtype=np.float64))


def most_specialised(values: np.ndarray) -> tuple[int, int]:
    """Layer and head of the largest of (layers, heads) values; the first of equal ones."""
    layer, head = np.unravel_index(np.argmax(values), values.shape)
    return int(layer), int(head)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two models' values over all heads (figure 4), NaN where one is the same for all."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def random_subsets(n: int, *, seed: int, subsets: int = SUBSETS) -> np.ndarray:
    """Number of the part that each of `n` samples belongs to, int64 (n,); sizes differ by at most one."""
    return np.random.default_rng(seed).permutation(np.arange(n) % subsets)


def probability_by_attention(
    attention: np.ndarray,
    has: np.ndarray,
    subset: np.ndarray,
    *,
    bins: int = BINS,
    percentile: float = PERCENTILE,
) -> pd.DataFrame:
    """How probable a property is among samples of like raw attention (figures 3e and 5).

    Samples are sequences, with attention to [CLS] in one head (`AttentionSums.to_class`), or tokens with the attention
    to them (`capture.attention_to_tokens`, without special tokens).

    Args:
        attention: raw attention in one head, (n,).
        has: bool (n,), whether the sample has the property.
        subset: part that the sample belongs to (`random_subsets`; for tokens, that of their sequence), int (n,).
        bins: of equal width, closed on the right, from 0 to the `percentile` of attention; samples above are left out.
        percentile: see `bins`.

    Returns:
        One row a bin: `begin`, `end`, `n`, `probability` of all its samples, and `mean` and `sd` (n - 1) of the
        subsets' probabilities. NaN where there is no sample; a subset without a sample in a bin is left out there.
    """
    edges = np.linspace(0, np.percentile(attention, percentile), bins + 1)
    # The upper edge is given back exactly by linspace: the sample that it was taken from belongs to the last bin.
    place = np.searchsorted(edges, attention, side="left") - 1
    kept = (place >= 0) & (place < bins)
    samples = pd.DataFrame({"bin": place, "has": has, "subset": subset})[kept]
    every = pd.RangeIndex(bins)
    whole = samples.groupby("bin")["has"].agg(["size", "mean"]).reindex(every)
    parts = samples.groupby(["bin", "subset"])["has"].mean().unstack().reindex(every)
    return pd.DataFrame(
        {
            "begin": edges[:-1],
            "end": edges[1:],
            "n": whole["size"].fillna(0).astype(int),
            "probability": whole["mean"],
            "mean": parts.mean(axis=1),
            "sd": parts.std(axis=1),
        }
    )


def spearman(table: pd.DataFrame) -> float:
    """Spearman's rank correlation of attention and probability over the bins that have samples (figure 3d).

    `table` is `probability_by_attention`'s. NaN for fewer than two such bins, or where all have one probability.
    """
    filled = table[table["n"] > 0]
    if len(filled) < 2 or filled["probability"].nunique() < 2:
        return float("nan")
    return float(spearmanr(filled["begin"], filled["probability"]).statistic)
