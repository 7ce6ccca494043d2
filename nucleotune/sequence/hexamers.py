"""Words of six nucleotides: how often they occur, and how much their use speaks for coding.

Words are numbered with the first letter varying fastest, A, C, G, T: AAAAAA, CAAAAA, GAAAAA, TAAAAA, ACAAAA, ... A
word with any other letter has no number and is not counted.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numba import njit

from nucleotune.sequence.alphabet import BASE_CODES

LENGTH = 6
N_WORDS = 4**LENGTH


def count_words(sequences: Iterable[str], step: int) -> np.ndarray:
    """Count the words that begin at letters 0, `step`, 2 `step`, ... of all sequences together: int64 (4096,)."""
    counts = np.zeros(N_WORDS, dtype=np.int64)
    for sequence in sequences:
        _count(_codes(sequence), step, counts)
    return counts


def count_apart(sequences: Sequence[str]) -> np.ndarray:
    """Count each word as `str.count` does, int64 (n, 4096): from the left, without overlap with itself.

    Occurrences of different words may overlap: AAAAAAAC has AAAAAA once, AAAAAC once.
    """
    counts = np.zeros((len(sequences), N_WORDS), dtype=np.int64)
    for row, sequence in zip(counts, sequences, strict=True):
        _count_apart(_codes(sequence), row)
    return counts


def log_ratios(coding: Iterable[str], noncoding: Iterable[str]) -> np.ndarray:
    """Return of each word ln(share among coding words / share among noncoding words), float64 (4096,).

    Convention of CPAT (Wang et al., Nucleic Acids Research 2013;41:e74): of coding sequences, the words in frame
    (step 3); of noncoding ones, the words at every letter (step 1). A word of one kind only has +1 (coding) or -1
    (noncoding), one of neither NaN.
    """
    counts = np.array([count_words(coding, 3), count_words(noncoding, 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
        ratios = np.log(shares[0] / shares[1])
    ratios[(counts[0] > 0) & (counts[1] == 0)] = 1.0
    ratios[(counts[0] == 0) & (counts[1] > 0)] = -1.0
    return ratios


def mean_log_ratios(sequences: Sequence[str], ratios: np.ndarray) -> np.ndarray:
    """Return the mean of `ratios` (4096,) over the words of each sequence at step 3, float64 (n,).

    Words whose ratio is NaN are left out; without any other word the mean is -1, and 0 of a sequence shorter than a
    word (CPAT's rules).
    """
    scores = np.empty(len(sequences))
    for i, sequence in enumerate(sequences):
        scores[i] = _mean(_codes(sequence), ratios) if len(sequence) >= LENGTH else 0.0
    return scores


def _codes(sequence: str) -> np.ndarray:
    return BASE_CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


@njit(cache=True)
def _word(codes, first):  # pragma: no cover (compiled)
    """Number of the word that begins at letter `first`; -1 where it holds another letter."""
    word = 0
    for i in range(first + LENGTH - 1, first - 1, -1):
        if codes[i] == 4:
            return -1
        word = 4 * word + int(codes[i])
    return word


@njit(cache=True)
def _count(codes, step, counts):  # pragma: no cover (compiled)
    for i in range(0, len(codes) - LENGTH + 1, step):
        word = _word(codes, i)
        if word >= 0:
            counts[word] += 1


@njit(cache=True)
def _count_apart(codes, counts):  # pragma: no cover (compiled)
    free_from = np.zeros(N_WORDS, dtype=np.int64)
    for i in range(len(codes) - LENGTH + 1):
        word = _word(codes, i)
        if word >= 0 and i >= free_from[word]:
            counts[word] += 1
            free_from[word] = i + LENGTH


@njit(cache=True)
def _mean(codes, ratios):  # pragma: no cover (compiled)
    total, n = 0.0, 0
    for i in range(0, len(codes) - LENGTH + 1, 3):
        word = _word(codes, i)
        if word >= 0 and not np.isnan(ratios[word]):
            total += ratios[word]
            n += 1
    return total / n if n else -1.0
