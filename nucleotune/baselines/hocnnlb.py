"""HOCNNLB: a convolutional network on the 4-mers of an RNA.

Zhang et al. 2019, see `hocnnlb_features`; trained on the study's own sequences, which must have one length.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.equal_length import base_codes


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Callable[[Sequence[str]], np.ndarray], dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return P(label 1) as a function of sequences, and info.

    `options` are those of `hocnnlb_network.fit_network`, whose info is returned with rows_used and seconds.

    Raises InputError for sequences of several lengths, or too short for the network.
    """
    # Here, not above: torch takes seconds to import, and few baselines need it.
    from nucleotune.baselines.hocnnlb_network import fit_network
    from nucleotune.baselines.networks import probabilities

    started = time.perf_counter()
    length = len(sequences[0])
    codes = base_codes(sequences, length, "HOCNNLB")
    computed = time.perf_counter()
    network, info = fit_network(codes, labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}

    def score(batch: Sequence[str]) -> np.ndarray:
        codes = base_codes(batch, length, "HOCNNLB")
        return probabilities(network, codes.__getitem__, len(batch))

    return score, {"rows_used": len(labels), **info, "seconds": seconds}
