"""Sequences of one length as a matrix: what networks without padding take."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import BASE_CODES


def base_codes(sequences: Sequence[str], length: int, method: str) -> np.ndarray:
    """Return the code of each nucleotide of sequences in upper-case ACGTN, uint8 (n, length).

    Raises InputError unless all are `length` nt long; `method` is named in it.
    """
    if any(len(sequence) != length for sequence in sequences):
        raise InputError(
            f"{method}: sequences differ in length from the first training row's {length} nt"
        )
    letters = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    return BASE_CODES[letters].reshape(len(sequences), length)


def check_lengths(ids: Sequence[str], sequences: Sequence[str], method: str) -> None:
    """Raise InputError unless all sequences have one length; it names `method`, the lengths and an id of a rare one."""
    lengths = Counter(map(len, sequences))
    if len(lengths) < 2:
        return
    common = lengths.most_common()
    other = next(i for i, sequence in enumerate(sequences) if len(sequence) == common[-1][0])
    found = ", ".join(f"{length} nt ({n} rows)" for length, n in common[:4])
    more = f" and {len(common) - 4} other lengths" if len(common) > 4 else ""
    raise InputError(
        f"{method} takes sequences of one length, found {found}{more}; {ids[other]!r} has {common[-1][0]} nt. Cut the"
        " sequences to one length, or take the method out of the study's list of methods"
    )
