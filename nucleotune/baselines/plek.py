"""PLEK: frequencies of all words of one to five nucleotides for a support vector machine.

Li, Zhang and Zhou, "PLEK: a tool for predicting long non-coding RNAs and messenger RNAs based on
an improved k-mer scheme", BMC Bioinformatics 2014;15:311. The features equal those of the authors'
tool 1.2; the SVM is retrained on the study's own transcripts (see `svm`).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from nucleotune.baselines import svm

#: Longest word, in nucleotides.
K_MAX = 5

#: 4 + 16 + 64 + 256 + 1,024 words.
N_FEATURES = (4 ** (K_MAX + 1) - 4) // 3

#: The tool scales each feature to this interval by its range in the training set.
SCALE = (0.0, 1.0)

_CODES = np.full(256, 4, dtype=np.uint8)
_CODES[np.frombuffer(b"AGCT", dtype=np.uint8)] = np.arange(4)


def features(sequences: Sequence[str]) -> np.ndarray:
    """Return PLEK's features, float64 (n, 1364), of transcripts in upper-case ACGTN.

    Words of length 1, 2, ... 5 follow each other, each length in the order A, G, C, T with the
    last letter varying fastest. A word of length k seen c times at step 1 in a transcript of L
    nucleotides has the value c / (L - k + 1) / 4^(5 - k); words that hold an N are not counted
    but stay in the denominator. Words longer than the transcript are 0.

    The tool drops transcripts under 200 nt without a word. Here every transcript has its features,
    so that all methods are compared on the same rows.
    """
    table = np.zeros((len(sequences), N_FEATURES))
    for row, sequence in zip(table, sequences, strict=True):
        letters = np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)
        _count_words(_CODES[letters], row)
        first = 0
        for k in range(1, min(K_MAX, len(letters)) + 1):
            row[first : first + 4**k] /= (len(letters) - k + 1) * 4 ** (K_MAX - k)
            first += 4**k
    return table


@njit(cache=True)
def _count_words(codes: np.ndarray, counts: np.ndarray) -> None:
    """Add the number of times each word starts at each position to `counts` (1364,)."""
    for i in range(len(codes)):
        word, first, size = 0, 0, 4
        for j in range(i, min(i + K_MAX, len(codes))):
            if codes[j] == 4:
                break
            word = 4 * word + codes[j]
            counts[first + word] += 1
            first += size
            size *= 4


BASELINES = {"plek": svm.baseline(features, SCALE)}
