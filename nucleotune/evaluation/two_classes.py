"""Predictions of one of two classes in one split, as `resampling` judges them.

Groups are drawn within each class: the studies fix the class balance by design, and AUROC is then defined in every
resample. Log loss, Brier score and calibration error are unknown unless all scores are in [0, 1].
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nucleotune.errors import InputError
from nucleotune.evaluation.metrics import measure
from nucleotune.evaluation.resampling import WHOLE, Floats, Key, Measure, Split, align
from nucleotune.evaluation.titles import METRICS, NO_PROBABILITIES


class Aligned(NamedTuple):
    """Predictions of one method in one split: one row per seed, one column per example (sorted by id)."""

    ids: NDArray[Any]  # (n,)
    labels: NDArray[np.bool_]  # (n,)
    scores: Floats  # (seeds, n)
    predicted: NDArray[np.bool_]  # (seeds, n)


def two_classes(tables: Mapping[int, pd.DataFrame], split: str, source: str) -> Split:
    """Predictions of every seed in one split; InputError, beginning with `source`, when they hold one class only."""
    aligned = align_seeds(tables, split, source=source)
    check_classes(aligned.labels, f"{source}: split {split!r}")
    return _split(*aligned)


def align_seeds(
    tables: Mapping[int, pd.DataFrame], split: str, *, source: str = "predictions"
) -> Aligned:
    """Predictions of every seed (ascending) in one split, examples sorted by id.

    Raises InputError, beginning with `source`, when two seeds differ in ids or labels, or no row is
    of that split.
    """
    parts = align(tables, split, ["label"], source)
    return Aligned(
        parts[0]["id"].to_numpy(),
        parts[0]["label"].to_numpy().astype(bool),
        np.stack([part["score"].to_numpy(dtype=float) for part in parts]),
        np.stack([part["predicted"].to_numpy() for part in parts]).astype(bool),
    )


def check_classes(labels: NDArray[np.bool_], source: str) -> None:
    """Raise InputError, beginning with `source`, unless both labels occur."""
    if labels.all() or not labels.any():
        raise InputError(
            f"{source}: {labels.size} examples, {int(labels.sum())} of label 1 and"
            f" {int((~labels).sum())} of label 0; both labels are needed: check the filters and the"
            " split fractions"
        )


def split_of(labels: ArrayLike, scores: ArrayLike, predicted: ArrayLike) -> Split:
    """Examples without ids, in their order, as a split.

    `labels` has shape (n,), `scores` and `predicted` (seeds, n) or (n,).
    """
    y = np.asarray(labels, dtype=bool)
    return _split(
        np.arange(y.size),
        y,
        np.atleast_2d(np.asarray(scores, dtype=float)),
        np.atleast_2d(np.asarray(predicted, dtype=bool)),
    )


def _split(
    ids: NDArray[Any], labels: NDArray[np.bool_], scores: Floats, predicted: NDArray[np.bool_]
) -> Split:
    one_class = int((predicted.all(axis=1) | ~predicted.any(axis=1)).sum())
    return Split(
        ids,
        labels,
        strata=labels,
        measures=[_measure(labels, *seed) for seed in zip(scores, predicted, strict=True)],
        flags={WHOLE: {"one_class": one_class}} if one_class else {},
        reasons={
            (WHOLE, name): NO_PROBABILITIES for name in ("log_loss", "brier", "calibration_error")
        },
        right=predicted == labels,
    )


def _measure(labels: NDArray[np.bool_], scores: Floats, predicted: NDArray[np.bool_]) -> Measure:
    def of(weights: Floats | None) -> dict[Key, Floats]:
        found = measure(labels, scores, predicted, weights)
        undefined = np.full(1 if weights is None else len(weights), np.nan)
        return {(WHOLE, name): found.get(name, undefined) for name in METRICS}

    return of
