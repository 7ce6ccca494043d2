"""Sequences of one of two or more classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax
from torch.nn.functional import cross_entropy

from nucleotune.contracts import SCORE, check_examples, read_examples, write_predictions
from nucleotune.errors import InputError
from nucleotune.models.description import head_of
from nucleotune.training.batches import to_device
from nucleotune.training.gates import check_collapse
from nucleotune.training.learner import Rows
from nucleotune.training.sequences import SequenceLearner


class ClassLearner(SequenceLearner):
    """A language model that tells classes apart, by cross-entropy of one logit for each."""

    task = "classes"
    parts = ("loss", "correct")
    read, write = staticmethod(read_examples), staticmethod(write_predictions)

    def check(self, examples: pd.DataFrame) -> None:
        """See `SequenceLearner`."""
        classes = self.head.outputs
        check_examples(examples, classes=classes)
        for split in (*self.method["train_splits"], "valid"):
            found = examples.loc[examples["split"] == split, "label"].nunique()
            if found < 2:
                raise InputError(
                    f"method {self.method['title']!r} needs examples of {'both' if classes == 2 else 'several'} labels "
                    f"in split {split!r}, found {'none' if found == 0 else 'one label only'}"
                )

    def prepare(self, began: Mapping[str, Any]) -> None:
        """See `SequenceLearner`."""
        self.targets = self.table["label"].to_numpy(dtype=np.int64)

    def sums(self, logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
        """See `SequenceLearner`."""
        target = to_device(self.targets[rows], self.device)
        correct = (logits.argmax(1) == target).sum()
        return cross_entropy(logits, target, reduction="sum"), correct

    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """See `Learner`."""
        return {"loss": sums["loss"] / examples, "accuracy": sums["correct"] / examples}

    def judge(self, logits: NDArray[np.float64], rows: Rows) -> dict[str, float]:
        """See `SequenceLearner`."""
        labels = self.targets[rows]
        losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
        accuracy = np.mean(logits.argmax(axis=1) == labels)
        return {"loss": float(np.mean(losses)), "accuracy": float(accuracy)}

    def predictions(self, logits: NDArray[np.float64], rows: Rows) -> tuple[pd.DataFrame, bool]:
        """See `SequenceLearner`."""
        table = self.table.loc[rows, ["id", "split", "label"]].reset_index(drop=True)
        if self.head.outputs == 2:
            score, predicted = scores(logits)
            table = table.assign(score=score, predicted=predicted)
        else:
            each = {f"{SCORE}{k}": column for k, column in enumerate(softmax(logits, axis=1).T)}
            table = table.assign(predicted=logits.argmax(axis=1).astype(np.int8), **each)
        return table, check_collapse(table, keep=self.training["on_collapse"] == "keep")

    @staticmethod
    def decode(
        logits: NDArray[np.float64], description: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]]:
        """See `SequenceLearner`: `score` and `predicted`; of more classes `score:<class>`, and which is predicted."""
        names = head_of(description).names
        if len(names) <= 2:
            return dict(zip(("score", "predicted"), scores(logits), strict=True))
        each = zip(names, softmax(logits, axis=1).T, strict=True)
        predicted = np.array(names, dtype=object)[logits.argmax(axis=1)]
        return {**{SCORE + name: column for name, column in each}, "predicted": predicted}


def scores(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of label 1, float64 (n,), and the decision at one half, int8 (n,), from logits (n, 2)."""
    probability = expit(logits[:, 1] - logits[:, 0])
    return probability, (probability >= 0.5).astype(np.int8)


LEARNER = ClassLearner
