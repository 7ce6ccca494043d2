"""Regression on one property of a sequence: what a learned method must beat.

Logistic of two classes, as in `linear.fit_linear` of other kinds.

length       ln(1 + nucleotides); lengths are spread over orders of magnitude
orf_length   ln(1 + nucleotides of the longest ORF, CPC2's convention, its stop included)
gc           GC share and its squared distance from one half: genes spread over GC-poor and GC-rich
             regions of the genome, so that one class can lie between two parts of the other,
             which a straight line in GC cannot say
start_codon  1 where the transcript begins with ATG: Ensembl's cds files are cut from start to stop
             codon while its ncrna files are whole transcripts, so this one fact tells most apart
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nucleotune.baselines.base import Baseline, Labelled
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.linear import (
    fit_linear,
    logistic_regression,
    predict_linear,
    regression_arrays,
)
from nucleotune.baselines.targets import shaped
from nucleotune.sequence.alphabet import BASE_CODES
from nucleotune.sequence.composition import gc_content
from nucleotune.sequence.orf import longest_orfs


def length_features(sequences: Sequence[str]) -> np.ndarray:
    """Return ln(1 + length in nucleotides), float64 (n, 1)."""
    return np.log1p([[len(sequence)] for sequence in sequences])


def orf_length_features(sequences: Sequence[str]) -> np.ndarray:
    """Return ln(1 + length of the longest ORF in nucleotides), float64 (n, 1)."""
    return np.log1p([[orf.end - orf.start] for orf in longest_orfs(sequences)])


def gc_features(sequences: Sequence[str]) -> np.ndarray:
    """Return the GC share and its squared distance from 0.5, float64 (n, 2)."""
    gc = gc_content(sequences)
    # About 0.5, because the plain square is nearly collinear with the share itself.
    return np.column_stack([gc, (gc - 0.5) ** 2])


def start_codon_features(sequences: Sequence[str]) -> np.ndarray:
    """Return 1 where the sequence begins with ATG, else 0, float64 (n, 1)."""
    return np.array([[float(sequence.startswith("ATG"))] for sequence in sequences])


def dinucleotide_features(sequences: Sequence[str]) -> np.ndarray:
    """Return the shares of AA, AC, ..., TT among the dinucleotides of each sequence, float64 (n, 16).

    They overlap, such with N are not counted, and of a sequence without any all shares are 0.
    """
    counts = np.array([_dinucleotides(sequence) for sequence in sequences]).reshape(-1, 16)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _dinucleotides(sequence: str) -> np.ndarray:
    codes = BASE_CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
    first, second = codes[:-1], codes[1:]
    known = (first < 4) & (second < 4)
    return np.bincount(4 * first[known] + second[known], minlength=16)


def biotype_features(biotypes: Sequence[str]) -> np.ndarray:
    """Return 1 where the gene's biotype is protein_coding, else 0, float64 (n, 1)."""
    return np.array([[float(biotype == "protein_coding")] for biotype in biotypes])


def fit(
    features: Callable[[Sequence[str]], np.ndarray], sequences: Sequence[str], labels: np.ndarray
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `features` of `sequences` and `labels` (n,), 0 or 1.

    Returns the fitted line, whose score is the probability of label 1, and info: rows_used, seconds.
    """
    started = time.perf_counter()
    x = features(sequences)
    computed = time.perf_counter()
    # Standardised, so that the default L2 penalty weighs on no feature for its unit.
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, labels)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    scaler, regression = model
    arrays = {"mean": scaler.mean_, "scale": scaler.scale_, **regression_arrays(regression)}
    learnt = Learnt(arrays, {})
    return Fitted(learnt, restore(features, learnt)), {
        "rows_used": len(labels),
        "seconds": seconds,
    }


def fit_any(
    features: Callable[[Sequence[str]], np.ndarray], train: Labelled, kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit as `fit`, on targets of any other kind."""
    started = time.perf_counter()
    x = features(train.sequences)
    computed = time.perf_counter()
    scaler = StandardScaler().fit(x)
    arrays = fit_linear(scaler.transform(x), train.labels, kind, parts, 1.0)
    learnt = Learnt({"mean": scaler.mean_, "scale": scaler.scale_, **arrays}, {"kind": kind})
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    info = {"rows_used": len(train.labels), "seconds": seconds}
    return Fitted(learnt, restore(features, learnt)), info


def restore(features: Callable[[Sequence[str]], np.ndarray], learnt: Learnt) -> Score:
    """The probability of label 1, of other kinds the scores, as a function of sequences."""
    if "kind" in learnt.settings:
        kind = learnt.settings["kind"]

        def scores(batch: Sequence[str]) -> np.ndarray:
            x = (features(batch) - learnt.arrays["mean"]) / learnt.arrays["scale"]
            return shaped(predict_linear(learnt.arrays, x, kind), kind)

        return scores
    regression = logistic_regression(learnt.arrays)

    def score(batch: Sequence[str]) -> np.ndarray:
        x = (features(batch) - learnt.arrays["mean"]) / learnt.arrays["scale"]
        return regression.predict_proba(x)[:, 1]

    return score


def _line(features: Callable[[Sequence[str]], np.ndarray], column: str = "sequence") -> Baseline:
    return Baseline(
        lambda train, valid, options, seed: fit(features, *train),
        lambda score: score >= 0.5,
        lambda learnt, threads: restore(features, learnt),
        column=column,
        general=lambda train, valid, options, seed, kind, parts: fit_any(
            features, train, kind, parts
        ),
    )


BASELINES = {
    "length": _line(length_features),
    "gc": _line(gc_features),
    "orf_length": _line(orf_length_features),
    "start_codon": _line(start_codon_features),
    "dinucleotide": _line(dinucleotide_features),
    "biotype": _line(biotype_features, column="gene_biotype"),
}
