"""Longest open reading frame of a transcript, by the convention of CPC2.

CPC2: Kang et al., Nucleic Acids Research 2017;45:W12. Other tools find an ORF of the same length;
they differ in which of several equally long ones they keep.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit


class Orf(NamedTuple):
    """Open reading frame, 0-based half-open, in nucleotides of the transcript; the stop is inside.

    `has_stop` is False where the ORF runs to the last complete codon of its frame. No ORF at all
    is (0, 0, False).
    """

    start: int
    end: int
    has_stop: bool


def longest_orf(sequence: str | bytes) -> Orf:
    """Return the longest ORF of the forward strand of `sequence` (upper-case ACGTN).

    In each of the three frames, an ATG opens an ORF that runs to the first TAA, TAG or TGA
    (included) or, without one, to the last complete codon; the scan goes on after that ORF, so an
    ATG nested in frame opens none of its own. Of equally long ORFs the one that starts first is
    kept. A codon with an N is neither a start nor a stop.
    """
    letters = sequence.encode("ascii") if isinstance(sequence, str) else sequence
    start, end, has_stop = _longest_orf(np.frombuffer(letters, dtype=np.uint8))
    return Orf(int(start), int(end), bool(has_stop))


def longest_orfs(sequences: Iterable[str | bytes]) -> list[Orf]:
    """Return `longest_orf` of every sequence, in order."""
    return [longest_orf(sequence) for sequence in sequences]


@njit(cache=True)
def _longest_orf(s: np.ndarray) -> tuple[int, int, bool]:
    best_start, best_end, best_stop = 0, 0, False
    for frame in range(3):
        frame_end = len(s) - (len(s) - frame) % 3
        start = -1
        for i in range(frame, frame_end, 3):
            if start < 0:
                if _is_start(s, i):
                    start = i
            elif _is_stop(s, i):
                if _better(start, i + 3, best_start, best_end):
                    best_start, best_end, best_stop = start, i + 3, True
                start = -1
        if start >= 0 and _better(start, frame_end, best_start, best_end):
            best_start, best_end, best_stop = start, frame_end, False
    return best_start, best_end, best_stop


@njit(cache=True)
def _is_start(s: np.ndarray, i: int) -> bool:
    return s[i] == ord("A") and s[i + 1] == ord("T") and s[i + 2] == ord("G")


@njit(cache=True)
def _is_stop(s: np.ndarray, i: int) -> bool:
    a, g = ord("A"), ord("G")
    second, third = s[i + 1], s[i + 2]
    return s[i] == ord("T") and ((second == a and third in (a, g)) or (second == g and third == a))


@njit(cache=True)
def _better(start: int, end: int, best_start: int, best_end: int) -> bool:
    length, best_length = end - start, best_end - best_start
    return length > best_length or (length == best_length and start < best_start)
