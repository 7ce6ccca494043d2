"""Language models with one output for each of several columns of the examples, whose values may be unknown.

Every known value counts the same, so that a batch's loss is a sum over known values, divided by the batch size and by
how many a training example has on average: parts of a batch add up to it, however it is cut. Examples of which nothing
is known take no part in training or in choosing the weights; they are predicted as all others are.
"""

import hashlib
import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nucleotune.contracts import names_of
from nucleotune.errors import InputError
from nucleotune.training.batches import to_device
from nucleotune.training.gates import check_spread
from nucleotune.training.learner import Rows
from nucleotune.training.sequences import SequenceLearner

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]


class ColumnLearner(SequenceLearner):
    """A language model whose outputs are judged by the known values of columns `prefix`<name>."""

    #: Begins the name of a column of values.
    prefix: ClassVar[str]
    #: Raises InputError unless examples keep the contract.
    checked: ClassVar[Callable[[pd.DataFrame], Any]]

    def names(self, examples: pd.DataFrame) -> Sequence[str]:
        """See `SequenceLearner`."""
        return names_of(examples, self.prefix)

    def check(self, examples: pd.DataFrame) -> None:
        """See `SequenceLearner`."""
        self.checked(examples)
        found = names_of(examples, self.prefix)
        if set(found) != set(self.head.names):
            raise InputError(
                f"method {self.method['title']!r}: examples have columns {self.prefix}<name> of {', '.join(found)}; "
                f"expected {', '.join(self.head.names)}"
            )
        values, split = self.values_of(examples), examples["split"]
        for part, rows in {
            "training": split.isin(self.method["train_splits"]),
            "validation": split == "valid",
        }.items():
            if not (~np.isnan(values[rows])).any():
                raise InputError(
                    f"method {self.method['title']!r} needs {part} examples with known {self.task}, found none"
                )

    def values_of(self, examples: pd.DataFrame) -> Floats:
        """Values, NaN where unknown, (n, outputs)."""
        columns = [self.prefix + name for name in self.head.names]
        return examples[columns].to_numpy(dtype=np.float64, na_value=np.nan)

    def prepare(self, began: Mapping[str, Any]) -> None:
        """See `SequenceLearner`."""
        self.values = self.values_of(self.table)
        known = ~np.isnan(self.values)
        # What decides the loss, as one column.
        digests = [hashlib.sha256(row.tobytes()).hexdigest() for row in self.values]
        self.table = self.table.assign(label=digests)
        some = known.any(axis=1)
        before = len(self.train), len(self.valid)
        self.train, self.valid = (rows[some[rows]] for rows in (self.train, self.valid))
        unused = [n - len(rows) for n, rows in zip(before, (self.train, self.valid), strict=True)]
        if any(unused):
            logger.info(
                "%d training and %d validation examples without known %s",
                *(*unused, self.task),
            )
        self.per_example = known[self.train].sum() / len(self.train)
        self.targets = self.targets_of(self.values[self.train], began)
        self.weights = known.astype(np.float32)

    @abstractmethod
    def targets_of(self, training: Floats, began: Mapping[str, Any]) -> Floats:
        """What the outputs of all rows should be, NaN where unknown, (n, outputs).

        Args:
            training: values of the training rows, (m, outputs).
            began: see `prepare`.
        """

    def wanted(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets of `rows`, 0 where unknown, and weights, 1 or 0, fp32 (len(rows), outputs), on the device."""
        targets = np.nan_to_num(self.targets[rows]).astype(np.float32)
        return to_device(targets, self.device), to_device(self.weights[rows], self.device)

    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """See `Learner`; means over known values."""
        known = sums["known"] or 1.0
        return {
            {"correct": "accuracy"}.get(part, part): sums[part] / known
            for part in self.parts
            if part != "known"
        }

    def predictions(self, logits: Floats, rows: Rows) -> tuple[pd.DataFrame, bool]:
        """See `SequenceLearner`."""
        columns = [self.prefix + name for name in self.head.names]
        table = self.table.loc[rows, ["id", "split", *columns]].reset_index(drop=True)
        valid = (table["split"] == "valid").to_numpy()
        keep = self.training["on_collapse"] == "keep"
        collapsed = check_spread(logits[valid], self.targets[rows][valid], keep=keep)
        return table.assign(**self.decode(logits, self.described)), collapsed
