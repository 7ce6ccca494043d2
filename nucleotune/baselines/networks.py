"""What the networks have in common: a training loop as Keras has it, its initial values, and prediction.

A network takes whatever `Rows` makes of the indices of some rows.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from nucleotune.progress import Progress

log = logging.getLogger(__name__)

Rows = Callable[[np.ndarray], Any]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

#: What rule `baseline` asks for, whatever else the machine has: its GPUs are other jobs'.
DEVICE = torch.device("cpu")

_PREDICTED_AT_A_TIME = 256


class EarlyStop(NamedTuple):
    """Rows of known `targets` whose loss is measured after each epoch, and how long it may fail to reach a new minimum.

    As in Keras 1, training ends with the epoch that is one more than `patience` in a row without a new minimum, and
    the network keeps its last weights, not its best.
    """

    rows: Rows
    targets: torch.Tensor
    patience: int


class Trained(NamedTuple):
    """Epochs trained; mean training loss of the last one, dropout included; the loss of `EarlyStop` after it."""

    epochs: int
    loss: float
    valid_loss: float | None


def train(
    network: nn.Module,
    rows: Rows,
    targets: torch.Tensor,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    *,
    stage: str,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    early_stop: EarlyStop | None = None,
) -> Trained:
    """Train `network` on all rows, in a new order each epoch.

    `loss` takes outputs and targets of a batch and returns their mean; `stage` names the training in the log.
    """
    n = len(targets)
    progress = Progress(stage, n * epochs, "rows")
    valid_losses: list[float] = []
    for epoch in range(1, epochs + 1):
        network.train()
        losses = []
        for batch in batches(rng.permutation(n), batch_size):
            mean = loss(network(rows(batch)), targets[batch])
            optimizer.zero_grad()
            mean.backward()
            optimizer.step()
            losses.append(mean.detach() * len(batch))
            progress.advance(len(batch), "epoch %d of %d, loss %.4f", epoch, epochs, mean.detach())
        if early_stop is not None:
            outputs = predict(network, early_stop.rows, len(early_stop.targets))
            valid_losses.append(loss(outputs, early_stop.targets.cpu()).item())
            if epoch - 1 - int(np.argmin(valid_losses)) > early_stop.patience:
                log.info("%s: no lower validation loss; ended with epoch %d", stage, epoch)
                break
    last = float(torch.stack(losses).sum() / n)
    return Trained(epoch, last, valid_losses[-1] if valid_losses else None)


def batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut `order` into parts of `size`, the last one smaller; never a single row, which has no variance."""
    cuts = np.arange(size, len(order), size)
    return np.split(order, cuts[cuts < len(order) - 1])


@torch.inference_mode()
def predict(network: nn.Module, rows: Rows, n: int) -> torch.Tensor:
    """Return the outputs for rows 0 to n - 1, without dropout: float64 (n, ...), on the CPU."""
    network.eval()
    everything = np.arange(n)
    parts = np.split(everything, everything[_PREDICTED_AT_A_TIME::_PREDICTED_AT_A_TIME])
    return torch.cat([network(rows(part)).double().cpu() for part in parts])


def probabilities(network: nn.Module, rows: Rows, n: int) -> np.ndarray:
    """Return the probability of label 1, float64 (n,), of a network with two outputs."""
    return torch.softmax(predict(network, rows, n), dim=1)[:, 1].numpy()


def network_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """All weights of a network, and what it has measured in training, by their names."""
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


def restore_network(make: Callable[[], nn.Module], arrays: Mapping[str, np.ndarray]) -> nn.Module:
    """The network that `make` builds, with the weights of `network_arrays`."""
    with torch.random.fork_rng(devices=[]):
        network = make()
    names = network.state_dict()
    network.load_state_dict({name: torch.tensor(arrays[name]) for name in names})
    return network


def count_parameters(network: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in network.parameters())


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one core: layers too small to share are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_device_of(module: nn.Module, array: np.ndarray) -> torch.Tensor:
    """Return `array` as a tensor where the parameters of `module` are."""
    return torch.from_numpy(array).to(next(module.parameters()).device)


def initialise(module: nn.Module) -> None:
    """Keras 2's initial values of dense and convolutional layers: Glorot's uniform distribution, zero bias."""
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
