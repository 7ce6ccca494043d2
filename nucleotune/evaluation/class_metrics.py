"""The metrics of examples that belong to one of more than two classes, for one sample or many resamples at once.

accuracy            share of right decisions
balanced_accuracy   mean recall of the classes
macro_f1            mean F1-score of the classes, each against the rest
mcc                 Matthews' correlation of K classes (Gorodkin 2004); 0 when only one class is called
macro_auroc         mean over classes of the area under the ROC curve, each against the rest; so `macro_auprc`, of the
                    average precision
log_loss            mean cross-entropy in nats
brier               mean over examples of the sum over classes of (probability - truth)^2 (Brier 1950): of two classes
                    it would be twice the `brier` of `metrics`
calibration_error   mean over classes of the expected calibration error of each against the rest (Kull et al. 2019)

A mean over classes takes those that occur among the true labels of the sample. The last three need probabilities.
Parts are the classes: `recall`, `f1`, `auroc` and `auprc` of each. scikit-learn is the reference.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nucleotune.contracts import score_columns
from nucleotune.evaluation.areas import areas, rank
from nucleotune.evaluation.means import mean_known, ratio
from nucleotune.evaluation.metrics import gaps
from nucleotune.evaluation.resampling import WHOLE, Floats, Key, Measure, Split, align
from nucleotune.evaluation.titles import CLASS_METRICS, NO_PROBABILITIES

#: How far the sum of an example's probabilities may be from 1: some methods keep them in float32.
TOLERANCE = 1e-3

#: Metrics of one class against the rest.
OF_ONE = ("recall", "f1", "auroc", "auprc")


def many_classes(
    tables: Mapping[int, pd.DataFrame], split: str, source: str, names: Sequence[str]
) -> Split:
    """Predictions of every seed in one split; `names` are those of the classes, in the order of their numbers.

    Where a class does not occur among the true labels, its metrics are undefined. Raises InputError, beginning with
    `source`, when seeds differ in their examples or no row is of that split.
    """
    parts = align(tables, split, ["label"], source)
    columns = list(score_columns(len(names)))
    y = parts[0]["label"].to_numpy(dtype=np.int64)
    scores = np.stack([part[columns].to_numpy(dtype=float) for part in parts])
    predicted = np.stack([part["predicted"].to_numpy(dtype=np.int64) for part in parts])
    counts = np.bincount(y, minlength=len(names))
    one_class = int((predicted == predicted[:, :1]).all(axis=1).sum())
    flags = {"one_class": one_class} if one_class else {}
    reasons = {(WHOLE, name): NO_PROBABILITIES for name in ("log_loss", "brier")}
    reasons[WHOLE, "calibration_error"] = NO_PROBABILITIES
    if (counts > 0).sum() == 1:
        reasons |= {(WHOLE, name): "one class only" for name in ("macro_auroc", "auroc")}
    for name, count in zip(names, counts, strict=True):
        if not count:
            reasons |= {(name, metric): "no row of this class" for metric in OF_ONE}
    return Split(
        parts[0]["id"].to_numpy(),
        y,
        strata=y,
        measures=[class_measure(y, *seed, names) for seed in zip(scores, predicted, strict=True)],
        flags=dict.fromkeys((WHOLE, *names), flags),
        reasons=reasons,
        sizes={name: {"n": int(count)} for name, count in zip(names, counts, strict=True)},
        right=predicted == y,
    )


def class_measure(
    labels: NDArray[np.int64],
    scores: Floats,
    predicted: NDArray[np.int64],
    names: Sequence[str],
) -> Measure:
    """All metrics of one set of predictions, as a function of weights (resamples, n) or None.

    `labels` and `predicted` have shape (n,), `scores` (n, classes).
    """
    n, classes = scores.shape
    present = np.unique(labels)
    rankings = {k: rank(labels == k, scores[:, k]) for k in present}
    codes = labels * classes + predicted
    order = np.argsort(codes, kind="stable")
    cells, starts = np.unique(codes[order], return_index=True)
    truth = np.eye(classes)[labels]
    each_gap: list[Floats] | None = None
    if is_probability(scores):
        eps = np.finfo(float).eps
        own = scores[np.arange(n), labels]
        losses = np.stack([-np.log(own.clip(eps, 1 - eps)), ((scores - truth) ** 2).sum(axis=1)])
        each_gap = [gaps(truth[:, k] > 0, scores[:, k].clip(0, 1)) for k in range(classes)]

    def of(weights: Floats | None) -> dict[Key, Floats]:
        w = np.ones((1, n)) if weights is None else weights
        total = w.sum(axis=1)
        undefined = np.full(len(w), np.nan)
        confusion = np.zeros((len(w), classes * classes))
        confusion[:, cells] = np.add.reduceat(w[:, order], starts, axis=1)
        confusion = confusion.reshape(-1, classes, classes)
        right = np.einsum("rkk->rk", confusion)
        true, called = confusion.sum(axis=2), confusion.sum(axis=1)
        known = true > 0
        recall = ratio(right, true, known)
        f1 = ratio(2 * right, true + called, known)
        roc = np.full((len(w), classes), np.nan)
        recalled = roc.copy()
        for k, ranking in rankings.items():
            roc[:, k], recalled[:, k] = areas(ranking, w)
        whole = {
            "accuracy": right.sum(axis=1) / total,
            "balanced_accuracy": mean_known(recall),
            "macro_f1": mean_known(f1),
            "mcc": _mcc(right.sum(axis=1), true, called, total),
            "macro_auroc": mean_known(roc),
            "macro_auprc": mean_known(recalled),
        }
        if each_gap is not None:
            whole["log_loss"], whole["brier"] = (w @ losses.T).T / total
            errors = [np.abs(w @ gap).sum(axis=1) / total for gap in each_gap]
            whole["calibration_error"] = np.mean(errors, axis=0)
        found: dict[Key, Floats] = {
            (WHOLE, name): whole.get(name, undefined) for name in CLASS_METRICS
        }
        for k, name in enumerate(names):
            for metric, values in zip(OF_ONE, (recall, f1, roc, recalled), strict=True):
                found[name, metric] = values[:, k]
        return found

    return of


def confusion(
    tables: Mapping[int, pd.DataFrame], split: str, classes: int
) -> dict[str, list[list[int]]]:
    """Counts of rows of one split by seed: a list a true class of how often each class was called."""
    result = {}
    for seed in sorted(tables):
        part = tables[seed].loc[tables[seed]["split"] == split]
        codes = part["label"].to_numpy(dtype=np.int64) * classes + part["predicted"].to_numpy()
        counts = np.bincount(codes, minlength=classes * classes)
        result[str(seed)] = counts.reshape(classes, classes).tolist()
    return result


def is_probability(scores: Floats) -> bool:
    """Whether scores (n, classes) are in [0, 1] and add up to 1 for every example."""
    inside = scores.min() >= 0 and scores.max() <= 1
    return bool(inside and np.abs(scores.sum(axis=1) - 1).max() <= TOLERANCE)


def _mcc(right: Floats, true: Floats, called: Floats, total: Floats) -> Floats:
    numerator = right * total - (true * called).sum(axis=1)
    squares = [total**2 - (one**2).sum(axis=1) for one in (true, called)]
    return ratio(numerator, np.sqrt(np.prod(squares, axis=0)))
