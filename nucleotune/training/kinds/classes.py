"""Sequences of one of two classes."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch.nn.functional import cross_entropy

from nucleotune.contracts import check_examples, read_examples, write_predictions
from nucleotune.errors import InputError
from nucleotune.training.batches import to_device
from nucleotune.training.gates import check_collapse
from nucleotune.training.learner import Rows
from nucleotune.training.sequences import SequenceLearner


class ClassLearner(SequenceLearner):
    """A language model that tells two classes apart, by cross-entropy of two logits."""

    parts = ("loss", "correct")
    read, write = staticmethod(read_examples), staticmethod(write_predictions)

    def check(self, examples: pd.DataFrame) -> None:
        """See `SequenceLearner`."""
        check_examples(examples)
        for split in (*self.method["train_splits"], "valid"):
            found = examples.loc[examples["split"] == split, "label"].nunique()
            if found < 2:
                raise InputError(
                    f"method {self.method['title']!r} needs examples of both labels in split {split!r}, found "
                    f"{'none' if found == 0 else 'one label only'}"
                )

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """0 or 1 of each row, (n,)."""
        return self.table["label"].to_numpy(dtype=np.int64)

    def sums(self, logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
        """See `SequenceLearner`."""
        target = to_device(self.labels[rows], self.device)
        correct = (logits.argmax(1) == target).sum()
        return cross_entropy(logits, target, reduction="sum"), correct

    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """See `Learner`."""
        return {"loss": sums["loss"] / examples, "accuracy": sums["correct"] / examples}

    def judge(self, logits: NDArray[np.float64], rows: Rows) -> dict[str, float]:
        """See `SequenceLearner`."""
        labels = self.labels[rows]
        losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
        accuracy = np.mean(logits.argmax(axis=1) == labels)
        return {"loss": float(np.mean(losses)), "accuracy": float(accuracy)}

    def predictions(self, logits: NDArray[np.float64], rows: Rows) -> tuple[pd.DataFrame, bool]:
        """See `SequenceLearner`."""
        score, predicted = scores(logits)
        table = self.table.loc[rows, ["id", "split", "label"]].reset_index(drop=True)
        table = table.assign(score=score, predicted=predicted)
        return table, check_collapse(table, keep=self.training["on_collapse"] == "keep")


def scores(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of label 1, float64 (n,), and the decision at one half, int8 (n,), from logits (n, 2)."""
    probability = expit(logits[:, 1] - logits[:, 0])
    return probability, (probability > 0.5).astype(np.int8)


LEARNER = ClassLearner
