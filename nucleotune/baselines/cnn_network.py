"""The small network of `cnn` in PyTorch.

Three convolutions with batch normalisation and ReLU, the first two followed by pooling, then global maximum pooling,
dropout and a dense layer. Two further channels say where a base lies, from -1 at the first to 1 at the last, and how
far from the middle: maxima over a whole sequence would not know.
"""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from nucleotune.baselines.networks import DEVICE, batches, count_parameters
from nucleotune.progress import Progress
from nucleotune.sequence.alphabet import BASE_CODES, one_hot

log = logging.getLogger(__name__)

#: Options of the network's shape.
SHAPE = ("filters", "kernel")

_POOL = 4
_AT_A_TIME = 256


class Cnn(nn.Module):
    """What `encoded` returns -> (n, parts)."""

    def __init__(self, parts: int, *, filters: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(7, filters, kernel, padding="same")
        self.second = nn.Conv1d(filters, filters, kernel, padding="same")
        self.third = nn.Conv1d(filters, filters, kernel, padding="same")
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters) for _ in range(3))
        self.dropout = nn.Dropout(0.3)
        self.dense = nn.Linear(filters, parts)

    def forward(self, x: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        layers = (self.first, self.second, self.third)
        for number, (layer, norm) in enumerate(zip(layers, self.norms, strict=True)):
            x = torch.relu(norm(layer(x))) * inside
            if number < 2 and x.shape[-1] >= _POOL:
                x, inside = (
                    nn.functional.max_pool1d(part, _POOL, ceil_mode=True) for part in (x, inside)
                )
        # No value is negative, so 0 behind the end is never above a maximum.
        return self.dense(self.dropout(x.amax(dim=-1)))


def encoded(sequences: Sequence[str], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Channels (n, 7, longest) and, for each position, whether it is of the sequence (n, 1, longest).

    Channels: A, C, G, T, place, distance from the middle, 1 throughout the sequence.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    longest = int(lengths.max())
    letters = np.frombuffer(
        "".join(sequence.ljust(longest, "-") for sequence in sequences).encode("ascii"), np.uint8
    )
    bases = one_hot(BASE_CODES[letters].reshape(-1, longest))
    inside = (np.arange(longest) < lengths[:, None]).astype(np.float32)
    place = 2 * np.arange(longest) / np.maximum(lengths - 1, 1)[:, None] - 1
    more = np.stack([place * inside, np.abs(place) * inside, inside], axis=1).astype(np.float32)
    x = torch.from_numpy(np.concatenate([bases, more], axis=1)).to(device)
    return x, torch.from_numpy(inside[:, None]).to(device)


@torch.inference_mode()
def outputs(network: Cnn, sequences: Sequence[str], threads: int) -> torch.Tensor:
    """Outputs of the network, without dropout: float64 (n, parts), on the CPU.

    Sequences of one length are together, so that none is padded: a score does not depend on its neighbours.
    """
    network.eval()
    device = next(network.parameters()).device
    found = torch.empty(len(sequences), network.dense.out_features, dtype=torch.float64)
    by_length: dict[int, list[int]] = {}
    for row, sequence in enumerate(sequences):
        by_length.setdefault(len(sequence), []).append(row)
    with _threads(threads):
        for rows in by_length.values():
            for first in range(0, len(rows), _AT_A_TIME):
                some = rows[first : first + _AT_A_TIME]
                x, inside = encoded([sequences[row] for row in some], device)
                found[some] = network(x, inside).double().cpu()
    return found


def loss_of(kind: str, raw: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean loss of known targets: cross-entropy of classes and labels, squared error of numbers."""
    if kind == "classes":
        return cross_entropy(raw, targets)
    known = ~torch.isnan(targets)
    loss = binary_cross_entropy_with_logits if kind == "labels" else mse_loss
    return loss(raw[known], targets[known]) if known.any() else raw.sum() * 0


def fit_network(
    sequences: Sequence[str],
    targets: np.ndarray,
    valid_sequences: Sequence[str],
    valid_targets: np.ndarray,
    options: Mapping[str, Any],
    seed: int,
    kind: str,
    parts: int,
) -> tuple[Cnn, dict[str, Any]]:
    """Train with Adam; on CUDA if there is one.

    options: `filters` and `kernel` of each convolution; `epochs` at most, `patience` epochs without a lower loss on the
    validation rows before it ends with the best weights (the last ones without such rows); `batch_size`,
    `learning_rate`, `threads`. On the CPU the same seed and number of threads give the same network.

    Returns the network and of it: device, parameters, epochs, losses of the epoch kept.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = DEVICE
    network = Cnn(parts, **{key: options[key] for key in SHAPE}).to(device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=options["learning_rate"], weight_decay=1e-2
    )
    kinds = torch.int64 if kind == "classes" else torch.float32
    y, y_valid = (torch.tensor(t, dtype=kinds) for t in (targets, valid_targets))
    progress = Progress("CNN", len(sequences) * options["epochs"], "rows")
    best: tuple[float, int, float, dict[str, Any]] | None = None
    with _threads(options["threads"]):
        for epoch in range(1, options["epochs"] + 1):
            network.train()
            total = 0.0
            for batch in batches(rng.permutation(len(sequences)), options["batch_size"]):
                x, inside = encoded([sequences[row] for row in batch], device)
                loss = loss_of(kind, network(x, inside), y[batch].to(device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += float(loss.detach()) * len(batch)
                progress.advance(len(batch), "epoch %d, loss %.4f", epoch, float(loss.detach()))
            total /= len(sequences)
            valid_loss = float("nan")
            if len(valid_sequences):
                raw = outputs(network, valid_sequences, options["threads"]).float()
                valid_loss = float(loss_of(kind, raw, y_valid))
            log.info("epoch %d: loss %.4f, of validation rows %.4f", epoch, total, valid_loss)
            if best is None or not valid_loss >= best[0]:
                best = valid_loss, epoch, total, copy.deepcopy(network.state_dict())
            elif epoch - best[1] >= options["patience"]:
                break
    valid_loss, kept, total, weights = best
    network.load_state_dict(weights)
    return network, {
        "device": device.type,
        "parameters": count_parameters(network),
        "epochs": epoch,
        "epoch_kept": kept,
        "losses": {"train": total, "valid": None if np.isnan(valid_loss) else valid_loss},
    }


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Compute on so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
