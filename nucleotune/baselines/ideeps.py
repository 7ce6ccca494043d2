"""iDeepS: a network on the letters of an RNA and on its predicted structure.

Pan et al. 2018, see `ideeps_features`; trained on the study's own sequences, which must have one length. The authors
end the training by the loss on the first fifth of each class of their training rows; here it is split `valid`, and
all training rows are trained on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.ideeps_features import fold_elements, make_inputs
from nucleotune.errors import InputError
from nucleotune.sequence.elements import element_string


def fit(
    sequences: Sequence[str],
    labels: np.ndarray,
    valid_sequences: Sequence[str],
    valid_labels: np.ndarray,
    options: Mapping[str, Any],
    seed: int,
) -> tuple[Callable[[Sequence[str]], np.ndarray], dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return P(label 1) as a function of sequences, and info.

    `options` are those of `ideeps_network.fit_network`, whose info is returned with rows_used and seconds, and
    `threads`, the processes that fold; `structures`, not required, maps sequences to dot-brackets, the one of least
    free energy first. Only sequences it lacks are folded, and each once.

    Raises InputError without validation rows, and for sequences of several lengths.
    """
    # Here, not above: torch takes seconds to import, and few baselines need it.
    from nucleotune.baselines.ideeps_network import fit_network
    from nucleotune.baselines.networks import one_thread, probabilities

    if not len(valid_sequences):
        raise InputError(
            "iDeepS ends its training by the loss on split 'valid', which has no rows; give it some"
        )
    length = len(sequences[0])
    elements = {
        sequence: element_string(found[0])
        for sequence, found in options.get("structures", {}).items()
    }

    def inputs_of(batch: Sequence[str]) -> np.ndarray:
        letters = base_codes(batch, length, "iDeepS")
        new = [sequence for sequence in dict.fromkeys(batch) if sequence not in elements]
        elements.update(zip(new, fold_elements(new, options["threads"]), strict=True))
        return make_inputs(letters, [elements[sequence] for sequence in batch])

    def score(batch: Sequence[str]) -> np.ndarray:
        inputs = inputs_of(batch)
        with one_thread():
            return probabilities(network, inputs.__getitem__, len(batch))

    started = time.perf_counter()
    inputs, valid_inputs = inputs_of(sequences), inputs_of(valid_sequences)
    computed = time.perf_counter()
    network, info = fit_network(inputs, labels, valid_inputs, valid_labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    return score, {"rows_used": len(labels), **info, "seconds": seconds}
