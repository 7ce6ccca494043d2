"""Sequences with several labels of yes or no, some of which may be unknown."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits

from nucleotune.contracts import LABEL, PREDICTED, SCORE, read_examples
from nucleotune.models.description import head_of
from nucleotune.tasks.labels import check_examples, write_predictions
from nucleotune.training.columns import ColumnLearner, Floats
from nucleotune.training.learner import Rows

logger = logging.getLogger(__name__)


class LabelLearner(ColumnLearner):
    """A language model with one logit a label, by binary cross-entropy of the known ones."""

    task, prefix = "labels", LABEL
    parts = ("loss", "correct", "known")
    checked = staticmethod(check_examples)
    read, write = staticmethod(read_examples), staticmethod(write_predictions)

    def targets_of(self, training: Floats, began: Mapping[str, Any]) -> Floats:
        """See `ColumnLearner`: the labels."""
        for name, column in zip(self.head.names, training.T, strict=True):
            if len(np.unique(column[~np.isnan(column)])) < 2:
                logger.warning("label %r: training examples do not hold both 0 and 1", name)
        return self.values

    def sums(self, logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
        """See `SequenceLearner`."""
        target, weight = self.wanted(rows)
        loss = binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
        correct = (((logits >= 0) == (target > 0)) * weight).sum()
        return loss, correct, weight.sum()

    def judge(self, logits: Floats, rows: Rows) -> dict[str, float]:
        """See `SequenceLearner`."""
        labels, known = self.values[rows], self.weights[rows] > 0
        losses = np.logaddexp(0, logits) - labels * logits
        right = (logits >= 0) == (labels > 0)
        return {"loss": float(losses[known].mean()), "accuracy": float(right[known].mean())}

    @staticmethod
    def decode(logits: Floats, description: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """See `SequenceLearner`: for each label `score:<name>`, a probability, and `predicted:<name>`, 0 or 1."""
        found: dict[str, NDArray[Any]] = {}
        for name, score in zip(head_of(description).names, expit(logits).T, strict=True):
            found |= {SCORE + name: score, PREDICTED + name: (score >= 0.5).astype(np.int8)}
        return found


LEARNER = LabelLearner
