"""The network of lncRNA_Mdeep in PyTorch: three branches, trained one by one and then together.

Fan et al. 2020, see `mdeep_features`; layers, rates and initial values are those of the authors' Keras model, with
588,441 numbers in all (588,065 trained, the others running means and variances). The convolution sees 64 kernels of
4 x 200 on 4 x 3,000; here without the padding (`ConvolutionBranch`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from nucleotune.baselines.mdeep_features import Inputs
from nucleotune.baselines.networks import DEVICE, initialise, on_device_of, predict, train

#: Letters under a kernel of the convolution.
KERNEL = 200

#: Width of each branch's output, and the dropout before the output neuron of its own training.
BRANCHES = {"orf": (4, 0.5), "kmers": (32, 0.5), "convolution": (64, 0.3)}

_FFT = 2048


class OrfBranch(nn.Module):
    """Four features of the longest ORF -> (n, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(4, 4), nn.ReLU(), _norm(4), nn.Linear(4, 4), nn.ReLU(), _norm(4))
        )

    def forward(self, batch: Inputs) -> torch.Tensor:
        return self.layers(on_device_of(self, batch.orf))


class KmerBranch(nn.Module):
    """6-mers of the longest ORF -> (n, 32), the encoder that the paper calls SAE."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(4096, 128), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(64, 32), nn.ReLU()),
        )

    def forward(self, batch: Inputs) -> torch.Tensor:
        return self.layers(on_device_of(self, batch.kmers))


class ConvolutionBranch(nn.Module):
    """Letters of a transcript, padded to `max_length` -> (n, 64): convolution, batch norm, ReLU, global maximum.

    Windows that begin after a transcript's end hold no letter: they all have the value of the bias, which the batch
    norm counts and the maximum may choose. Only the other windows are computed, of all transcripts of a batch end to
    end, by fast Fourier transform; the result is that of the padded convolution but for rounding.
    """

    def __init__(self, max_length: int) -> None:
        super().__init__()
        # In two dimensions as in Keras, whose initial values depend on the number of dimensions.
        self.convolution = nn.Conv2d(1, 64, (4, KERNEL))
        self.norm = nn.BatchNorm1d(64, eps=1e-6, momentum=0.1)
        self.windows = max_length - KERNEL + 1

    def forward(self, batch: Inputs) -> torch.Tensor:
        sizes = []  # of each transcript: windows that begin in it and count; those up to the next one, that do not
        for letters in batch.letters:
            counted = min(len(letters), self.windows)
            sizes += [counted, len(letters) + KERNEL - 1 - counted]
        gap = np.full(KERNEL - 1, 4, dtype=np.uint8)
        codes = np.concatenate([part for letters in batch.letters for part in (letters, gap)])
        values = self._convolve(on_device_of(self, codes)).split(sizes, dim=1)[::2]
        mean, variance = self._moments(values)
        highest = torch.stack([value.max(dim=1).values for value in values])
        lowest = torch.stack([value.min(dim=1).values for value in values])
        padded = torch.tensor(sizes[::2], device=highest.device)[:, None] < self.windows
        highest = torch.where(padded, highest.clamp(min=0), highest)
        lowest = torch.where(padded, lowest.clamp(max=0), lowest)
        # Batch norm is linear in each channel: the maximum of what it gives is that of its highest or lowest value.
        slope = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        extreme = torch.where(slope > 0, highest, lowest)
        return torch.relu((extreme - mean) * slope + self.norm.bias)

    def _convolve(self, codes: torch.Tensor) -> torch.Tensor:
        """Kernels times the one-hot letters `codes` (m,), without the bias, at every window: (64, m)."""
        step = _FFT - KERNEL + 1
        windows = len(codes)
        blocks = -(-windows // step)
        codes = pad(codes, (0, blocks * step + KERNEL - 1 - windows), value=4)
        bases = torch.arange(4, dtype=codes.dtype, device=codes.device)
        one_hot = (codes == bases[:, None]).float()
        signal = torch.fft.rfft(one_hot.unfold(1, _FFT, step)).permute(2, 1, 0)
        kernels = torch.fft.rfft(self.convolution.weight[:, 0], _FFT).conj().permute(2, 1, 0)
        product = torch.matmul(signal, kernels).permute(2, 1, 0)
        return torch.fft.irfft(product, _FFT)[..., :step].flatten(1)[:, :windows]

    def _moments(self, values: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance (64,) of all windows, without the bias; windows that are not in `values` are 0.

        In training those of the batch: the bias cancels out there and keeps its initial zero.
        """
        norm, bias = self.norm, self.convolution.bias
        if not self.training:
            return norm.running_mean - bias, norm.running_var
        total = len(values) * self.windows
        joined = torch.cat(values, dim=1)
        mean = joined.sum(dim=1) / total
        squares = (joined - mean[:, None]).square().sum(dim=1)
        variance = (squares + (total - joined.shape[1]) * mean.square()) / total
        with torch.no_grad():
            norm.running_mean.lerp_(mean + bias, norm.momentum)
            norm.running_var.lerp_(variance * total / (total - 1), norm.momentum)
        return mean, variance


class Mdeep(nn.Module):
    """The three branches and their fusion: logits (n,) of label 1."""

    def __init__(self, max_length: int) -> None:
        super().__init__()
        self.orf = OrfBranch()
        self.convolution = ConvolutionBranch(max_length)
        self.kmers = KmerBranch()
        self.fusion = nn.Sequential(
            *(_norm(100), nn.Dropout(0.5), nn.Linear(100, 16), nn.ReLU()),
            *(_norm(16), nn.Dropout(0.5), nn.Linear(16, 1)),
        )
        self.apply(initialise)

    def forward(self, batch: Inputs) -> torch.Tensor:
        branches = (self.orf, self.convolution, self.kmers)
        return self.fusion(torch.cat([branch(batch) for branch in branches], dim=1))[:, 0]

    def sizes(self) -> dict[str, int]:
        """Numbers in the network, `trainable` and `total`; the latter with running means and variances."""
        trainable = sum(parameter.numel() for parameter in self.parameters())
        running = sum(b.numel() for name, b in self.named_buffers() if ".running_" in name)
        return {"total": trainable + running, "trainable": trainable}

    def probabilities(self, inputs: Inputs) -> np.ndarray:
        """Return the probability of label 1, float64 (n,)."""
        return torch.sigmoid(predict(self, inputs.rows, len(inputs.orf))).numpy()


def fit_network(
    inputs: Inputs, labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Mdeep, dict[str, Any]]:
    """Train each branch alone, with its own output neuron, then all of it.

    Args:
        inputs: the training rows.
        labels: (n,), 0 or 1, of both at least one.
        options: `max_length` of a transcript; `epochs` and `batch_size` of each of orf, kmers, convolution, fusion.
        seed: of the initial weights, dropout and the order of rows; on the CPU the same seed gives the same network.

    Returns:
        The network, and of it: device, parameters, and the mean training loss of each stage's last epoch.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = DEVICE
    network = Mdeep(options["max_length"]).to(device)
    targets = torch.from_numpy(labels.astype(np.float32)).to(device)
    losses = {}

    def train_stage(module: nn.Module, stage: str) -> None:
        loss, adam = (
            binary_cross_entropy_with_logits,
            torch.optim.Adam(module.parameters(), eps=1e-7),
        )
        trained = train(
            *(module, inputs.rows, targets, loss, adam), stage=stage, rng=rng, **options[stage]
        )
        losses[stage] = trained.loss

    for name, (width, dropout) in BRANCHES.items():
        output = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, 1), nn.Flatten(0))
        alone = nn.Sequential(getattr(network, name), output.apply(initialise)).to(device)
        train_stage(alone, name)
    train_stage(network, "fusion")
    return network, {"device": device.type, "parameters": network.sizes(), "losses": losses}


def _norm(width: int) -> nn.BatchNorm1d:
    """Batch norm with Keras' defaults (its momentum is one minus torch's)."""
    return nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)
