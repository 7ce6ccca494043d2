"""iDeepS: a network on the letters of an RNA and on its predicted structure.

Pan et al. 2018, see `ideeps_features`; trained on the study's own sequences, which must have one length. The authors
end the training by the loss on the first fifth of each class of their training rows; here it is split `valid`, and
all training rows are trained on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Baseline, probability
from nucleotune.baselines.equal_length import base_codes
from nucleotune.baselines.fitted import Fitted, Learnt, Score
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
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return the fitted method, whose score is P(label 1), and info.

    `options` are those of `ideeps_network.fit_network`, whose info is returned with rows_used and seconds, and
    `threads`, the processes that fold; `structures`, not required, maps sequences to dot-brackets, the one of least
    free energy first. Only sequences it lacks are folded, and each once.

    Raises InputError without validation rows, and for sequences of several lengths.
    """
    # Here, not above: torch takes seconds to import, and few baselines need it.
    from nucleotune.baselines.ideeps_network import fit_network
    from nucleotune.baselines.networks import network_arrays

    if not len(valid_sequences):
        raise InputError(
            "iDeepS stops its training by the loss on split 'valid', which has no rows; add some"
        )
    length = len(sequences[0])
    inputs_of = _reader(length, options["threads"], options.get("structures", {}))
    started = time.perf_counter()
    inputs, valid_inputs = inputs_of(sequences), inputs_of(valid_sequences)
    computed = time.perf_counter()
    network, info = fit_network(inputs, labels, valid_inputs, valid_labels, options, seed)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    learnt = Learnt(network_arrays(network), {"length": length})
    score = _score(learnt, inputs_of)
    return Fitted(learnt, score), {"rows_used": len(labels), **info, "seconds": seconds}


def restore(learnt: Learnt, threads: int) -> Score:
    """P(label 1) as a function of sequences; `threads` processes fold them."""
    return _score(learnt, _reader(learnt.settings["length"], threads, {}))


def _score(learnt: Learnt, inputs_of: Callable[[Sequence[str]], np.ndarray]) -> Score:
    from nucleotune.baselines.ideeps_network import Ideeps
    from nucleotune.baselines.networks import one_thread, probabilities, restore_network

    network = restore_network(Ideeps, learnt.arrays)

    def score(batch: Sequence[str]) -> np.ndarray:
        inputs = inputs_of(batch)
        with one_thread():
            return probabilities(network, inputs.__getitem__, len(batch))

    return score


def _reader(
    length: int, threads: int, structures: Mapping[str, Sequence[str]]
) -> Callable[[Sequence[str]], np.ndarray]:
    """What the network reads of sequences; each is folded once, and none of `structures`."""
    elements = {sequence: element_string(found[0]) for sequence, found in structures.items()}

    def inputs_of(batch: Sequence[str]) -> np.ndarray:
        letters = base_codes(batch, length, "iDeepS")
        new = [sequence for sequence in dict.fromkeys(batch) if sequence not in elements]
        elements.update(zip(new, fold_elements(new, threads), strict=True))
        return make_inputs(letters, [elements[sequence] for sequence in batch])

    return inputs_of


BASELINES = {
    "ideeps": Baseline(
        lambda train, valid, options, seed: fit(*train, *valid, options, seed),
        probability,
        restore,
        ("ideeps",),
        folds=True,
        one_length=True,
    )
}
