"""HOCNNLB: a convolutional network on the 4-mers of an RNA.

Zhang et al. 2019, see `hocnnlb_features`; trained on the study's own sequences, which must have one length.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Baseline, probability
from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.fitted import Fitted, Learnt, Score


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return the fitted method, whose score is P(label 1), and info.

    `options` are those of `hocnnlb_network.fit_network`, whose info is returned with rows_used and seconds.

    Raises InputError for sequences of several lengths, or too short for the network.
    """
    # Here, not above: torch takes seconds to import, and few baselines need it.
    from nucleotune.baselines.hocnnlb_network import SHAPE, fit_network
    from nucleotune.baselines.networks import network_arrays

    started = time.perf_counter()
    length = len(sequences[0])
    codes = base_codes(sequences, length, "HOCNNLB")
    computed = time.perf_counter()
    network, info = fit_network(codes, labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    settings = {"length": length, **{key: options[key] for key in SHAPE}}
    learnt = Learnt(network_arrays(network), settings)
    return Fitted(learnt, restore(learnt)), {"rows_used": len(labels), **info, "seconds": seconds}


def restore(learnt: Learnt) -> Score:
    """P(label 1) as a function of sequences."""
    from nucleotune.baselines.hocnnlb_network import Hocnnlb
    from nucleotune.baselines.networks import probabilities, restore_network

    network = restore_network(lambda: Hocnnlb(**learnt.settings), learnt.arrays)

    def score(batch: Sequence[str]) -> np.ndarray:
        codes = base_codes(batch, learnt.settings["length"], "HOCNNLB")
        return probabilities(network, codes.__getitem__, len(batch))

    return score


BASELINES = {
    "hocnnlb": Baseline(
        lambda train, valid, options, seed: fit(*train, options, seed),
        probability,
        lambda learnt, threads: restore(learnt),
        ("hocnnlb",),
        one_length=True,
    )
}
