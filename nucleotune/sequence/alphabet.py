"""One policy for letters: upper case, U becomes T, IUPAC ambiguity codes become N, anything else is refused."""

import re

import numpy as np

#: Code of every byte: A, C, G, T are 0 to 3, anything else, N above all, is 4.
BASE_CODES = np.full(256, 4, dtype=np.uint8)
BASE_CODES[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_FROM = "acgtuACGTU" + "rykmswbdhvnRYKMSWBDHVN"
_TO = "ACGTTACGTT" + "N" * 22
_TABLE = str.maketrans(_FROM, _TO)
_ILLEGAL = re.compile("[^ACGTN]")


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
