"""What the training loop asks of a kind of labels, and what every kind does alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from nucleotune.training.memory import TokenBudget

Rows = NDArray[np.int64]


class Learner(ABC):
    """Examples of one kind, and a network that learns them. Rows are indices of the examples.

    network   its trainable parameters are trained in place; on `device`
    sizes     tokens or positions of each example, (n,)
    train     rows to train on
    valid     rows whose loss decides when to stop and which weights to keep
    training  the method's `training` settings
    budget    tokens or positions of one forward pass
    """

    #: Names of the sums over examples that `learn` returns.
    parts: ClassVar[tuple[str, ...]]
    #: Whether examples of a micro-batch are padded to the longest of them.
    padded: ClassVar[bool]

    def __init__(
        self,
        network: torch.nn.Module,
        sizes: Rows,
        *,
        train: Rows,
        valid: Rows,
        training: Mapping[str, Any],
        device: torch.device,
        budget: TokenBudget,
    ) -> None:
        """Keep the arguments (see the class), and move the network to `device`."""
        self.network, self.sizes = network.to(device), sizes
        self.train, self.valid = train, valid
        self.training, self.device, self.budget = training, device, budget

    @abstractmethod
    def batches(self, seed: int, epoch: int) -> list[Rows]:
        """The training rows in batches of `batch_size`, each row once, in an order of `seed` and `epoch` (0-based)."""

    @abstractmethod
    def learn(self, rows: Rows, batch_size: int) -> torch.Tensor:
        """Add to the gradients what `rows`, a part of a batch, contribute to those of the batch's mean loss.

        Returns:
            Sums over the rows, float64 (len(parts),), on the device.
        """

    @abstractmethod
    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """What a training row says of so many examples with these sums of `parts`: `loss`, then further columns."""

    @abstractmethod
    def measure(self, rows: Rows) -> dict[str, float]:
        """The same of `rows`, as the network predicts them now; it is left in evaluation mode."""

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """Parameters that training changes, by name."""
        return {n: p for n, p in self.network.named_parameters() if p.requires_grad}

    def running(self) -> dict[str, torch.Tensor]:
        """Buffers that change in training and count in prediction, such as the running means of normalisations."""
        return {}
