"""Sequences in batches of like length, each token with its place among all."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nucleotune.progress import Progress
from nucleotune.sequence.kmers import TokenizedSequences


class Batch(NamedTuple):
    """Sequences that are computed together.

    indices  (examples,) into the tokenized sequences
    ids      token ids, int64 (examples, tokens)
    places   of each token among all tokens of all sequences, (examples, tokens); any valid one for padding
    filled   bool (examples, tokens): not padding
    """

    indices: np.ndarray
    ids: np.ndarray
    places: np.ndarray
    filled: np.ndarray


def batches(tokenized: TokenizedSequences, max_tokens: int) -> Iterator[Batch]:
    """All sequences, longest first, so that those of one batch are of like length; logs how far it got."""
    lengths = tokenized.lengths
    order = np.argsort(-lengths, kind="stable")
    progress = Progress("attention", len(order), "sequences")
    begin = 0
    while begin < len(order):
        longest = lengths[order[begin]]
        indices = order[begin : begin + max(1, max_tokens // longest)]
        yield Batch(indices, *tokenized.rectangle(indices))
        begin += len(indices)
        progress.advance(len(indices))
