"""CPC2: four features of a transcript for a support vector machine.

Kang et al., "CPC2: a fast and accurate coding potential calculator based on sequence intrinsic
features", Nucleic Acids Research 2017;45:W12. The features equal those of the authors' tool as its
model was trained; the SVM is retrained on the study's own transcripts (see `svm`).
"""

from collections.abc import Sequence

import numpy as np
from Bio.Seq import translate
from Bio.SeqUtils.IsoelectricPoint import IsoelectricPoint

from nucleotune.baselines import svm
from nucleotune.sequence.fickett import CPC2, fickett_scores
from nucleotune.sequence.orf import longest_orfs

#: Names of the columns of `features`, in the order of the tool's SVM input.
FEATURES = ("peptide_length", "fickett_score", "isoelectric_point", "orf_integrity")

#: The tool scales each feature to this interval by its range in the training set.
SCALE = (-1.0, 1.0)

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
    table[:, 1] = fickett_scores(sequences, CPC2)
    table[:, 2] = [
        isoelectric_point(translate(sequence[orf.start : orf.end]))
        for sequence, orf in zip(sequences, orfs, strict=True)
    ]
    table[:, 3] = [1.0 if orf.has_stop else -1.0 for orf in orfs]
    return table


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


BASELINES = {"cpc2": svm.baseline(features, SCALE)}
