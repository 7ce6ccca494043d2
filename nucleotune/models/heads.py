"""Networks that predict a profile along a sequence: BPNet on nucleotides, and heads on an encoder's hidden states.

All give, for every track (condition or strand), logits over the positions and one number for the total:

    profile logits  (batch, tracks, positions): softmax over the positions is the predicted shape
    log counts      (batch, tracks): log(1 + total count)

Every position counts, so inputs are cut to the positions that are predicted ([CLS], species token, [SEP] removed) and
are of one length: there is no mask. The sizes are those of the published parameter counts of the polyadenylation
study, its table 3; each class names the arrangement that gives them.
"""

import torch
from torch import nn
from torch.nn.functional import pad

#: Channels of a one-hot sequence.
NUCLEOTIDES = 4


class ProfileConv1d(nn.Conv1d):
    """A convolution of many taps to few outputs, stride and dilation 1, that keeps the length.

    One matrix product gives what every tap says of every position; shifted by their taps, these are added up. On the
    CPU that is several times as fast as the library's convolution, which is laid out for many outputs.
    """

    def __init__(self, channels: int, outputs: int, taps: int) -> None:
        """Make the weights of `nn.Conv1d` with padding `same`."""
        super().__init__(channels, outputs, taps, padding="same")

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """(batch, channels, positions) -> (batch, outputs, positions)."""
        (outputs, channels, taps), length = self.weight.shape, signal.shape[-1]
        # The last tap comes first, so that tap number j of the reversed ones is to be moved j places to the right.
        matrix = self.weight.flip(2).transpose(1, 2).reshape(outputs * taps, channels)
        said = (matrix @ signal).unflatten(1, (outputs, taps))
        # Rows of length + taps zeros and all, read as rows that are one shorter: each begins one place later.
        width = length + taps - 1
        moved = pad(said, (0, taps)).flatten(2)[..., : taps * width].unflatten(2, (taps, width))
        first = taps // 2
        return moved.sum(2)[..., first : first + length] + self.bias[:, None]


class BPNet(nn.Module):
    """Dilated residual convolutions on a one-hot sequence (Avsec et al. 2021, doi:10.1038/s41588-021-00782-6).

    relu(convolution of `first_kernel`), then `layers` times x + relu(convolution of 3, dilation 2, 4, 8, ...), then a
    convolution of `profile_kernel` for the profile, and a linear map of the mean over positions for the counts, one
    output a track. Every convolution has a bias and keeps the length. With two tracks:

        64 filters, 8 layers   2,880 + 8 x 12,352 + 9,602 + 130   = 111,428, the 110 K of table 3
        128 filters, 6 layers  5,760 + 6 x 49,280 + 19,202 + 258  = 320,900, six layers as its text says

    A dilation beyond the sequence's length leaves a layer its central tap only.
    """

    def __init__(
        self,
        *,
        channels: int = NUCLEOTIDES,
        filters: int = 64,
        layers: int = 8,
        tracks: int = 2,
        first_kernel: int = 11,
        profile_kernel: int = 75,
    ) -> None:
        """Make the layers for inputs of `channels` values a position."""
        super().__init__()
        self.first = nn.Conv1d(channels, filters, first_kernel, padding="same")
        self.dilated = nn.ModuleList(
            nn.Conv1d(filters, filters, 3, dilation=2**i, padding=2**i)
            for i in range(1, layers + 1)
        )
        # A module for each use: methods of explanation, DeepLIFT for one, hook into modules and know each one's input.
        self.activations = nn.ModuleList(nn.ReLU() for _ in range(layers + 1))
        self.profile = ProfileConv1d(filters, tracks, profile_kernel)
        self.counts = nn.Linear(filters, tracks)

    def forward(self, signal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Profile logits and log counts of `signal` (batch, channels, positions)."""
        first, *others = self.activations
        x = first(self.first(signal))
        for layer, activation in zip(self.dilated, others, strict=True):
            x = x + activation(layer(x))
        return self.profile(x), self.counts(x.mean(dim=2))


class DilatedHead(BPNet):
    """A large BPNet on an encoder's last hidden state: the head of a frozen encoder (model 3 of table 3).

    On 768 channels, 512 filters, 12 layers and two tracks: 4,325,888 + 12 x 786,944 + 76,802 + 1,026 = 13,847,044
    parameters, the 13.8 M of table 3; the 256 filters of its text would give 4.6 M.
    """

    def __init__(
        self, channels: int = 768, *, filters: int = 512, layers: int = 12, **sizes: int
    ) -> None:
        """Make the layers for hidden states of `channels` values; `sizes` are BPNet's others."""
        super().__init__(channels=channels, filters=filters, layers=layers, **sizes)

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Profile logits and log counts of hidden states (batch, positions, channels)."""
        return super().forward(hidden.transpose(1, 2))


class ConvHead(nn.Module):
    """A shallow head on an encoder's last hidden state: that of the encoder trained with LoRA (model 2 of table 3).

    Per width: convolution of 3 with bias, batch normalisation, relu; then a convolution of 3 for the profile, and a
    linear map of the mean over positions for the counts. On 768 channels with widths 512, 256, 128 and two tracks:
    1,180,160 + 393,472 + 98,432 (convolutions) + 1,792 (normalisations) + 770 + 258 = 1,674,884 parameters.
    """

    def __init__(
        self, channels: int = 768, *, widths: tuple[int, ...] = (512, 256, 128), tracks: int = 2
    ) -> None:
        """Make the layers for hidden states of `channels` values."""
        super().__init__()
        blocks = []
        for before, after in zip((channels, *widths), widths, strict=False):
            blocks += [nn.Conv1d(before, after, 3, padding=1), nn.BatchNorm1d(after), nn.ReLU()]
        self.blocks = nn.Sequential(*blocks)
        self.profile = nn.Conv1d(widths[-1], tracks, 3, padding=1)
        self.counts = nn.Linear(widths[-1], tracks)

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Profile logits and log counts of hidden states (batch, positions, channels)."""
        x = self.blocks(hidden.transpose(1, 2))
        return self.profile(x), self.counts(x.mean(dim=2))
