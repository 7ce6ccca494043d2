"""The one number of a model's output that is explained.

Every target is a weighted sum of some of the outputs, and the weights are constants of the sequence that is explained:
they are found once, at that sequence, and hold for its references, mutants and gradients alike. So contributions can
add up to the difference between the target at a sequence and at its reference (completeness), by every method, and
methods explain the same number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nucleotune.errors import InputError


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


def number_of(where: str | Path, task: str, names: Sequence[str], target: str | None) -> int:
    """The output that `target` names of a model of classes, labels or numbers; `where` it is, for messages.

    None stands for the only one there is to explain: of two classes the second, of which the first is the reverse.
    Raises InputError for a name that the model does not have, and for None where it has several.
    """
    if target is None and len(names) == (2 if task == "classes" else 1):
        return len(names) - 1
    if target is None or target not in names:
        found = "no target is named" if target is None else f"none of them is {target!r}"
        raise InputError(
            f"{where}: the model predicts {task}, and {found}; expected {', '.join(names)}"
        )
    return list(names).index(target)


def output_weights(
    task: str, outputs: int, number: int, scale: Sequence[float] | None = None
) -> list[float]:
    """What is explained of output `number` of a model of classes, labels or numbers: weights of all outputs.

    classes  its logit above the mean of the others'; of two classes the difference of both
    labels   its logit
    numbers  its value less a constant, in the user's unit

    Args:
        task: one of `models.description.CLASSIFIED`.
        outputs: how many the model has.
        number: of the one that is explained.
        scale: standard deviations of the numbers, where the model's outputs are in these; None: in the user's unit.
    """
    weights = [-1 / (outputs - 1) if task == "classes" else 0.0] * outputs
    weights[number] = scale[number] if scale else 1.0
    return weights


def output_target(weights: Sequence[float]) -> Target:
    """The sum of a classifier's outputs with such weights (`output_weights`)."""

    def weigh(outputs: torch.Tensor) -> torch.Tensor:
        return torch.tensor(weights, device=outputs.device).expand_as(outputs)

    return Target(lambda outputs: outputs.logits, weigh)


def _of_track(weights: torch.Tensor, track: int | None) -> torch.Tensor:
    """Weights (batch, tracks, ...) such that their sum is `track`'s, or the mean over tracks."""
    tracks = weights.shape[1]
    if track is None:
        return weights / tracks
    chosen = torch.arange(tracks, device=weights.device) == track
    return weights * chosen.view(1, tracks, *[1] * (weights.dim() - 2))
