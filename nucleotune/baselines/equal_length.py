"""Sequences of one length as a matrix: what networks without padding take."""

from collections.abc import Sequence

import numpy as np

from nucleotune.errors import InputError

#: Code of every byte: A, C, G, T are 0 to 3, anything else, N above all, is `OTHER`.
OTHER = 4
_CODES = np.full(256, OTHER, dtype=np.uint8)
_CODES[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)


def base_codes(sequences: Sequence[str], length: int, method: str) -> np.ndarray:
    """Return the code of each nucleotide of sequences in upper-case ACGTN, uint8 (n, length).

    Raises InputError unless all are `length` nt long; `method` is named in it.
    """
    others = [sequence for sequence in sequences if len(sequence) != length]
    if others:
        raise InputError(
            f"{method} takes sequences of one length: expected {length} nt as in the first training row, found "
            f"{len(others[0])} nt in {others[0][:20]}... and {len(others) - 1} more of {len(sequences)} rows; cut the "
            "data set to one length, or take the method out of its list"
        )
    letters = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    return _CODES[letters].reshape(len(sequences), length)
