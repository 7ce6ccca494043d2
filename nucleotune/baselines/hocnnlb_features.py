"""What HOCNNLB sees of an RNA: its overlapping 4-mers.

Zhang et al., "Prediction of the RBP binding sites on lncRNAs using the high-order nucleotide encoding convolutional
neural network", Analytical Biochemistry 2019;583:113364.
"""

import numpy as np

from nucleotune.sequence.alphabet import OTHER

#: Nucleotides a word, and number of words.
ORDER = 4
WORDS = 4**ORDER


def word_codes(codes: np.ndarray, margin: int) -> np.ndarray:
    """Return the 4-mers of base codes (n, m), with `margin` unknown ones on both sides: int64 (n, m - 3 + 2 * margin).

    Words are numbered in alphabetical order; 256 is a word with a letter other than A, C, G, T.
    """
    windows = np.lib.stride_tricks.sliding_window_view(codes, ORDER, axis=1)
    words = windows @ (4 ** np.arange(ORDER)[::-1])
    words[(windows == OTHER).any(axis=2)] = WORDS
    return np.pad(words, ((0, 0), (margin, margin)), constant_values=WORDS)
