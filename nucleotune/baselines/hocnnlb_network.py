"""The network of HOCNNLB in PyTorch: two convolutions on the 4-mers of an RNA, 85,562 numbers at 101 nt.

Zhang et al. 2019, see `hocnnlb_features`; layers, rates and initial values are those of the authors' Keras 2 model.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nucleotune.baselines.hocnnlb_features import ORDER, WORDS, word_codes
from nucleotune.baselines.networks import (
    DEVICE,
    count_parameters,
    initialise,
    on_device_of,
    train,
)
from nucleotune.errors import InputError

#: Options of the network's shape.
SHAPE = ("filters", "kernel", "pool", "dense")


class WordConvolution(nn.Module):
    """Convolution of one-hot words, without the one-hot: codes (n, m), 0 to 256 -> (n, filters, m - kernel + 1).

    A one-hot row only picks a row of the kernel, so those are picked and added up. 256, the unknown word, counts 1/256
    for each word: it picks the mean of the rows.
    """

    def __init__(self, filters: int, kernel: int) -> None:
        super().__init__()
        limit = math.sqrt(6 / (kernel * (WORDS + filters)))
        weight = torch.empty(kernel, WORDS, filters)
        self.weight = nn.Parameter(nn.init.uniform_(weight, -limit, limit))
        self.bias = nn.Parameter(torch.zeros(filters))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        kernel, _, filters = self.weight.shape
        outputs = codes.shape[1] - kernel + 1
        by_position = codes.T.contiguous()
        total = self.bias
        for offset, rows in enumerate(torch.cat([self.weight, self.weight.mean(1, True)], dim=1)):
            picked = by_position[offset : offset + outputs].flatten()
            total = total + rows.index_select(0, picked)
        return total.view(outputs, len(codes), filters).permute(1, 2, 0)


class Hocnnlb(nn.Module):
    """Base codes (n, length) -> logits (n, 2)."""

    def __init__(self, length: int, *, filters: int, kernel: int, pool: int, dense: int) -> None:
        super().__init__()
        self.margin = kernel // 2
        left = ((length - ORDER + 2) // pool - kernel // 2 + 1) // pool
        if left < 1:
            shortest = pool * (pool + kernel // 2 - 1) + ORDER - 2
            raise InputError(
                f"HOCNNLB with kernel {kernel} and pool {pool} takes sequences of {shortest} nt and more, found "
                f"{length} nt; make kernel or pool smaller, or take the method out of its list"
            )
        self.words = WordConvolution(filters, kernel)
        self.rest = nn.Sequential(
            *(nn.ReLU(), nn.MaxPool1d(pool), nn.Dropout(0.5)),
            *(nn.Conv1d(filters, filters, kernel // 2), nn.ReLU(), nn.MaxPool1d(pool)),
            *(nn.Dropout(0.25), nn.Flatten(), nn.Linear(left * filters, dense), nn.ReLU()),
            *(nn.Dropout(0.25), nn.Linear(dense, 2)),
        ).apply(initialise)

    def forward(self, codes: np.ndarray) -> torch.Tensor:
        return self.rest(self.words(on_device_of(self, word_codes(codes, self.margin))))


def fit_network(
    codes: np.ndarray, labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Hocnnlb, dict[str, Any]]:
    """Train with RMSprop on cross-entropy, all epochs.

    Args:
        codes: the training rows, uint8 (n, length), see `base_codes`.
        labels: (n,), 0 or 1.
        options: `filters`, `kernel` (even; the second convolution has half of it), `pool` and `dense` (neurons of the
            hidden layer) of the network; `epochs` and `batch_size`.
        seed: of the initial weights, dropout and the order of rows; on the CPU the same seed gives the same network.

    Returns:
        The network, and of it: device, parameters and the mean training loss of the last epoch.

    Raises:
        InputError: the sequences are too short for the network.
    """
    torch.manual_seed(seed)
    device = DEVICE
    shape = {key: options[key] for key in SHAPE}
    network = Hocnnlb(codes.shape[1], **shape).to(device)
    trained = train(
        network,
        codes.__getitem__,
        torch.tensor(labels).to(device),
        cross_entropy,
        torch.optim.RMSprop(network.parameters(), lr=1e-3, alpha=0.9, eps=1e-7),
        stage="HOCNNLB",
        epochs=options["epochs"],
        batch_size=options["batch_size"],
        rng=np.random.default_rng(seed),
    )
    return network, {
        "device": device.type,
        "parameters": count_parameters(network),
        "losses": {"train": trained.loss},
    }
