"""lncRNA_Mdeep: a network on ORF features, the ORF's 6-mers and the letters of a transcript.

Fan et al. 2020, see `mdeep_features`; retrained on the study's own transcripts. Label 1 is lncRNA.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Baseline, probability
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.mdeep_features import learn_hexamer_ratios, make_inputs

log = logging.getLogger(__name__)


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return the fitted method, whose score is P(label 1), and info.

    `options` are those of `mdeep_network.fit_network`, whose info is returned with rows_used and seconds.
    """
    # Here, not above: torch takes seconds to import, and no other baseline needs it.
    from nucleotune.baselines.mdeep_network import fit_network
    from nucleotune.baselines.networks import network_arrays

    started = time.perf_counter()
    ratios = learn_hexamer_ratios(sequences, labels)
    inputs = make_inputs(sequences, ratios, options["max_length"])
    computed = time.perf_counter()
    log.info("features of %d transcripts in %.1f s", len(sequences), computed - started)
    network, info = fit_network(inputs, labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    arrays = {"hexamer_ratios": ratios, **network_arrays(network)}
    learnt = Learnt(arrays, {"longest": options["max_length"]})
    return Fitted(learnt, restore(learnt)), {"rows_used": len(labels), **info, "seconds": seconds}


def restore(learnt: Learnt) -> Score:
    """P(label 1) as a function of sequences."""
    from nucleotune.baselines.mdeep_network import Mdeep
    from nucleotune.baselines.networks import restore_network

    arrays, longest = learnt.arrays, learnt.settings["longest"]
    network = restore_network(lambda: Mdeep(longest), arrays)
    return lambda batch: network.probabilities(
        make_inputs(batch, arrays["hexamer_ratios"], longest)
    )


BASELINES = {
    "mdeep": Baseline(
        lambda train, valid, options, seed: fit(*train, options, seed),
        probability,
        lambda learnt, threads: restore(learnt),
        ("mdeep",),
    )
}
