"""The network of iDeepS in PyTorch: two convolutions, a bidirectional LSTM over what both found, 16,322 numbers.

Pan et al. 2018, see `ideeps_features`; layers, rates and initial values are those of the authors' model in Keras 1.1.2,
some of which no later Keras has: see `Convolution` and `BidirectionalLSTM`.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, embedding, hardsigmoid

from nucleotune.baselines.networks import (
    DEVICE,
    EarlyStop,
    count_parameters,
    initialise,
    on_device_of,
    one_thread,
    train,
)

FILTERS = 16
KERNEL = 10
POOL = 3
HIDDEN = 32


class Convolution(nn.Module):
    """One kind of codes (n, m) -> (n, (m - 9) // 3, 16): one-hot, convolution, ReLU, maximum of 3, dropout.

    Code `channels` stands for no letter: it counts `unknown` for each of them.
    """

    def __init__(self, channels: int, unknown: float) -> None:
        super().__init__()
        table = torch.cat([torch.eye(channels), torch.full((1, channels), unknown)])
        self.register_buffer("table", table, persistent=False)
        self.convolution = nn.Conv1d(channels, FILTERS, KERNEL)
        self.rest = nn.Sequential(nn.ReLU(), nn.MaxPool1d(POOL), nn.Dropout(0.5))
        # Glorot's distribution as Keras 1 computes it: its kernels are (10, 1, channels, 16), but it counts inputs
        # and outputs as if the first two numbers were filters and channels.
        limit = math.sqrt(6 / ((1 + KERNEL) * channels * FILTERS))
        nn.init.uniform_(self.convolution.weight, -limit, limit)
        nn.init.zeros_(self.convolution.bias)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        one_hot = embedding(codes.int(), self.table).transpose(1, 2)
        return self.rest(self.convolution(one_hot)).transpose(1, 2)


class BidirectionalLSTM(nn.Module):
    """Steps (n, t, inputs) -> last outputs of both directions side by side (n, 2 * hidden), as in Keras 1.

    Gates are clamp(0.2 x + 0.5, 0, 1), not the logistic function, so torch's LSTM does not fit. Both directions go
    through the loop together; all that does not depend on the step before is computed ahead of it.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        # One after the other: input, forget and output gate, candidate; first axis: direction.
        self.kernel = nn.Parameter(torch.empty(2, inputs, 4 * hidden))
        self.recurrent = nn.Parameter(torch.empty(2, hidden, 4 * hidden))
        self.bias = nn.Parameter(torch.zeros(2, 1, 1, 4 * hidden))
        # torch's hardsigmoid is clamp(x / 6 + 0.5, 0, 1).
        scale = torch.cat([torch.full((3 * hidden,), 1.2), torch.ones(hidden)])
        self.register_buffer("scale", scale, persistent=False)
        with torch.no_grad():
            for direction in range(2):
                for gate in range(4):
                    columns = slice(gate * hidden, (gate + 1) * hidden)
                    nn.init.xavier_uniform_(self.kernel[direction, :, columns])
                    nn.init.orthogonal_(self.recurrent[direction, :, columns], gain=1.1)
            self.bias[..., hidden : 2 * hidden] = 1

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        both = torch.stack([steps, steps.flip(1)])
        ahead = (both @ self.kernel[:, None] + self.bias) * self.scale
        recurrent = self.recurrent * self.scale
        output = cell = steps.new_zeros(2, len(steps), self.hidden)
        for step in ahead.unbind(2):
            gates, candidate = torch.baddbmm(step, output, recurrent).split(
                [3 * self.hidden, self.hidden], dim=2
            )
            enter, keep, leave = hardsigmoid(gates).chunk(3, dim=2)
            cell = keep * cell + enter * torch.tanh(candidate)
            output = leave * torch.tanh(cell)
        return torch.cat([output[0], output[1]], dim=1)


class Ideeps(nn.Module):
    """Codes (n, 2, m), see `make_inputs` -> logits (n, 2); what both convolutions find is read one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = Convolution(4, unknown=0.25)
        self.elements = Convolution(6, unknown=0.16)
        self.recurrent = BidirectionalLSTM(FILTERS, HIDDEN)
        dense, output = nn.Linear(2 * HIDDEN, 32), nn.Linear(32, 2)
        self.rest = nn.Sequential(nn.Dropout(0.1), dense, nn.ReLU(), output).apply(initialise)

    def forward(self, codes: np.ndarray) -> torch.Tensor:
        letters, elements = on_device_of(self, codes).unbind(1)
        steps = torch.cat([self.letters(letters), self.elements(elements)], dim=1)
        return self.rest(self.recurrent(steps))


@one_thread()
def fit_network(
    inputs: np.ndarray,
    labels: np.ndarray,
    valid_inputs: np.ndarray,
    valid_labels: np.ndarray,
    options: Mapping[str, Any],
    seed: int,
) -> tuple[Ideeps, dict[str, Any]]:
    """Train with RMSprop on cross-entropy until the validation loss stops falling.

    Args:
        inputs: the training rows, uint8 (n, 2, m), see `make_inputs`.
        labels: (n,), 0 or 1.
        valid_inputs: the validation rows, at least one.
        valid_labels: theirs.
        options: `epochs` at most, `batch_size`, and `patience` of `networks.EarlyStop`.
        seed: of the initial weights, dropout and the order of rows; on the CPU the same seed gives the same network,
            whatever the number of threads.

    Returns:
        The network, and of it: device, parameters, epochs trained, and the last epoch's losses.
    """
    torch.manual_seed(seed)
    device = DEVICE
    network = Ideeps().to(device)
    valid_targets = torch.tensor(valid_labels)
    trained = train(
        network,
        inputs.__getitem__,
        torch.tensor(labels).to(device),
        cross_entropy,
        torch.optim.RMSprop(network.parameters(), lr=1e-3, alpha=0.9, eps=1e-8),
        stage="iDeepS",
        epochs=options["epochs"],
        batch_size=options["batch_size"],
        rng=np.random.default_rng(seed),
        early_stop=EarlyStop(valid_inputs.__getitem__, valid_targets, options["patience"]),
    )
    return network, {
        "device": device.type,
        "parameters": count_parameters(network),
        "epochs": trained.epochs,
        "losses": {"train": trained.loss, "valid": trained.valid_loss},
    }
