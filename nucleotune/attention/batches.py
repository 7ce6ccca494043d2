"""Sequences in batches of like length, each token with its place among all."""

import logging
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nucleotune.sequence.kmers import TokenizedSequences

log = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 15.0


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
    started = reported = time.perf_counter()
    begin = 0
    while begin < len(order):
        longest = lengths[order[begin]]
        indices = order[begin : begin + max(1, max_tokens // longest)]
        yield Batch(indices, *tokenized.rectangle(indices))
        begin += len(indices)
        now = time.perf_counter()
        if now - reported > _LOG_EVERY_SECONDS or begin == len(order):
            rate, reported = begin / (now - started), now
            log.info(
                "attention of %d of %d sequences, %.0f sequences/s, %.0f s to go",
                *(begin, len(order), rate, (len(order) - begin) / rate),
            )
