"""What a method without any sequence says: the share of each class or label in training, or the mean of each number."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Labelled, every_kind
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.targets import shaped


def fit(
    train: Labelled, valid: Labelled, options: Mapping[str, Any], seed: int, kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Take the shares or means of known targets; every sequence has the same score. Info: rows_used, seconds."""
    started = time.perf_counter()
    if kind == "classes":
        score = np.bincount(train.labels, minlength=parts) / len(train.labels)
    else:
        score = np.nanmean(train.labels, axis=0)
    learnt = Learnt({"score": score.astype(float)}, {"kind": kind})
    seconds = {"features": 0.0, "fit": time.perf_counter() - started}
    return Fitted(learnt, restore(learnt)), {"rows_used": len(train.labels), "seconds": seconds}


def restore(learnt: Learnt) -> Score:
    """The one score, as often as there are sequences."""

    def score(batch: Sequence[str]) -> np.ndarray:
        return shaped(np.tile(learnt.arrays["score"], (len(batch), 1)), learnt.settings["kind"])

    return score


BASELINES = {"majority": every_kind(fit, lambda learnt, threads: restore(learnt))}
