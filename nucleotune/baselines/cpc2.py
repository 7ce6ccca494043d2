"""CPC2: four features of a transcript for a support vector machine.

Kang et al., "CPC2: a fast and accurate coding potential calculator based on sequence intrinsic
features", Nucleic Acids Research 2017;45:W12. The features equal those of the authors' tool as its
model was trained; the SVM is retrained on the study's own transcripts (see `svm`).
"""

from collections.abc import Sequence

import numpy as np
from Bio.Seq import translate
from Bio.SeqUtils.IsoelectricPoint import IsoelectricPoint

from nucleotune.sequence.composition import phase_counts
from nucleotune.sequence.orf import longest_orfs

#: Names of the columns of `features`, in the order of the tool's SVM input.
FEATURES = ("peptide_length", "fickett_score", "isoelectric_point", "orf_integrity")

#: The tool scales each feature to this interval by its range in the training set.
SCALE = (-1.0, 1.0)

# Fickett's TESTCODE (Nucleic Acids Research 1982;10:5303) with CPC2's re-estimated tables. Rows:
# A, C, G, T; column: the first threshold that the value reaches.
_CONTENT_THRESHOLDS = np.array([0.33, 0.31, 0.29, 0.27, 0.25, 0.23, 0.21, 0.19, 0.17, 0.0])
_CONTENT_TABLE = np.array(
    [
        [0.40, 0.55, 0.58, 0.58, 0.52, 0.48, 0.45, 0.45, 0.38, 0.19],
        [0.50, 0.63, 0.59, 0.50, 0.46, 0.45, 0.47, 0.56, 0.59, 0.33],
        [0.21, 0.40, 0.47, 0.50, 0.52, 0.56, 0.57, 0.52, 0.44, 0.23],
        [0.30, 0.49, 0.56, 0.53, 0.48, 0.48, 0.52, 0.57, 0.60, 0.51],
    ]
)
_CONTENT_WEIGHTS = np.array([0.084, 0.076, 0.081, 0.055])
_POSITION_THRESHOLDS = np.array([1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 0.0])
_POSITION_TABLE = np.array(
    [
        [0.51, 0.55, 0.57, 0.52, 0.48, 0.58, 0.57, 0.54, 0.50, 0.36],
        [0.29, 0.44, 0.55, 0.49, 0.52, 0.60, 0.60, 0.56, 0.51, 0.38],
        [0.62, 0.67, 0.74, 0.65, 0.61, 0.62, 0.52, 0.41, 0.31, 0.17],
        [0.51, 0.60, 0.69, 0.64, 0.62, 0.67, 0.58, 0.48, 0.39, 0.24],
    ]
)
_POSITION_WEIGHTS = np.array([0.062, 0.093, 0.205, 0.154])

# Letters without one pK: ambiguous or rare residues, and the stop.
_NOT_CHARGED = str.maketrans("", "", "XBZJU*")


def features(sequences: Sequence[str]) -> np.ndarray:
    """Return CPC2's features, float64 (n, 4), of transcripts in upper-case ACGTN.

    Columns: length of the longest ORF in codons, its stop included (a codon with an N counts);
    Fickett score of the whole transcript; isoelectric point of the ORF's peptide in pH units;
    ORF integrity, +1 with a stop codon and -1 without. A transcript without ATG has 0, its
    Fickett score, 0 and -1.
    """
    orfs = longest_orfs(sequences)
    table = np.empty((len(sequences), len(FEATURES)))
    table[:, 0] = [(orf.end - orf.start) // 3 for orf in orfs]
    table[:, 1] = fickett_scores(sequences)
    table[:, 2] = [
        isoelectric_point(translate(sequence[orf.start : orf.end]))
        for sequence, orf in zip(sequences, orfs, strict=True)
    ]
    table[:, 3] = [1.0 if orf.has_stop else -1.0 for orf in orfs]
    return table


def fickett_scores(sequences: Sequence[str]) -> np.ndarray:
    """Return the Fickett score of every transcript, float64 (n,); 0 below two nucleotides.

    Of each base, its share of the transcript (N in the denominator) and its position value, the
    largest over one plus the smallest of its counts in the three phases, are looked up; the score
    is the weighted sum of the eight entries.
    """
    counts = phase_counts(sequences)
    lengths = np.array([len(sequence) for sequence in sequences])
    content = counts.sum(axis=1) / np.maximum(lengths, 1)[:, None]
    position = counts.max(axis=1) / (counts.min(axis=1) + 1)
    scores = _look_up(content, _CONTENT_THRESHOLDS, _CONTENT_TABLE) @ _CONTENT_WEIGHTS
    scores += _look_up(position, _POSITION_THRESHOLDS, _POSITION_TABLE) @ _POSITION_WEIGHTS
    return np.where(lengths < 2, 0.0, scores)


def _look_up(values: np.ndarray, thresholds: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return of values (n, 4) the table entries (n, 4) at the first threshold reached."""
    column = (values[:, :, None] < thresholds).sum(axis=2)
    return table[np.arange(len(table)), column]


def isoelectric_point(peptide: str) -> float:
    """Return the pH at which `peptide` (one-letter code, stop allowed) has no net charge; '' is 0.

    Charge and pK values are Biopython's. The search is the one Biopython had when CPC2 was
    trained: it is not confined to pH 4.05-12 as from release 1.77, which would shift
    arginine-rich peptides by up to half a unit. Whole pH units outward from 7 bracket the sign
    change, bisection narrows it to 1e-4, and the last pH tried is returned.
    """
    residues = peptide.translate(_NOT_CHARGED)
    if not residues:
        return 0.0
    charge_at = IsoelectricPoint(residues).charge_at_pH
    low = high = ph = 7.0
    charge = charge_at(ph)
    outward = 1.0 if charge > 0 else -1.0
    while outward * charge > 0:
        ph += outward
        charge = charge_at(ph)
        low, high = min(ph, ph - outward), max(ph, ph - outward)
    while high - low > 1e-4 and charge != 0:
        ph = (low + high) / 2
        charge = charge_at(ph)
        low, high = (ph, high) if charge > 0 else (low, ph)
    return ph
