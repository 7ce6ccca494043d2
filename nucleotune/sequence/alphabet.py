"""One policy for letters: upper case, U becomes T, IUPAC ambiguity codes become N, anything else is refused."""

import re

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
