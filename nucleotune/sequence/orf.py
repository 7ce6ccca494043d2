"""Longest open reading frame of a transcript, compiled: one pass over a batch of any size.

In each of the three frames, an ATG opens an ORF that runs to the first TAA, TAG or TGA (included) or, without one, to
the last complete codon; a start is required. Of equally long ORFs the one that starts first is kept. A codon with a
letter other than A, C, G, T is neither a start nor a stop.

One rule serves two families of tools. CPC2 (Kang et al., Nucleic Acids Research 2017;45:W12) scans each frame and goes
on after the ORF it has found; LncFinder (Han et al., Briefings in Bioinformatics 2019;20:2009) tries every ATG in turn,
nested ones included. A nested ATG ends where the outer one ends and is shorter, so it is never the longest.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from nucleotune.sequence.alphabet import BASE_CODES
from nucleotune.sequence.kmers import join_letters


class Orf(NamedTuple):
    """Open reading frame, 0-based half-open, in nucleotides of the sequence as given; the stop is inside.

    `has_stop` is False where the ORF runs to the last complete codon of its frame. `strand` is 1, or -1 for an ORF that
    is read on the reverse complement: its first letter is then that before `end`. No ORF at all is (0, 0, False, 1).
    """

    start: int
    end: int
    has_stop: bool
    strand: int = 1


class Orfs(NamedTuple):
    """The fields of `Orf` for n sequences, as arrays (n,): int64, int64, bool, int8."""

    start: np.ndarray
    end: np.ndarray
    has_stop: np.ndarray
    strand: np.ndarray


def longest_orf(sequence: str, *, both_strands: bool = False) -> Orf:
    """Return the longest ORF of one `sequence` (upper-case ACGTN)."""
    return longest_orfs([sequence], both_strands=both_strands)[0]


def longest_orfs(sequences: Iterable[str], *, both_strands: bool = False) -> list[Orf]:
    """Return the longest ORF of every sequence, in order; `find_orfs` as a list of tuples."""
    columns = find_orfs(list(sequences), both_strands=both_strands)
    return list(map(Orf, *(column.tolist() for column in columns)))


def find_orfs(sequences: Sequence[str], *, both_strands: bool = False) -> Orfs:
    """Return the longest ORF of every sequence (upper-case ACGTN), in columns.

    With `both_strands` the reverse complement is searched too, as CPC2 does with its option `-r`; of equally long ORFs
    of the two strands the forward one is kept.
    """
    letters, lengths = join_letters(sequences)
    ends = np.cumsum(lengths)
    return find_orfs_within(letters, ends - lengths, ends, both_strands=both_strands)


def find_orfs_within(
    letters: np.ndarray, begins: np.ndarray, ends: np.ndarray, *, both_strands: bool = False
) -> Orfs:
    """Return the longest ORF of each window letters[begins[i]:ends[i]]; its coordinates count from the window's begin.

    `letters` is uint8 (ASCII), `begins` and `ends` are int64 (n,). Windows may overlap: parts of a transcript need no
    copies of it.
    """
    n = len(begins)
    orfs = Orfs(
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_), np.ones(n, np.int8)
    )
    _find(letters, begins, ends, both_strands, BASE_CODES, _COMPLEMENT_CODES, _KINDS, *orfs)
    return orfs


# A codon is three octal digits, the codes of its letters (BASE_CODES); 4 stands for all that is no base.
_COMPLEMENT_CODES = np.full(256, 4, dtype=np.uint8)
_COMPLEMENT_CODES[np.frombuffer(b"TGCA", dtype=np.uint8)] = range(4)

_START, _STOP = 1, 2
_KINDS = np.zeros(8**3, dtype=np.uint8)
_KINDS[0o032] = _START  # ATG
_KINDS[[0o300, 0o302, 0o320]] = _STOP  # TAA, TAG, TGA


@njit(cache=True, nogil=True)
def _find(
    letters,
    begins,
    ends,
    both_strands,
    codes,
    complement_codes,
    kinds,
    start,
    end,
    has_stop,
    strand,
):  # pragma: no cover (compiled)
    """Fill in the columns of `Orfs`."""
    opened = np.empty(3, dtype=np.int64)
    for i in range(len(begins)):
        length = ends[i] - begins[i]
        start[i], end[i], has_stop[i] = _scan(letters, begins[i], 1, length, codes, kinds, opened)
        if both_strands:
            first, last, stops = _scan(
                letters, ends[i] - 1, -1, length, complement_codes, kinds, opened
            )
            if last - first > end[i] - start[i]:
                start[i], end[i], has_stop[i] = length - last, length - first, stops
                strand[i] = -1


@njit(cache=True, nogil=True)
def _scan(letters, at, step, length, codes, kinds, opened):  # pragma: no cover (compiled)
    """Start, end and stop of the longest ORF of `length` letters read from `at` on, counted in the direction read.

    All frames are read at once; `opened` holds the start of the ORF that each is in, or -1.
    """
    best_start, best_end, best_stop = 0, 0, False
    opened[:] = -1
    codon = 0o444
    for i in range(length):
        codon = ((codon << 3) | codes[letters[at]]) & 0o777
        at += step
        kind = kinds[codon]
        if kind == 0:
            continue
        frame = i % 3
        start = opened[frame]
        if kind == _START:
            if start < 0:
                opened[frame] = i - 2
        elif start >= 0:
            opened[frame] = -1
            if _better(start, i + 1, best_start, best_end):
                best_start, best_end, best_stop = start, i + 1, True
    for frame in range(3):
        start = opened[frame]
        if start >= 0:
            end = start + (length - start) // 3 * 3
            if _better(start, end, best_start, best_end):
                best_start, best_end, best_stop = start, end, False
    return best_start, best_end, best_stop


@njit(cache=True, nogil=True)
def _better(start, end, best_start, best_end):  # pragma: no cover (compiled)
    length, best_length = end - start, best_end - best_start
    return length > best_length or (length == best_length and start < best_start)
