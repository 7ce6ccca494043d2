"""One policy for letters: upper case, U becomes T, IUPAC ambiguity codes become N, anything else is refused."""

import re
from collections.abc import Sequence

import numpy as np

#: The bases in the order of their codes, which is that of the channels of every one-hot array.
BASES = "ACGT"

#: Code of any letter but those of BASES, N above all.
OTHER = len(BASES)

#: Code of every byte.
BASE_CODES = np.full(256, OTHER, dtype=np.uint8)
BASE_CODES[np.frombuffer(BASES.encode(), dtype=np.uint8)] = range(len(BASES))

_COMPLEMENT = str.maketrans(BASES, "TGCA")
_FROM = "acgtuACGTU" + "rykmswbdhvnRYKMSWBDHVN"
_TO = "ACGTTACGTT" + "N" * 22
_TABLE = str.maketrans(_FROM, _TO)
_ILLEGAL = re.compile("[^ACGTN]")


def base_codes(sequences: Sequence[str]) -> np.ndarray:
    """Codes of sequences of one length, at least one: uint8 (n, length)."""
    letters = np.frombuffer("".join(sequences).encode("ascii", "replace"), dtype=np.uint8)
    return BASE_CODES[letters].reshape(len(sequences), -1)


def spelled(codes: np.ndarray) -> str:
    """The sequence whose codes these are, (length,); none may be OTHER."""
    return np.frombuffer(BASES.encode(), dtype=np.uint8)[codes].tobytes().decode("ascii")


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Of codes (n, length) one channel a base, 1 where it is: float32 (n, 4, length); OTHER has none."""
    channels = np.arange(len(BASES), dtype=np.uint8)[:, None]
    return (codes[:, None] == channels).astype(np.float32)


def normalise(sequence: str) -> str:
    """Return `sequence` in upper-case ACGTN.

    Raises ValueError naming the first letter that is no nucleotide code (gaps and stops included) and its 1-based
    position; the caller knows file and record.
    """
    normalised = sequence.translate(_TABLE)
    illegal = _ILLEGAL.search(normalised)
    if illegal:
        raise ValueError(
            f"letter {illegal.group()!r} at position {illegal.start() + 1} is not a nucleotide code"
        )
    return normalised


def reverse_complement(sequence: str) -> str:
    """Return the other strand of an upper-case sequence, 5' to 3'; N stays N."""
    return sequence.translate(_COMPLEMENT)[::-1]
