"""Networks behind `models.profile`, and what they read of a sequence."""

from collections.abc import Sequence

import torch
from torch import nn

from nucleotune.sequence import alphabet

#: Profile logits and log counts.
Output = tuple[torch.Tensor, torch.Tensor]


class AverageProfile(nn.Module):
    """The same profile logits and log counts for every sequence."""

    def __init__(self, tracks: int, positions: int) -> None:
        """Make a flat profile of no reads; `training.kinds.profiles` fills in what the training sequences have."""
        super().__init__()
        self.register_buffer("profile", torch.zeros(tracks, positions))
        self.register_buffer("counts", torch.zeros(tracks))

    def forward(self, signal: torch.Tensor) -> Output:
        """Profile logits and log counts, for as many sequences as `signal` has."""
        return self.profile.expand(len(signal), -1, -1), self.counts.expand(len(signal), -1)


class EncoderProfile(nn.Module):
    """A language model's encoder with a profile head on the hidden states of its k-mers."""

    def __init__(
        self, encoder: nn.Module, head: nn.Module, *, k: int, leading: int, faithful: bool
    ) -> None:
        """`leading`: special tokens in front of the k-mers; one follows them. `faithful`: see `models.profile`."""
        super().__init__()
        self.encoder, self.head = encoder, head
        self.k, self.leading, self.faithful = k, leading, faithful

    def forward(self, ids: torch.Tensor) -> Output:
        """Profile logits and log counts of token ids (batch, tokens)."""
        return self.from_hidden(self.hidden(input_ids=ids))

    def hidden(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Hidden states of the predicted positions, fp32 (batch, positions, hidden)."""
        states = self.encoder(**inputs).last_hidden_state[:, self.leading : -1].float()
        return states if self.faithful else spread_kmers(states, self.k)

    def from_hidden(self, hidden: torch.Tensor) -> Output:
        """Profile logits and log counts of hidden states; in fp32 wherever the encoder is not."""
        with torch.autocast(hidden.device.type, enabled=False):
            return self.head(hidden)


def spread_kmers(states: torch.Tensor, k: int) -> torch.Tensor:
    """For every nucleotide the mean over the overlapping k-mers that cover it.

    (batch, kmers, channels) -> (batch, kmers + k - 1, channels); k-mer j covers nucleotides j to j + k - 1.
    """
    batch, kmers, channels = states.shape
    total = states.new_zeros(batch, kmers + k - 1, channels)
    cover = states.new_zeros(kmers + k - 1, 1)
    for offset in range(k):
        total[:, offset : offset + kmers] += states
        cover[offset : offset + kmers] += 1
    return total / cover


def one_hot(sequences: Sequence[str]) -> torch.Tensor:
    """float32 (n, 4, length) of sequences of one length; channels in the order of `alphabet.BASES`."""
    return torch.from_numpy(alphabet.one_hot(alphabet.base_codes(sequences)))
