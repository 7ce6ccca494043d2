"""Sequences that others resemble: the same letters on one strand or both, or a long word in common.

Words are exact: 2 bits a nucleotide, so that 31 of them fit in 64 bits and no two words get one number.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from nucleotune.sequence.alphabet import BASE_CODES, reverse_complement
from nucleotune.sequence.kmers import join_letters

#: Length of the words that related sequences are known by (nt): by chance hardly any two sequences share one.
WORD = 31
#: Letters that are looked at together; the arrays made of them have eight bytes a letter.
_CHUNK = 1 << 22


def canonical(sequences: pd.Series, both_strands: bool) -> pd.Series:
    """What is the same for equal sequences (upper-case ACGTN), and on `both_strands` also for reverse complements."""
    if not both_strands:
        return sequences
    found = [min(one, reverse_complement(one)) for one in sequences]
    return pd.Series(found, index=sequences.index, dtype=object)


def sharing_word(
    rows: Sequence[str], others: Sequence[str], *, both_strands: bool, k: int = WORD
) -> np.ndarray:
    """Whether each of `rows` shares k nucleotides in a row with any of `others`, bool (len(rows),).

    Words with a letter other than A, C, G, T are none, nor are those of which one letter makes up more than three
    quarters, as of a poly(A) tail. Sequences shorter than k share none. On `both_strands` a word counts as its reverse
    complement. k is at most 31.
    """
    if not 1 <= k <= WORD:
        raise ValueError(f"words of {k} nt, expected 1 to {WORD}")
    shared = np.zeros(len(rows), dtype=bool)
    parts = [words for words, _ in _words(others, k, both_strands)]
    if not parts:
        return shared
    known = np.concatenate(parts)
    del parts  # of a genome's transcripts they take gigabytes
    known.sort()
    for words, row in _words(rows, k, both_strands):
        # Sorted, they are looked up in the order of `known`: several times faster where there are many.
        order = np.argsort(words)
        words = words[order]
        place = np.minimum(np.searchsorted(known, words), len(known) - 1)
        shared[row[order[known[place] == words]]] = True
    return shared


def _words(
    sequences: Sequence[str], k: int, both_strands: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the words of some sequences at a time, uint64, and the number of the sequence that each is of."""
    ends = np.cumsum([len(one) for one in sequences])
    first = 0
    while first < len(sequences):
        done = ends[first - 1] if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        letters, lengths = join_letters(sequences[first:stop])
        words, places = _words_of(BASE_CODES[letters], np.cumsum(lengths), k, both_strands)
        if len(words):
            yield words, first + np.searchsorted(np.cumsum(lengths), places, side="right")
        first = stop


def _words_of(
    codes: np.ndarray, ends: np.ndarray, k: int, both_strands: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Words of sequences placed end to end, and where each begins; `codes` is 0 to 3, 4 for other letters."""
    n = len(codes) - k + 1
    if n <= 0:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    good = ~_times(codes == 4, k).astype(bool)
    for letter in range(4):
        good &= 4 * _times(codes == letter, k) <= 3 * k
    # A word must not begin among the last k - 1 letters of a sequence.
    for back in range(1, k):
        inside = ends[ends >= back] - back
        good[inside[inside < n]] = False
    places = np.flatnonzero(good)
    letters = np.minimum(codes, 3).astype(np.uint64)
    words = _joined(letters, k)[places]
    if both_strands:
        words = np.minimum(words, _joined(3 - letters[::-1], k)[::-1][places])
    return words, places


def _times(found: np.ndarray, k: int) -> np.ndarray:
    """How often `found` is true in each window of k, int64 (n - k + 1,)."""
    total = np.concatenate([[0], np.cumsum(found)])
    return total[k:] - total[:-k]


def _joined(letters: np.ndarray, k: int) -> np.ndarray:
    """Number of the word of k letters that begins at each place, uint64 (n - k + 1,); by doubling."""
    words = np.zeros(len(letters) + 1, dtype=np.uint64)  # of no letter
    width, power, taken = 0, letters, 1
    while True:
        if k & taken:
            n = len(letters) - width - taken + 1
            words = (words[:n] << np.uint64(2 * taken)) | power[width : width + n]
            width += taken
        if width == k:
            return words
        power = (power[:-taken] << np.uint64(2 * taken)) | power[taken:]
        taken *= 2
