"""lncRNA_Mdeep: a network on ORF features, the ORF's 6-mers and the letters of a transcript.

Fan et al. 2020, see `mdeep_features`; retrained on the study's own transcripts. Label 1 is lncRNA.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.mdeep_features import learn_hexamer_ratios, make_inputs

log = logging.getLogger(__name__)


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Callable[[Sequence[str]], np.ndarray], dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return P(label 1) as a function of sequences, and info.

    `options` are those of `mdeep_network.fit_network`, whose info is returned with rows_used and seconds.
    """
    # Here, not above: torch takes seconds to import, and no other baseline needs it.
    from nucleotune.baselines.mdeep_network import fit_network

    started = time.perf_counter()
    ratios = learn_hexamer_ratios(sequences, labels)
    inputs = make_inputs(sequences, ratios, options["max_length"])
    computed = time.perf_counter()
    log.info("features of %d transcripts in %.1f s", len(sequences), computed - started)
    network, info = fit_network(inputs, labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}

    def score(batch: Sequence[str]) -> np.ndarray:
        return network.probabilities(make_inputs(batch, ratios, options["max_length"]))

    return score, {"rows_used": len(labels), **info, "seconds": seconds}
