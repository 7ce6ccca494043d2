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
from numpy.typing import NDArray

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
    parts = align(tables, split, [f"value:{name}" for name in names], source)
    truth, predicted = (
        np.stack([part[[prefix + name for name in names]].to_numpy(dtype=float) for part in parts])
        for prefix in ("value:", "predicted:")
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
            found = measure_numbers(values[own, i], predicted[own, i], w[:, own])
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
    total = weights.sum(axis=1)
    drawn = total > 0
    errors = weights @ (true - predicted) ** 2
    spread = _spread(true - true.mean(), weights, total)
    return {
        "pearson": weighted_pearson(true, predicted, weights),
        "spearman": weighted_pearson(
            midranks(true, weights), midranks(predicted, weights), weights
        ),
        "r2": np.where(spread > 0, 1 - ratio(errors, spread), np.nan),
        "rmse": np.sqrt(ratio(errors, total, drawn)),
    }


def midranks(values: Floats, weights: Floats) -> Floats:
    """Ranks, ties sharing theirs, of `values` (m,) with each repeated as a row of weights says: (resamples, m)."""
    distinct, code = np.unique(values, return_inverse=True)
    if distinct.size == values.size:
        own = np.empty_like(weights)
        own[:, code] = weights
    else:
        order = np.argsort(code, kind="stable")
        starts = np.searchsorted(code[order], np.arange(distinct.size))
        own = np.add.reduceat(weights[:, order], starts, axis=1)
    return (np.cumsum(own, axis=1) - (own - 1) / 2)[:, code]


def weighted_pearson(true: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Pearson's correlation, (resamples,), of numbers of shape (m,) or (resamples, m).

    0 where the predicted ones are all the same, NaN where the true ones are.
    """
    total = weights.sum(axis=1)
    x, y = (np.atleast_2d(one) for one in (true, predicted))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    of_x, of_y = _spread(x, weights, total), _spread(y, weights, total)
    means = [ratio(_sum(one, weights), total) for one in (x, y)]
    shared = _sum(x * y, weights) - total * means[0] * means[1]
    return ratio(shared, np.sqrt(of_x * of_y), of_x > 0)


def _spread(values: Floats, weights: Floats, total: Floats) -> Floats:
    """Sum of squared distances from the weighted mean, exactly 0 for a constant, (resamples,)."""
    square, mean = _sum(values**2, weights), ratio(_sum(values, weights), total)
    spread = square - total * mean**2
    return np.where(spread > ROUNDING * square, spread, 0)


def _sum(values: Floats, weights: Floats) -> NDArray[np.float64]:
    """Weighted sum of values (m,), (1, m) or (resamples, m)."""
    if values.ndim == 1 or len(values) == 1:
        return weights @ values.reshape(-1)
    return np.einsum("rm,rm->r", weights, values)
