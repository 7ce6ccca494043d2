"""The metrics of predicted numbers, for one sample or many resamples at once.

pearson, spearman   correlation of predicted and true numbers; 0 where all predicted ones are the same
r2                  1 - sum of squared errors / sum of squared distances of the true numbers from their mean
rmse                root of the mean squared error, in the unit of the target

Parts are the targets, each judged on the examples of which it is known; the whole is the mean over targets. Where all
true numbers are the same, correlations and `r2` are undefined. scipy and scikit-learn are the reference.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from nucleotune.contracts import PREDICTED, VALUE
from nucleotune.evaluation.means import mean_known, ratio
from nucleotune.evaluation.resampling import WHOLE, Floats, Key, Measure, Split, align
from nucleotune.evaluation.titles import NUMBER_METRICS

#: A variance below this share of the mean square is that of a constant, but for rounding.
ROUNDING = 1e-12


def numbers(
    tables: Mapping[int, pd.DataFrame], split: str, source: str, names: Sequence[str]
) -> Split:
    """Predictions of every seed in one split; examples are drawn all together.

    Raises InputError, beginning with `source`, when seeds differ in their examples or no row is of that split.
    """
    parts = align(tables, split, [VALUE + name for name in names], source)
    truth, predicted = (
        np.stack([part[[prefix + name for name in names]].to_numpy(dtype=float) for part in parts])
        for prefix in (VALUE, PREDICTED)
    )
    y, known = truth[0], ~np.isnan(truth[0])
    sizes, reasons, constant = {}, {}, np.zeros((len(parts), len(names)), dtype=bool)
    for i, name in enumerate(names):
        own = known[:, i]
        sizes[name] = {"n": int(own.sum())}
        if not own.any():
            reasons |= {(name, metric): "no row has this value" for metric in NUMBER_METRICS}
            continue
        constant[:, i] = np.ptp(predicted[:, own, i], axis=1) == 0
        if np.ptp(y[own, i]) == 0:
            metrics = ("pearson", "spearman", "r2")
            reasons |= {(name, metric): "all true values are the same" for metric in metrics}
    flags = {name: int(constant[:, i].sum()) for i, name in enumerate(names)}
    flags[WHOLE] = int(constant.all(axis=1).sum())
    return Split(
        parts[0]["id"].to_numpy(),
        y,
        strata=None,
        measures=[number_measure(y, one, names) for one in predicted],
        flags={part: {"constant": number} for part, number in flags.items() if number},
        reasons=reasons,
        sizes=sizes,
    )


def number_measure(values: Floats, predicted: Floats, names: Sequence[str]) -> Measure:
    """All metrics of one set of predictions, as a function of weights (resamples, n) or None.

    `values` (NaN where one is not known) and `predicted` have shape (n, targets).
    """
    known = ~np.isnan(values)

    def of(weights: Floats | None) -> dict[Key, Floats]:
        w = np.ones((1, len(values))) if weights is None else weights
        each: dict[Key, Floats] = {}
        for i, name in enumerate(names):
            own = known[:, i]
            counts = w if own.all() else np.ascontiguousarray(w[:, own])
            found = measure_numbers(values[own, i], predicted[own, i], counts)
            each |= {(name, metric): one for metric, one in found.items()}
        whole: dict[Key, Floats] = {
            (WHOLE, metric): mean_known(np.stack([each[name, metric] for name in names], axis=1))
            for metric in NUMBER_METRICS
        }
        return whole | each

    return of


def measure_numbers(true: Floats, predicted: Floats, weights: Floats) -> dict[str, Floats]:
    """Every metric, each (resamples,), of numbers (m,), each counting as often as a row of weights (resamples, m) says.

    NaN where it is undefined.
    """
    if not true.size:
        return {name: np.full(len(weights), np.nan) for name in NUMBER_METRICS}
    x, y = true - true.mean(), predicted - predicted.mean()
    columns = np.stack(
        [np.ones_like(x), x, y, x * x, y * y, x * y, (true - predicted) ** 2], axis=1
    )
    total, sum_x, sum_y, *squares, shared, errors = (weights @ columns).T
    of_x, of_y = (
        _spread(square, ratio(one**2, total))
        for square, one in zip(squares, (sum_x, sum_y), strict=True)
    )
    shared = shared - ratio(sum_x * sum_y, total)
    return {
        "pearson": ratio(shared, np.sqrt(of_x * of_y), of_x > 0),
        "spearman": weighted_spearman(true, predicted, weights),
        "r2": np.where(of_x > 0, 1 - ratio(errors, of_x), np.nan),
        "rmse": np.sqrt(ratio(errors, total, total > 0)),
    }


def weighted_spearman(true: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Spearman's correlation, (resamples,); arguments, 0 and NaN as in `measure_numbers`. Ties share their rank."""
    sums = np.empty((3, len(weights)))
    _rank_sums(*_order(true), *_order(predicted), np.ascontiguousarray(weights), sums)
    of_x, of_y, shared = sums
    return ratio(shared, np.sqrt(of_x * of_y), of_x > 0)


def _order(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows from the lowest value to the highest, and whether each is the last of its ties."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    return order, np.append(ranked[1:] != ranked[:-1], True)


@njit(cache=True, nogil=True)
def _ranks(order, last, w, middle, ranks):  # pragma: no cover (compiled)
    """Fill `ranks` of rows, each repeated as `w` says, as distances from their mean, `middle`."""
    below = 0.0
    tied = 0.0
    first = 0
    for i in range(len(order)):
        tied += w[order[i]]
        if last[i]:
            for j in range(first, i + 1):
                ranks[order[j]] = below + (tied + 1) / 2 - middle
            below += tied
            tied = 0.0
            first = i + 1


@njit(cache=True, nogil=True)
def _rank_sums(order_x, last_x, order_y, last_y, weights, sums):  # pragma: no cover (compiled)
    """Fill `sums` (3, resamples): squares of the ranks of x, of those of y, and their products."""
    x = np.empty(len(order_x))
    y = np.empty(len(order_x))
    for resample in range(len(weights)):
        w = weights[resample]
        middle = (w.sum() + 1) / 2
        _ranks(order_x, last_x, w, middle, x)
        _ranks(order_y, last_y, w, middle, y)
        of_x = 0.0
        of_y = 0.0
        shared = 0.0
        for i in range(len(w)):
            of_x += w[i] * x[i] * x[i]
            of_y += w[i] * y[i] * y[i]
            shared += w[i] * x[i] * y[i]
        sums[0, resample] = of_x
        sums[1, resample] = of_y
        sums[2, resample] = shared


def _spread(square: Floats, of_mean: Floats) -> Floats:
    """Sum of squared distances from the mean, exactly 0 for a constant: sum of squares less those of the mean."""
    spread = square - of_mean
    return np.where(spread > ROUNDING * square, spread, 0)
