"""A small convolutional network, trained from scratch on sequences of any length.

What a network without pretraining reaches on the same rows. See `cnn_network` for its layers.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Labelled, every_kind
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.targets import linked, shaped


def fit(
    train: Labelled, valid: Labelled, options: Mapping[str, Any], seed: int, kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Train with early stop on the `valid` rows; `options` are those of `cnn_network.fit_network`, and `threads`.

    Numbers are standardised by the training rows, and put back in their unit.
    Info: that of `fit_network`, rows_used, seconds.
    """
    # Here, not above: torch takes seconds to import, and few baselines need it.
    from nucleotune.baselines.cnn_network import SHAPE, fit_network, places_of
    from nucleotune.baselines.networks import network_arrays

    started = time.perf_counter()
    mean, spread = np.zeros(parts), np.ones(parts)
    if kind == "numbers":
        mean, spread = np.nanmean(train.labels, axis=0), np.nanstd(train.labels, axis=0)
        spread = np.where(spread > 0, spread, 1.0)
    targets = [
        (rows.labels - mean) / spread if kind == "numbers" else rows.labels
        for rows in (train, valid)
    ]
    network, info = fit_network(
        train.sequences, targets[0], valid.sequences, targets[1], options, seed, kind, parts
    )
    shape = {key: options[key] for key in SHAPE} | {"places": places_of(train.sequences)}
    arrays = {**network_arrays(network), "number_mean": mean, "number_spread": spread}
    learnt = Learnt(arrays, {"kind": kind, "parts": parts, **shape})
    seconds = {"features": 0.0, "fit": time.perf_counter() - started}
    score = restore(learnt, options["threads"])
    return Fitted(learnt, score), {"rows_used": len(train.labels), **info, "seconds": seconds}


def restore(learnt: Learnt, threads: int) -> Score:
    """Scores as a function of sequences."""
    from nucleotune.baselines.cnn_network import Cnn, outputs
    from nucleotune.baselines.networks import restore_network

    kind = learnt.settings["kind"]
    shape = {key: value for key, value in learnt.settings.items() if key != "kind"}
    network = restore_network(lambda: Cnn(**shape), learnt.arrays)

    def score(batch: Sequence[str]) -> np.ndarray:
        raw = outputs(network, batch, threads).numpy()
        raw = raw * learnt.arrays["number_spread"] + learnt.arrays["number_mean"]
        return shaped(linked(raw, kind), kind)

    return score


BASELINES = {"cnn": every_kind(fit, restore, settings=("cnn",), threaded=True)}
