"""What training asks of a kind of labels: the loop (`trainer`), and what stands before and after it (`fit`)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

#: Indices of examples.
Rows = NDArray[np.int64]


class Learner(ABC):
    """Examples of one kind, and a network that learns them; made from the arguments of `fit.fit`.

    table       examples that are trained on or predicted: `id`, `sequence`, `split`, `label` (what decides the loss)
    train       rows of `table` to train on
    valid       rows whose loss decides when to stop and which weights to keep
    sizes       tokens or positions of each row, (n,)
    network     its trainable parameters are trained in place; on `device`
    budget      tokens or positions of one forward pass
    training    the method's `training` settings
    model       the language model's dict as it is read; None for a network without one
    parameters  counts: `total`, `trainable`
    report      of `models.load.load_pretrained`, or None
    identity    what else decides the numbers; JSON values, as are
    facts       for the summary, and
    described   for the model directory's description
    """

    #: Names of the sums over examples that `learn` returns.
    parts: ClassVar[tuple[str, ...]]
    #: Whether examples of a micro-batch are padded to the longest of them.
    padded: ClassVar[bool]
    #: Reads examples; checks and writes predictions.
    read: ClassVar[Callable[[str], Any]]
    write: ClassVar[Callable[[str, Any], None]]

    @abstractmethod
    def batches(self, seed: int, epoch: int) -> list[Rows]:
        """The training rows in batches of `batch_size`, each row once, in an order of `seed` and `epoch` (0-based)."""

    @abstractmethod
    def learn(self, rows: Rows, batch_size: int) -> torch.Tensor:
        """Add to the gradients what `rows`, a part of a batch, contribute to those of the batch's mean loss.

        Returns their sums of `parts`, float64 (len(parts),), on the device.
        """

    @abstractmethod
    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """What a training row says of so many examples with these sums of `parts`: `loss`, then further columns."""

    @abstractmethod
    def measure(self, rows: Rows) -> dict[str, float]:
        """The same of `rows`, as the network predicts them now; it is left in evaluation mode."""

    def running(self) -> dict[str, torch.Tensor]:
        """Buffers that change in training and count in prediction, such as the running means of normalisations."""
        return {}

    @abstractmethod
    def finish(self, best_loss: float) -> tuple[Any, bool]:
        """Predictions of train, valid and test sets by the weights that were kept, and whether these learnt nothing.

        Raises:
            InputError: they learnt nothing, where that is no result.
        """

    @abstractmethod
    def save(self, directory: Path, description: dict[str, Any]) -> None:
        """Write the model directory; `finish` comes before."""
