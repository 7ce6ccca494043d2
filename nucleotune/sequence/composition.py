"""Base composition of sequences: counts by codon phase, GC content."""

from collections.abc import Sequence

import numpy as np

_ACGT = np.frombuffer(b"ACGT", dtype=np.uint8)


def phase_counts(sequences: Sequence[str]) -> np.ndarray:
    """Count bases by position modulo 3: int64 (n, 3, 4), bases in the order A, C, G, T.

    Phase 0 holds the first, fourth, seventh, ... base of the sequence. N is counted nowhere.
    """
    counts = np.empty((len(sequences), 3, 4), dtype=np.int64)
    for row, sequence in zip(counts, sequences, strict=True):
        letters = np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)
        for phase in range(3):
            row[phase] = np.bincount(letters[phase::3], minlength=128)[_ACGT]
    return counts


def gc_content(sequences: Sequence[str]) -> np.ndarray:
    """Return (G + C) / (A + C + G + T) of every sequence, float64 (n,); 0 where all is N."""
    bases = phase_counts(sequences).sum(axis=1)
    return (bases[:, 1] + bases[:, 2]) / np.maximum(bases.sum(axis=1), 1)
