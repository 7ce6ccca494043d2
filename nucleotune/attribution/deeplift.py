"""DeepLIFT of networks on one-hot sequences, averaged over shuffled references (DeepSHAP).

Each sequence is compared with its own references, which keep its dinucleotides (Shrikumar et al. 2017,
arXiv:1704.02685; Lundberg and Lee 2017, arXiv:1705.07874). captum computes the multipliers, by the Rescale rule. Its
DeepLiftShap has one set of references for all inputs; here its DeepLift runs on pairs and the mean is ours.

captum replaces the gradients of modules: a nonlinearity must be a separate module, used once (`torch.relu` would
pass with its plain gradient, and `delta` show it).
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from captum.attr import DeepLift
from torch import nn

from nucleotune.attribution.onehot import one_hot
from nucleotune.attribution.targets import Target
from nucleotune.progress import Progress
from nucleotune.sequence.shuffle import shuffle_sequences

#: Pairs of a sequence and a reference that are computed together.
PAIRS_AT_A_TIME = 256


class Contributions(NamedTuple):
    """Contributions to a target, float32, and how well they add up, float64.

    hypothetical  (n, L, 4), bases A, C, G, T: what a base would contribute if the sequence had it (modisco's input)
    actual        (n, L): that of the base which the sequence has
    values        (n,): target at the sequence, less its mean at the references
    delta         (n,): sum of `actual` less `values`; 0 up to rounding where completeness holds
    """

    hypothetical: np.ndarray
    actual: np.ndarray
    values: np.ndarray
    delta: np.ndarray


def shuffled_references(sequences: Sequence[str], *, count: int = 20, seed: int) -> np.ndarray:
    """`count` shuffles of each sequence that keep its dinucleotides: one-hot, float32 (n, count, 4, L)."""
    repeated = [sequence for sequence in sequences for _ in range(count)]
    shuffled = one_hot(shuffle_sequences(repeated, "dinucleotide", seed))
    return shuffled.reshape(len(sequences), count, *shuffled.shape[1:])


def deeplift(
    network: nn.Module, sequences: np.ndarray, references: np.ndarray, target: Target
) -> Contributions:
    """DeepLIFT's contributions of every base at every position.

    Args:
        network: takes (batch, 4, L), in evaluation mode, on the device to compute on.
        sequences: one-hot, (n, 4, L) (`onehot.one_hot`).
        references: of each sequence, (n, references, 4, L).
        target: of the network's output.
    """
    parameter = next(network.parameters())
    explained = DeepLift(_Scalar(network, target))
    n, count = references.shape[:2]
    step = max(1, PAIRS_AT_A_TIME // count)
    progress = Progress("DeepLIFT", n, "sequences")
    parts = []
    for begin in range(0, n, step):
        x = torch.from_numpy(sequences[begin : begin + step]).to(parameter)
        pairs = torch.from_numpy(references[begin : begin + step]).to(parameter)
        parts.append(_deeplift(explained, x, pairs, target))
        progress.advance(len(x))
    return Contributions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _deeplift(
    explained: DeepLift, x: torch.Tensor, references: torch.Tensor, target: Target
) -> Contributions:
    """`deeplift` of a few sequences."""
    n, count = references.shape[:2]
    scalar = explained.model
    with torch.no_grad():
        outputs = scalar.network(x)
        weights = target.weights(outputs)
        repeated = weights.repeat_interleave(count, dim=0)
        at_references = scalar(references.flatten(0, 1), repeated).view(n, count)
        values = target.value(outputs, weights).double() - at_references.double().mean(dim=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting forward, backward hooks")
        pairs = explained.attribute(
            x.repeat_interleave(count, dim=0).requires_grad_(),
            references.flatten(0, 1),
            additional_forward_args=(repeated,),
            custom_attribution_func=_hypothetical,
        )
    hypothetical = pairs.detach().unflatten(0, (n, count)).mean(dim=1)
    actual = (hypothetical * x).sum(dim=1)
    delta = actual.double().sum(dim=1) - values
    arrays = (hypothetical.transpose(1, 2), actual, values, delta)
    return Contributions(*(array.cpu().numpy() for array in arrays))


def _hypothetical(
    multipliers: tuple[Any, ...], inputs: tuple[Any, ...], references: tuple[Any, ...]
) -> tuple[torch.Tensor, ...]:
    """For each base in turn: multipliers times (that base, one-hot, minus the reference), summed over channels."""
    return tuple(
        multiplier - (multiplier * reference).sum(dim=1, keepdim=True)
        for multiplier, reference in zip(multipliers, references, strict=True)
    )


class _Scalar(nn.Module):
    """A network whose output is the target."""

    def __init__(self, network: nn.Module, target: Target) -> None:
        super().__init__()
        self.network, self.target = network, target

    def forward(self, signal: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return self.target.value(self.network(signal), weights)
