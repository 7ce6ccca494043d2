"""LncFinder's logarithm-distance: how far the words of a transcript are from the words of a class.

Han et al., "LncFinder: an integrated platform for long non-coding RNA identification utilizing sequence intrinsic
composition, structural information and physicochemical property", Briefings in Bioinformatics 2019;20:2009.
"""

import numpy as np
from numba import njit

#: Code of a letter that is in no word.
NO_LETTER = 255


def count_words(
    codes: np.ndarray, begins: np.ndarray, ends: np.ndarray, *, alphabet: int, k: int, step: int
) -> np.ndarray:
    """Count, over all windows codes[begins[i]:ends[i]], the words of `k` letters that start at every `step`-th letter.

    `codes` is uint8, 0 ... alphabet - 1 or NO_LETTER. Returns int64 (alphabet ** k,), the first letter slowest; words
    that hold a NO_LETTER are not counted.
    """
    counts = np.zeros(alphabet**k, dtype=np.int64)
    _count_all(codes, begins, ends, alphabet, k, step, counts)
    return counts


def log_distances(
    codes: np.ndarray,
    begins: np.ndarray,
    ends: np.ndarray,
    references: np.ndarray,
    *,
    alphabet: int,
    k: int,
    step: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of every window to every reference, float64 (n, m), and the words in each, int64 (n,).

    `references` holds word frequencies, float64 (m, alphabet ** k). With p the word frequencies of the window and F
    those of the reference, the distance is the sum of ln(p / F) over words that both have, minus the number of words
    that only the reference has, plus the number that the reference lacks; all over the number of words counted in the
    window. A window without words has distance 0.
    """
    distances = np.zeros((len(begins), len(references)))
    totals = np.zeros(len(begins), dtype=np.int64)
    known = references > 0
    logs = np.log(references, where=known, out=np.full_like(references, np.inf))
    _distances(codes, begins, ends, alphabet, k, step, logs, known.sum(axis=1), distances, totals)
    return distances, totals


@njit(cache=True, nogil=True)
def _word(codes, at, alphabet, k):  # pragma: no cover (compiled)
    """Number of the word that starts at `at`, or -1."""
    word = 0
    for i in range(at, at + k):
        if codes[i] == NO_LETTER:
            return -1
        word = word * alphabet + codes[i]
    return word


@njit(cache=True, nogil=True)
def _count_all(codes, begins, ends, alphabet, k, step, counts):  # pragma: no cover (compiled)
    for i in range(len(begins)):
        for at in range(begins[i], ends[i] - k + 1, step):
            word = _word(codes, at, alphabet, k)
            if word >= 0:
                counts[word] += 1


@njit(cache=True, nogil=True)
def _distances(
    codes, begins, ends, alphabet, k, step, logs, known, distances, totals
):  # pragma: no cover (compiled)
    """Visit only the words that a window has; those it lacks enter by their number alone."""
    size = logs.shape[1]
    counts = np.zeros(size, dtype=np.int64)
    present = np.empty(size, dtype=np.int64)
    for i in range(len(begins)):
        total, distinct = 0, 0
        for at in range(begins[i], ends[i] - k + 1, step):
            word = _word(codes, at, alphabet, k)
            if word >= 0:
                if counts[word] == 0:
                    present[distinct] = word
                    distinct += 1
                counts[word] += 1
                total += 1
        totals[i] = total
        if total == 0:
            continue
        for reference in range(len(logs)):
            shared, distance = 0, 0.0
            for j in range(distinct):
                log_frequency = logs[reference, present[j]]
                if log_frequency != np.inf:
                    shared += 1
                    distance += np.log(counts[present[j]] / total) - log_frequency
            distance += (size - known[reference]) - (known[reference] - shared)
            distances[i, reference] = distance / total
        for j in range(distinct):
            counts[present[j]] = 0
