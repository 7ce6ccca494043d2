"""The metrics of several labels of yes or no, for one sample or many resamples at once.

Parts are the labels: `auroc`, `auprc` (average precision) and `f1` of each, over the examples of which it is known.
`macro_...` is the mean over labels, `micro_...` takes every known pair of example and label as an example of one task.
A label without a positive example has no metric, one without a negative example no AUROC; such labels are left out of
the mean. scikit-learn is the reference.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nucleotune.contracts import LABEL, PREDICTED, SCORE
from nucleotune.evaluation.areas import areas, rank
from nucleotune.evaluation.means import mean_known, ratio
from nucleotune.evaluation.resampling import WHOLE, Floats, Key, Measure, Split, align

#: Metrics of one label.
OF_ONE = ("auroc", "auprc", "f1")


def several_labels(
    tables: Mapping[int, pd.DataFrame], split: str, source: str, names: Sequence[str]
) -> Split:
    """Predictions of every seed in one split; examples are drawn all together, whatever their labels.

    Raises InputError, beginning with `source`, when seeds differ in their examples or no row is of that split.
    """
    parts = align(tables, split, [LABEL + name for name in names], source)
    truth, scores, predicted = (
        np.stack([part[[prefix + name for name in names]].to_numpy(dtype=float) for part in parts])
        for prefix in (LABEL, SCORE, PREDICTED)
    )
    y, known = truth[0], ~np.isnan(truth[0])
    called = predicted > 0
    # Of each seed and label, whether one class is called for all that is known.
    alike = ~(called & known).any(axis=1) | ~(~called & known).any(axis=1)
    counts = {
        name: {"n": int(known[:, i].sum()), "positive": int((y[:, i] == 1).sum())}
        for i, name in enumerate(names)
    }
    flags = {name: int(alike[:, i].sum()) for i, name in enumerate(names)}
    flags[WHOLE] = int(alike.all(axis=1).sum())
    reasons: dict[Key, str] = {}
    for name, count in counts.items():
        if not count["positive"]:
            reasons |= {(name, metric): "no row has this label" for metric in OF_ONE}
        elif count["positive"] == count["n"]:
            reasons[name, "auroc"] = "every row has this label"
    return Split(
        parts[0]["id"].to_numpy(),
        y,
        strata=None,
        measures=[label_measure(y, *seed, names) for seed in zip(scores, called, strict=True)],
        flags={part: {"one_class": number} for part, number in flags.items() if number},
        reasons=reasons,
        sizes=counts,
    )


def label_measure(
    labels: Floats, scores: Floats, predicted: NDArray[np.bool_], names: Sequence[str]
) -> Measure:
    """All metrics of one set of predictions, as a function of weights (resamples, n) or None.

    `labels` (0, 1, or NaN where it is not known), `scores` and `predicted` have shape (n, labels).
    """
    n, known = len(labels), ~np.isnan(labels)
    y = labels == 1
    rows = [np.flatnonzero(known[:, i]) for i in range(len(names))]
    rankings = [rank(y[own, i], scores[own, i], own) for i, own in enumerate(rows)]
    everything = rank(y[known], scores[known], np.nonzero(known)[0])
    # Right calls, calls and positives, among what is known: sums of these give F1.
    tallies = np.concatenate([y & predicted, known & predicted, y], axis=1).astype(float)

    def of(weights: Floats | None) -> dict[Key, Floats]:
        w = np.ones((1, n)) if weights is None else weights
        right, called, true = np.split(w @ tallies, 3, axis=1)
        f1 = ratio(2 * right, called + true, true > 0)
        roc, recalled = (np.empty((len(w), len(names))) for _ in range(2))
        for i, ranking in enumerate(rankings):
            roc[:, i], recalled[:, i] = areas(ranking, w)
        micro = (*areas(everything, w), _micro_f1(right, called, true))
        found: dict[Key, Floats] = {}
        for metric, values in zip(OF_ONE, (roc, recalled, f1), strict=True):
            found[WHOLE, f"macro_{metric}"] = mean_known(values)
        for metric, values in zip(OF_ONE, micro, strict=True):
            found[WHOLE, f"micro_{metric}"] = values
        for i, name in enumerate(names):
            for metric, values in zip(OF_ONE, (roc, recalled, f1), strict=True):
                found[name, metric] = values[:, i]
        return found

    return of


def _micro_f1(right: Floats, called: Floats, true: Floats) -> Floats:
    right, called, true = (one.sum(axis=1) for one in (right, called, true))
    return ratio(2 * right, called + true, true > 0)
