"""Sequences of one length as one-hot arrays, and back."""

from collections.abc import Sequence

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.kmers import join_letters

#: Channels, in this order in every array of the room, as in MEME's and modisco's files.
BASES = "ACGT"

#: Code of any letter but those of BASES.
UNKNOWN = len(BASES)

_CODES = np.full(256, UNKNOWN, dtype=np.int8)
_CODES[np.frombuffer(BASES.encode(), dtype=np.uint8)] = range(len(BASES))


def base_codes(sequences: Sequence[str]) -> np.ndarray:
    """Places of the letters in BASES, UNKNOWN for any other: int8 (n, L).

    Raises InputError if there is no sequence, an empty one, or one that is as long as the first one is not.
    """
    letters, lengths = join_letters(sequences)
    if not len(lengths) or not lengths[0]:
        raise InputError("no sequence, or an empty one: nothing to attribute an output to")
    if (lengths != lengths[0]).any():
        first = int(np.argmax(lengths != lengths[0]))
        raise InputError(
            f"sequence {first} (from 0) has {lengths[first]} nt, but sequence 0 has {lengths[0]} nt: contributions "
            f"are one array, so all sequences must have the same length"
        )
    return _CODES[letters].reshape(len(lengths), -1)


def one_hot(sequences: Sequence[str]) -> np.ndarray:
    """One channel a base, 1 where the sequence has it: float32 (n, 4, L); N has none. Errors as of `base_codes`."""
    codes = base_codes(sequences)
    channels = np.arange(len(BASES), dtype=np.int8)[:, None]
    return (codes[:, None] == channels).astype(np.float32)


def at_bases(contributions: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """Of contributions of every base (n, L, 4), those of the bases that one-hot sequences (n, 4, L) have: (n, L)."""
    return (contributions * sequences.transpose(0, 2, 1)).sum(axis=2)


def on_bases(values: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """Values of nucleotides (n, L) at the bases that one-hot sequences (n, 4, L) have, 0 elsewhere: (n, L, 4).

    In place of hypothetical contributions, for modisco, where a method gives none: gradients at token embeddings. The
    polyadenylation study did so for all its models.
    """
    return values[:, :, None] * sequences.transpose(0, 2, 1)
