"""Sequences of one length as one-hot arrays, and back."""

from collections.abc import Sequence

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence import alphabet


def base_codes(sequences: Sequence[str]) -> np.ndarray:
    """Codes of letters (`sequence.alphabet`), uint8 (n, L).

    Raises InputError if there is no sequence, an empty one, or one that is as long as the first one is not.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    if not len(lengths) or not lengths[0]:
        raise InputError("no sequence, or an empty one: nothing to attribute an output to")
    if (lengths != lengths[0]).any():
        first = int(np.argmax(lengths != lengths[0]))
        raise InputError(
            f"sequence {first} (from 0) has {lengths[first]} nt, but sequence 0 has {lengths[0]} nt: contributions "
            f"are one array, so all sequences must have the same length"
        )
    return alphabet.base_codes(sequences)


def one_hot(sequences: Sequence[str]) -> np.ndarray:
    """`alphabet.one_hot`, float32 (n, 4, L); errors as of `base_codes`."""
    return alphabet.one_hot(base_codes(sequences))


def at_bases(contributions: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """Of contributions of every base (n, L, 4), those of the bases that one-hot sequences (n, 4, L) have: (n, L)."""
    return (contributions * sequences.transpose(0, 2, 1)).sum(axis=2)


def on_bases(values: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """Values of nucleotides (n, L) at the bases that one-hot sequences (n, 4, L) have, 0 elsewhere: (n, L, 4).

    In place of hypothetical contributions, for modisco, where a method gives none: gradients at token embeddings. The
    polyadenylation study did so for all its models.
    """
    return values[:, :, None] * sequences.transpose(0, 2, 1)
