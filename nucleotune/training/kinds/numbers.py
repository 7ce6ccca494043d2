"""Sequences with one or more numbers, some of which may be unknown.

The network learns them in standard deviations of the training examples from their mean, target by target; predictions
are in the user's unit. What starts from a trained model keeps its means and deviations, in which its head speaks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nucleotune.contracts import PREDICTED, VALUE, read_examples
from nucleotune.errors import InputError
from nucleotune.models.description import head_of
from nucleotune.tasks.numbers import check_examples, write_predictions
from nucleotune.training.columns import ColumnLearner, Floats
from nucleotune.training.learner import Rows


class NumberLearner(ColumnLearner):
    """A language model with one output a target, by the squared error of the known values."""

    task, prefix = "numbers", VALUE
    parts = ("loss", "known")
    checked = staticmethod(check_examples)
    read, write = staticmethod(read_examples), staticmethod(write_predictions)

    def targets_of(self, training: Floats, began: Mapping[str, Any]) -> Floats:
        """See `ColumnLearner`: the numbers, standardised."""
        scale = began.get("scale") or self._scale(training)
        self.described["scale"] = scale
        return (self.values - scale["mean"]) / scale["sd"]

    def _scale(self, training: Floats) -> dict[str, list[float]]:
        """Mean and standard deviation of each target's known values."""
        scale: dict[str, list[float]] = {"mean": [], "sd": []}
        for name, column in zip(self.head.names, training.T, strict=True):
            known = column[~np.isnan(column)]
            if len(np.unique(known)) < 2:
                raise InputError(
                    f"method {self.method['title']!r}: target {name!r} needs two different numbers among the training "
                    f"examples, found {len(np.unique(known))}; leave the target out"
                )
            with np.errstate(over="ignore"):
                mean, sd = float(known.mean()), float(known.std())
            if not np.isfinite([mean, sd]).all() or sd == 0:
                raise InputError(
                    f"method {self.method['title']!r}: target {name!r}: its numbers are too large, or too close to "
                    f"each other, to be standardised; give them in another unit"
                )
            scale["mean"].append(mean)
            scale["sd"].append(sd)
        return scale

    def sums(self, logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
        """See `SequenceLearner`."""
        target, weight = self.wanted(rows)
        return ((logits - target).square() * weight).sum(), weight.sum()

    def judge(self, logits: Floats, rows: Rows) -> dict[str, float]:
        """See `SequenceLearner`."""
        known = self.weights[rows] > 0
        return {"loss": float(np.square(logits - self.targets[rows])[known].mean())}

    @staticmethod
    def decode(logits: Floats, description: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """See `SequenceLearner`: `predicted:<name>` of each target, in the user's unit."""
        scale = description["scale"]
        values = logits * scale["sd"] + scale["mean"]
        return {
            PREDICTED + name: column
            for name, column in zip(head_of(description).names, values.T, strict=True)
        }


LEARNER = NumberLearner
