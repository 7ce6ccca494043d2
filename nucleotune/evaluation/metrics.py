"""The metrics of a two-class task, each defined once, for one sample or many resamples at once.

Label 1 (lncRNA) is the positive class; `predicted` decides, `score` ranks. scikit-learn is the
reference, also for the cases without a definition: precision is 0 when nothing is called positive
and MCC is 0 when only one class is called, so that a collapsed model scores badly instead of
dropping out of a table.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Every metric and its title, in the order in which tables show them.
METRICS = {
    "precision": "Precision",
    "recall": "Recall",
    "accuracy": "Accuracy",
    "f1": "F1-score",
    "auroc": "AUROC",
    "mcc": "MCC",
    "log_loss": "Log loss",
}

Floats = NDArray[np.float64]


def measure(
    labels: ArrayLike, scores: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, Floats]:
    """Every metric of one set of predictions, for each row of weights.

    `labels`, `scores` and `predicted` have shape (n,), both classes occur in `labels`; `weights`
    has shape (resamples, n), how often each example counts, and defaults to once. Returns arrays of
    shape (resamples,), in the order of METRICS; `log_loss` is there only when all scores are in [0,
    1], as probabilities do.

    Precision, recall, accuracy and F1 are equations 3-6 of the LoRA-BERT paper.
    """
    y, p = np.asarray(labels, dtype=bool), np.asarray(predicted, dtype=bool)
    scores = np.asarray(scores, dtype=float)
    w = np.ones((1, y.size)) if weights is None else np.asarray(weights, dtype=float)
    cells = np.stack([y & p, ~y & p, y & ~p, ~y & ~p], axis=1).astype(float)
    tp, fp, fn, tn = (w @ cells).T
    values = {
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "auroc": auroc(y, scores, w),
        "mcc": _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
    }
    if scores.min() >= 0 and scores.max() <= 1:
        values["log_loss"] = log_loss(y, scores, w)
    return values


def auroc(labels: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve, shape (resamples,), for weights of shape (resamples, n).

    The Mann-Whitney form: the share of (positive, negative) pairs ranked rightly, a tie counting
    one half.
    """
    order = np.argsort(scores, kind="stable")
    ranked, y = scores[order], labels[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    w = np.take(weights, order, axis=1)
    positive, negative = w * y, w * ~y
    if starts.size < ranked.size:
        positive = np.add.reduceat(positive, starts, axis=1)
        negative = np.add.reduceat(negative, starts, axis=1)
    below = np.cumsum(negative, axis=1)
    pairs = below[:, -1] * positive.sum(axis=1)
    below -= negative / 2
    return np.einsum("rn,rn->r", positive, below) / pairs


def log_loss(labels: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Mean cross-entropy in nats, shape (resamples,); scores are probabilities of label 1.

    Probabilities are kept one float64 epsilon away from 0 and 1, as scikit-learn does.
    """
    epsilon = np.finfo(float).eps
    p = np.clip(scores, epsilon, 1 - epsilon)
    losses = -np.where(labels, np.log(p), np.log1p(-p))
    return (weights @ losses) / weights.sum(axis=1)


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
