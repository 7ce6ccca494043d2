"""A weight for each base at each position: logistic or ridge regression on one-hot sequences of one length.

What position alone says, as a weight matrix does; an N has no weight.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from nucleotune.baselines.base import Labelled, every_kind
from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.linear import fit_linear, predict_linear
from nucleotune.baselines.targets import MEASURES, quality, shaped

log = logging.getLogger(__name__)


def one_hot_features(sequences: Sequence[str], length: int) -> csr_array:
    """One row a sequence, four columns a position: (n, 4 length)."""
    codes = base_codes(sequences, length, "onehot")
    row, position = np.nonzero(codes < 4)
    columns = 4 * position + codes[row, position]
    shape = (len(sequences), 4 * length)
    return csr_array((np.ones(len(row)), (row, columns)), shape=shape)


def fit(
    train: Labelled, valid: Labelled, options: Mapping[str, Any], seed: int, kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit for each C of `c_grid`; of several the best on the `valid` rows is taken (`targets.quality`).

    Info: C, what the choice was made by (None without a choice), rows_used, seconds.
    """
    started = time.perf_counter()
    length = len(train.sequences[0])
    x = one_hot_features(train.sequences, length)
    choosing = len(options["c_grid"]) > 1
    x_valid = one_hot_features(valid.sequences, length) if choosing and valid.sequences else None
    computed = time.perf_counter()
    best = None
    for c in options["c_grid"]:
        arrays = fit_linear(x, train.labels, kind, parts, c)
        reached = None
        if choosing:
            scores = (
                np.empty((0, parts)) if x_valid is None else predict_linear(arrays, x_valid, kind)
            )
            reached = quality(kind, valid.labels, scores, "onehot")
            log.info("C %g: %s %.4f", c, MEASURES[kind], reached)
        if best is None or reached > best[0]:
            best = reached, c, arrays
    reached, c, arrays = best
    learnt = Learnt(arrays, {"kind": kind, "length": length})
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    info = {"rows_used": len(train.labels), "C": float(c), MEASURES[kind]: reached}
    return Fitted(learnt, restore(learnt)), {**info, "seconds": seconds}


def restore(learnt: Learnt) -> Score:
    """Scores as a function of sequences."""
    kind, length = learnt.settings["kind"], learnt.settings["length"]

    def score(batch: Sequence[str]) -> np.ndarray:
        return shaped(predict_linear(learnt.arrays, one_hot_features(batch, length), kind), kind)

    return score


BASELINES = {
    "onehot": every_kind(
        fit, lambda learnt, threads: restore(learnt), settings=("onehot",), one_length=True
    )
}
