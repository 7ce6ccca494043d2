"""The metrics of a two-class task, each defined once, for one sample or many resamples at once.

Label 1 (lncRNA) is the positive class; `predicted` decides, `score` ranks. scikit-learn is the
reference, also for the cases without a definition: precision is 0 when nothing is called positive
and MCC is 0 when only one class is called, so that a collapsed model scores badly instead of
dropping out of a table.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Bins of equal width between 0 and 1 in which probabilities are compared with shares.
BINS = 10

Floats = NDArray[np.float64]


def measure(
    labels: ArrayLike, scores: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, Floats]:
    """Every metric of one set of predictions, for each row of weights.

    `labels`, `scores` and `predicted` have shape (n,), both classes occur in `labels`; `weights`
    has shape (resamples, n), how often each example counts, and defaults to once. Returns arrays of
    shape (resamples,), in the order of `titles.METRICS`; `log_loss`, `brier` and `calibration_error` are there only
    when all scores are in [0, 1], as probabilities do.

    Precision, recall, accuracy and F1 are equations 3-6 of the LoRA-BERT paper. `auprc` is the average precision,
    `balanced_accuracy` the mean of recall and specificity, `brier` the mean of (score - label)^2.
    """
    from nucleotune.evaluation.areas import areas, rank  # numba takes half a second

    y, p = np.asarray(labels, dtype=bool), np.asarray(predicted, dtype=bool)
    scores = np.asarray(scores, dtype=float)
    w = np.ones((1, y.size)) if weights is None else np.asarray(weights, dtype=float)
    cells = np.stack([y & p, ~y & p, y & ~p, ~y & ~p], axis=1).astype(float)
    tp, fp, fn, tn = (w @ cells).T
    roc, recalled = areas(rank(y, scores), w)
    values = {
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "auroc": roc,
        "mcc": _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
    }
    probabilities = scores.min() >= 0 and scores.max() <= 1
    if probabilities:
        values["log_loss"] = log_loss(y, scores, w)
    values["auprc"] = recalled
    values["balanced_accuracy"] = (values["recall"] + _ratio(tn, tn + fp)) / 2
    if probabilities:
        values["brier"] = (w @ (scores - y) ** 2) / w.sum(axis=1)
        values["calibration_error"] = calibration_error(y, scores, w)
    return values


def log_loss(labels: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Mean cross-entropy in nats, shape (resamples,); scores are probabilities of label 1.

    Probabilities are kept one float64 epsilon away from 0 and 1, as scikit-learn does.
    """
    epsilon = np.finfo(float).eps
    p = np.clip(scores, epsilon, 1 - epsilon)
    losses = -np.where(labels, np.log(p), np.log1p(-p))
    return (weights @ losses) / weights.sum(axis=1)


def calibration_error(labels: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Expected calibration error, shape (resamples,); scores are probabilities of label 1.

    Over BINS bins of equal width, the mean of |mean score - share of label 1|, each bin counting as often as it has
    examples (Naeini, Cooper and Hauskrecht 2015).
    """
    return np.abs(weights @ gaps(labels, scores)).sum(axis=1) / weights.sum(axis=1)


def gaps(labels: NDArray[np.bool_], scores: Floats) -> Floats:
    """Score minus label of each example in the column of its score's bin, 0 elsewhere, (n, BINS)."""
    table = np.zeros((labels.size, BINS))
    table[np.arange(labels.size), np.minimum((scores * BINS).astype(int), BINS - 1)] = (
        scores - labels
    )
    return table


def mean_roc(labels: ArrayLike, scores: ArrayLike, points: int = 501) -> tuple[Floats, Floats]:
    """False and true positive rates of the ROC curve averaged over seeds, each of shape (points,).

    `scores` has shape (seeds, n). The curves are averaged along the diagonals fpr + tpr = constant,
    which keeps the steep left edge of a good classifier that an average over a grid of false
    positive rates would blur.
    """
    y = np.asarray(labels, dtype=bool)
    diagonal = np.linspace(0, 2, points)
    curves = []
    for row in np.atleast_2d(np.asarray(scores, dtype=float)):
        order = np.argsort(-row, kind="stable")
        ranked = row[order]
        ends = np.flatnonzero(np.concatenate([ranked[1:] != ranked[:-1], [True]]))
        tpr = np.concatenate([[0], np.cumsum(y[order])[ends] / y.sum()])
        fpr = np.concatenate([[0], np.cumsum(~y[order])[ends] / (~y).sum()])
        curves.append([np.interp(diagonal, fpr + tpr, rate) for rate in (fpr, tpr)])
    fpr, tpr = np.mean(curves, axis=0)
    return fpr, tpr


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
