"""The small network of `cnn` in PyTorch.

One convolution as wide as a motif, maxima over every four positions, dilated residual blocks; a dense layer reads the
maximum of each channel over the sequence, before and after the blocks, and the mean after them: motifs anywhere, and
how many. Two things say where they lie, which maxima and means do not know. The threshold of each filter depends on the
place, from -1 at the first base to 1 at the last, and on its distance from the middle. And where all training rows have
one length, each channel has a weight at each place.

What is kept is a moving average of the weights: those of single steps differ too much on few rows.
"""

import copy
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nucleotune.baselines.networks import DEVICE, batches, count_parameters
from nucleotune.progress import Progress
from nucleotune.sequence.alphabet import BASE_CODES, one_hot

log = logging.getLogger(__name__)

#: Options of the network's shape.
SHAPE = ("filters", "kernel")

_POOL = 4
_DILATIONS, _BLOCK_KERNEL = (1, 2), 5
#: Weight decay; the many weights of places would otherwise learn the training rows by heart.
_DECAY, _DECAY_OF_PLACES = 1e-2, 5.0
#: An epoch passes small tables several times, until it has so many steps.
_STEPS = 50
#: Share of the moving average of the weights that a step keeps.
_KEPT = 0.99
_AT_A_TIME = 256


class Residual(nn.Module):
    """A dilated convolution whose result is added to what it read: (n, filters, length) -> the same."""

    def __init__(self, filters: int, dilation: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters) for _ in range(2))
        self.wide = nn.Conv1d(filters, filters, _BLOCK_KERNEL, padding="same", dilation=dilation)
        self.narrow = nn.Conv1d(filters, filters, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        more = self.wide(torch.relu(self.norms[0](x)) * inside)
        more = self.narrow(torch.relu(self.norms[1](more)))
        return (x + self.dropout(more)) * inside


class Cnn(nn.Module):
    """What `encoded` returns -> (n, parts).

    places: number of weights along a sequence that each channel has, 0 for none; see `places_of`. For sequences of
    another length than that of training they are stretched along.
    """

    def __init__(self, parts: int, *, filters: int, kernel: int, places: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, filters, kernel, padding="same")
        self.norm = nn.BatchNorm1d(filters)
        self.thresholds = nn.Conv1d(2, filters, 1)
        self.blocks = nn.ModuleList(Residual(filters, dilation) for dilation in _DILATIONS)
        self.last = nn.BatchNorm1d(filters)
        self.dropout = nn.Dropout(0.3)
        self.dense = nn.Linear(3 * filters, parts)
        self.places = nn.Parameter(torch.zeros(parts, filters, places)) if places else None

    def forward(
        self, bases: torch.Tensor, place: torch.Tensor, inside: torch.Tensor
    ) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(bases)) + self.thresholds(place)) * inside
        x, inside = (nn.functional.max_pool1d(part, _POOL, ceil_mode=True) for part in (x, inside))
        # No value is negative, so 0 behind the end is never above a maximum.
        motifs = x.amax(dim=-1)
        for block in self.blocks:
            x = block(x, inside)
        x = torch.relu(self.last(x)) * inside
        features = torch.cat([motifs, x.amax(dim=-1), x.sum(dim=-1) / inside.sum(dim=-1)], dim=-1)
        raw, x = self.dense(self.dropout(features)), self.dropout(x)
        if self.places is None:
            return raw
        weights, width = self.places, x.shape[-1]
        if weights.shape[-1] != width:
            share = weights.shape[-1] / width
            weights = share * nn.functional.interpolate(weights, size=width, mode="linear")
        return raw + torch.einsum("ncl,pcl->np", x, weights)


def places_of(sequences: Sequence[str]) -> int:
    """`places` of a network that learns these sequences: after pooling, or 0 if they differ in length."""
    lengths = set(map(len, sequences))
    return -(-lengths.pop() // _POOL) if len(lengths) == 1 else 0


def encoded(
    sequences: Sequence[str], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bases (n, 4, longest), places (n, 2, longest), and 1 where a position is of the sequence (n, 1, longest).

    Places: from -1 at the first base to 1 at the last, and the distance from the middle.
    """
    lengths = np.array([len(sequence) for sequence in sequences])[:, None]
    longest = int(lengths.max())
    letters = np.frombuffer(
        "".join(sequence.ljust(longest, "-") for sequence in sequences).encode("ascii"), np.uint8
    )
    position = np.arange(longest)
    inside = position < lengths
    place = np.where(inside, 2 * position / np.maximum(lengths - 1, 1) - 1, 0)
    read = (
        one_hot(BASE_CODES[letters].reshape(-1, longest)),
        np.stack([place, np.abs(place)], axis=1),
        inside[:, None],
    )
    bases, places, mask = (torch.from_numpy(one.astype(np.float32)).to(device) for one in read)
    return bases, places, mask


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
                read = encoded([sequences[row] for row in some], device)
                found[some] = network(*read).double().cpu()
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
    """Train with Adam.

    options: `filters`, and `kernel`, the width of the first convolution; `epochs` at most, each of at least 50 steps;
    `patience` epochs without a lower loss on the validation rows before it ends with the best weights (the last ones
    without such rows); `batch_size`, `learning_rate`, `threads`. The same seed and number of threads give
    the same network.

    Returns the network and of it: device, parameters, epochs, losses of the epoch kept.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = DEVICE
    shape = {key: options[key] for key in SHAPE}
    network = Cnn(parts, **shape, places=places_of(sequences)).to(device)
    placed = [network.places] if network.places is not None else []
    others = [part for part in network.parameters() if part is not network.places]
    optimizer = torch.optim.AdamW(
        [
            {"params": others, "weight_decay": _DECAY},
            {"params": placed, "weight_decay": _DECAY_OF_PLACES},
        ],
        lr=options["learning_rate"],
    )
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_KEPT), use_buffers=True)
    kinds = torch.int64 if kind == "classes" else torch.float32
    y, y_valid = (torch.tensor(t, dtype=kinds) for t in (targets, valid_targets))
    n = len(sequences)
    passes = math.ceil(_STEPS / math.ceil(n / options["batch_size"]))
    progress = Progress("CNN", passes * n * options["epochs"], "rows")
    best: tuple[float, int, float, dict[str, Any]] | None = None
    with _threads(options["threads"]):
        for epoch in range(1, options["epochs"] + 1):
            network.train()
            total = 0.0
            orders = [rng.permutation(n) for _ in range(passes)]
            for batch in (b for order in orders for b in batches(order, options["batch_size"])):
                read = encoded([sequences[row] for row in batch], device)
                loss = loss_of(kind, network(*read), y[batch].to(device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                average.update_parameters(network)
                total += float(loss.detach()) * len(batch)
                progress.advance(len(batch), "epoch %d, loss %.4f", epoch, float(loss.detach()))
            total /= passes * n
            valid_loss = float("nan")
            if len(valid_sequences):
                raw = outputs(average.module, valid_sequences, options["threads"]).float()
                valid_loss = float(loss_of(kind, raw, y_valid))
            log.info("epoch %d: loss %.4f, of validation rows %.4f", epoch, total, valid_loss)
            if best is None or not valid_loss >= best[0]:
                best = valid_loss, epoch, total, copy.deepcopy(average.module.state_dict())
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
