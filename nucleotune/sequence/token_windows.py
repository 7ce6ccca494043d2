"""Sequences as a model reads them: each in one window, or a longer one in several that overlap.

A window is a view of its sequence's tokens, special tokens included: nothing is copied or encoded again, so a k-mer or
a byte pair is the same token in every window. All windows of a sequence in several are as long as the model reads, and
are spread evenly from its first token to its last.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nucleotune.errors import InputError
from nucleotune.sequence.kmers import TokenizedSequences

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TokenWindows:
    """m windows of n tokenized sequences, those of a sequence one after the other.

    tokenized  the sequences
    owners     int64 (m,), number of each window's sequence, in order
    firsts     int64 (m,), token of the sequence, special ones not counted, with which the window begins
    sizes      int64 (m,), tokens of the window, special ones included
    leading    special tokens at the head of every window, those of its sequence
    trailing   likewise at its end
    pooling    how outputs of a sequence's windows become the sequence's: `mean` or `max`
    """

    tokenized: TokenizedSequences
    owners: Ints
    firsts: Ints
    sizes: Ints
    leading: int = 0
    trailing: int = 0
    pooling: str = "mean"

    def __len__(self) -> int:
        return len(self.tokenized)

    @cached_property
    def counts(self) -> Ints:
        """Windows of each sequence, (n,)."""
        return np.bincount(self.owners, minlength=len(self))

    @cached_property
    def lengths(self) -> Ints:
        """Tokens that are read of each sequence, in all of its windows, (n,)."""
        totals = np.zeros(len(self), dtype=np.int64)
        np.add.at(totals, self.owners, self.sizes)
        return totals

    @cached_property
    def _begins(self) -> Ints:
        return np.cumsum(self.counts) - self.counts

    def of(self, sequences: Ints) -> Ints:
        """Numbers of the windows of some sequences, in the order of these."""
        counts = self.counts[sequences]
        before = np.cumsum(counts) - counts
        return np.arange(counts.sum()) + np.repeat(self._begins[sequences] - before, counts)

    def rectangle(self, windows: Ints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `TokenizedSequences.rectangle`, of windows."""
        whole, sizes = self.tokenized, self.sizes[windows, None]
        owners = self.owners[windows]
        position = np.arange(sizes.max())
        filled = position < sizes
        inner = (position >= self.leading) & (position < sizes - self.trailing)
        skipped = np.where(inner, self.firsts[windows, None], 0)
        # What a window leaves out of its sequence lies before the special tokens at its end.
        left_out = whole.lengths[owners, None] - sizes
        skipped = np.where(position >= sizes - self.trailing, left_out, skipped)
        places = whole.offsets[owners, None] + np.where(filled, position + skipped, 0)
        ids = np.where(filled, whole.tokens[places], whole.pad_id).astype(np.int64)
        return ids, places, filled


def undivided(tokenized: TokenizedSequences) -> TokenWindows:
    """Each sequence in one window."""
    n = len(tokenized)
    return TokenWindows(tokenized, np.arange(n), np.zeros(n, dtype=np.int64), tokenized.lengths)


def in_windows(
    tokenized: TokenizedSequences,
    *,
    most: int,
    leading: int,
    trailing: int,
    overlap: float,
    pooling: str = "mean",
) -> TokenWindows:
    """Sequences longer than `most` tokens in windows of so many, the others in one.

    Args:
        tokenized: whole sequences.
        most: tokens of a window, special ones included.
        leading: special tokens at the head of each sequence.
        trailing: likewise at its end.
        overlap: least share of a window, special tokens left out, that the next one reads again, 0 to below 1.
        pooling: see `TokenWindows`.

    Raises:
        InputError: `most` has no room for a token besides the special ones.
    """
    special = leading + trailing
    if most <= special:
        raise InputError(
            f"max_tokens {most} leaves no room for a token of the sequence besides {special} special token(s)"
        )
    room, contents = most - special, tokenized.lengths - special
    counts = window_counts(contents, room, overlap)
    owners = np.repeat(np.arange(len(tokenized)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    beyond = np.maximum(contents - room, 0)[owners]
    firsts = number * beyond // np.maximum(counts - 1, 1)[owners]
    sizes = np.minimum(tokenized.lengths, most)[owners]
    return TokenWindows(tokenized, owners, firsts, sizes, leading, trailing, pooling)


def window_counts(contents: Ints, room: int, overlap: float) -> Ints:
    """Fewest windows of `room` tokens that cover each of `contents` (n,), where neighbours share `overlap` of one."""
    step = room - int(overlap * room)
    beyond = np.maximum(np.asarray(contents) - room, 0)
    return 1 + -(-beyond // step).astype(np.int64)
