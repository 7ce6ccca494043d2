"""Fickett's TESTCODE: how much a sequence looks like coding DNA, by its base composition and codon phases.

Fickett, Nucleic Acids Research 1982;10:5303. Tools of today share the formula and differ in the tables.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nucleotune.sequence.composition import phase_counts


class Tables(NamedTuple):
    """Look-up tables. Rows: A, C, G, T; column: the first threshold that the value reaches.

    content, position                        (4, 10), probabilities of coding
    content_thresholds, position_thresholds  falling, the last one 0; at most 10
    content_weights, position_weights        (4,), how much each base's entry counts
    """

    content: np.ndarray
    content_thresholds: np.ndarray
    content_weights: np.ndarray
    position: np.ndarray
    position_thresholds: np.ndarray
    position_weights: np.ndarray


_POSITION_THRESHOLDS = np.array([1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 0.0])

#: The original tables as CPAT reads them: its list of content thresholds lacks 0.19, so that contents from 0.17 on
#: have the entry meant for 0.19 to 0.21, lower ones that for 0.17 to 0.19, and the last column is never used.
TESTCODE = Tables(
    content=np.array(
        [
            [0.28, 0.49, 0.44, 0.55, 0.62, 0.49, 0.67, 0.65, 0.81, 0.21],
            [0.82, 0.64, 0.51, 0.64, 0.59, 0.59, 0.43, 0.44, 0.39, 0.31],
            [0.40, 0.54, 0.47, 0.64, 0.64, 0.73, 0.41, 0.41, 0.33, 0.29],
            [0.28, 0.24, 0.39, 0.40, 0.55, 0.75, 0.56, 0.69, 0.51, 0.58],
        ]
    ),
    content_thresholds=np.array([0.33, 0.31, 0.29, 0.27, 0.25, 0.23, 0.21, 0.17, 0.0]),
    content_weights=np.array([0.11, 0.12, 0.15, 0.14]),
    position=np.array(
        [
            [0.94, 0.68, 0.84, 0.93, 0.58, 0.68, 0.45, 0.34, 0.20, 0.22],
            [0.80, 0.70, 0.70, 0.81, 0.66, 0.48, 0.51, 0.33, 0.30, 0.23],
            [0.90, 0.88, 0.74, 0.64, 0.53, 0.48, 0.27, 0.16, 0.08, 0.08],
            [0.97, 0.97, 0.91, 0.68, 0.69, 0.44, 0.54, 0.20, 0.09, 0.09],
        ]
    ),
    position_thresholds=_POSITION_THRESHOLDS,
    position_weights=np.array([0.26, 0.18, 0.31, 0.33]),
)

#: The tables that CPC2 estimated anew.
CPC2 = Tables(
    content=np.array(
        [
            [0.40, 0.55, 0.58, 0.58, 0.52, 0.48, 0.45, 0.45, 0.38, 0.19],
            [0.50, 0.63, 0.59, 0.50, 0.46, 0.45, 0.47, 0.56, 0.59, 0.33],
            [0.21, 0.40, 0.47, 0.50, 0.52, 0.56, 0.57, 0.52, 0.44, 0.23],
            [0.30, 0.49, 0.56, 0.53, 0.48, 0.48, 0.52, 0.57, 0.60, 0.51],
        ]
    ),
    content_thresholds=np.array([0.33, 0.31, 0.29, 0.27, 0.25, 0.23, 0.21, 0.19, 0.17, 0.0]),
    content_weights=np.array([0.084, 0.076, 0.081, 0.055]),
    position=np.array(
        [
            [0.51, 0.55, 0.57, 0.52, 0.48, 0.58, 0.57, 0.54, 0.50, 0.36],
            [0.29, 0.44, 0.55, 0.49, 0.52, 0.60, 0.60, 0.56, 0.51, 0.38],
            [0.62, 0.67, 0.74, 0.65, 0.61, 0.62, 0.52, 0.41, 0.31, 0.17],
            [0.51, 0.60, 0.69, 0.64, 0.62, 0.67, 0.58, 0.48, 0.39, 0.24],
        ]
    ),
    position_thresholds=_POSITION_THRESHOLDS,
    position_weights=np.array([0.062, 0.093, 0.205, 0.154]),
)


def fickett_scores(sequences: Sequence[str], tables: Tables) -> np.ndarray:
    """Return the Fickett score of every sequence, float64 (n,); 0 below two nucleotides.

    Of each base, its share of the sequence (N in the denominator) and its position value, the
    largest over one plus the smallest of its counts in the three phases, are looked up; the score
    is the weighted sum of the eight entries.
    """
    counts = phase_counts(sequences)
    lengths = np.array([len(sequence) for sequence in sequences])
    content = counts.sum(axis=1) / np.maximum(lengths, 1)[:, None]
    position = counts.max(axis=1) / (counts.min(axis=1) + 1)
    scores = _look_up(content, tables.content_thresholds, tables.content) @ tables.content_weights
    scores += (
        _look_up(position, tables.position_thresholds, tables.position) @ tables.position_weights
    )
    return np.where(lengths < 2, 0.0, scores)


def _look_up(values: np.ndarray, thresholds: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return of values (n, 4) the table entries (n, 4) at the first threshold reached."""
    column = (values[:, :, None] < thresholds).sum(axis=2)
    return table[np.arange(len(table)), column]
