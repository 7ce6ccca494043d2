"""Areas under ROC and precision-recall curves, for many resamples at once."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Ranking(NamedTuple):
    """Items, best first, m of them: the row whose weight each has, whether it is positive, whether it ends a tie."""

    rows: NDArray[np.int64]
    positive: NDArray[np.bool_]
    last: NDArray[np.bool_]


def rank(
    positive: NDArray[np.bool_], scores: Floats, rows: NDArray[np.int64] | None = None
) -> Ranking:
    """Items in the order of their scores (m,), the highest first; `rows` (m,) are 0 to m - 1 by default."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    rows = order if rows is None else rows[order]
    return Ranking(rows, positive[order], np.append(ranked[1:] != ranked[:-1], True))


def areas(ranking: Ranking, weights: NDArray) -> tuple[Floats, Floats]:
    """AUROC and AUPRC, each (resamples,), for weights (resamples, n): how often each row counts.

    AUROC is the share of (positive, negative) pairs ranked rightly, a tie counting one half (Mann-Whitney). AUPRC is
    the average precision: the mean over positives of the precision at their score. NaN where a row of weights leaves
    no positive, of AUROC also where it leaves no negative.
    """
    found = np.empty((2, len(weights)))
    _compiled()(*ranking, np.ascontiguousarray(weights), *found)
    return found[0], found[1]


@cache
def _compiled() -> Callable[..., None]:
    from numba import njit  # takes half a second, and figures need none of it

    return njit(cache=True, nogil=True)(_areas)


def _areas(rows, positive, last, weights, auroc, auprc):  # pragma: no cover (compiled)
    for resample in range(len(weights)):
        w = weights[resample]
        found = 0.0
        false = 0.0
        tied_found = 0.0
        tied_false = 0.0
        area = 0.0
        precision = 0.0
        for i in range(len(rows)):
            if positive[i]:
                tied_found += w[rows[i]]
            else:
                tied_false += w[rows[i]]
            if last[i]:
                area += tied_false * (found + 0.5 * tied_found)
                found += tied_found
                false += tied_false
                if tied_found:
                    precision += tied_found * (found / (found + false))
                tied_found = 0.0
                tied_false = 0.0
        auroc[resample] = area / (found * false) if found and false else np.nan
        auprc[resample] = precision / found if found else np.nan
