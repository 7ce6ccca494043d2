"""The one number of a model's output that is explained.

Every target is a weighted sum of some of the outputs, and the weights are constants of the sequence that is explained:
they are found once, at that sequence, and hold for its references, mutants and gradients alike. So contributions can
add up to the difference between the target at a sequence and at its reference (completeness), by every method, and
methods explain the same number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Target:
    """What is explained.

    part   the outputs that matter, (batch, ...), of all that a model gives
    weigh  their weights, of the same shape, from the outputs at the sequences that are explained
    """

    part: Callable[[Any], torch.Tensor]
    weigh: Callable[[torch.Tensor], torch.Tensor]

    def weights(self, outputs: Any) -> torch.Tensor:
        """Weights (batch, ...) of the sequences that have these outputs; no gradient passes through them."""
        return self.weigh(self.part(outputs).detach())

    def value(self, outputs: Any, weights: torch.Tensor) -> torch.Tensor:
        """The target, (batch,)."""
        return (self.part(outputs) * weights).flatten(1).sum(dim=1)


def profile_target(track: int | None = None) -> Target:
    """The whole profile of a network of `models.heads`: the mean logit, weighted by probability, above the plain mean.

    sum_i p_i z_i - mean_i z_i with logits z and p = softmax(z), taken as constant, as for BPNet (Avsec et al. 2021).
    Without its second term it would change with a number added to all logits, which the profile does not.

    Args:
        track: that of the profile; None for the mean of all.
    """

    def weigh(logits: torch.Tensor) -> torch.Tensor:
        weights = logits.softmax(dim=-1) - 1 / logits.shape[-1]
        return _of_track(weights, track)

    return Target(lambda outputs: outputs[0], weigh)


def count_target(track: int | None = None) -> Target:
    """The log count of a network of `models.heads`: of `track`, or the mean of all tracks."""
    return Target(
        lambda outputs: outputs[1], lambda counts: _of_track(torch.ones_like(counts), track)
    )


def class_target() -> Target:
    """The logit of class 1 minus that of class 0, of a classifier of transformers with two classes."""

    def weigh(logits: torch.Tensor) -> torch.Tensor:
        return torch.tensor([-1.0, 1.0], device=logits.device).expand_as(logits)

    return Target(lambda outputs: outputs.logits, weigh)


def _of_track(weights: torch.Tensor, track: int | None) -> torch.Tensor:
    """Weights (batch, tracks, ...) such that their sum is `track`'s, or the mean over tracks."""
    tracks = weights.shape[1]
    if track is None:
        return weights / tracks
    chosen = torch.arange(tracks, device=weights.device) == track
    return weights * chosen.view(1, tracks, *[1] * (weights.dim() - 2))
