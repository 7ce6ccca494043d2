"""Metrics equal scikit-learn's, on plain samples and on weighted ones."""

import numpy as np
import pytest
from sklearn import metrics as reference

from nucleotune.evaluation.metrics import mean_roc, measure
from nucleotune.evaluation.titles import METRICS

REFERENCE = {
    "precision": reference.precision_score,
    "recall": reference.recall_score,
    "accuracy": reference.accuracy_score,
    "f1": reference.f1_score,
    "mcc": reference.matthews_corrcoef,
    "balanced_accuracy": reference.balanced_accuracy_score,
}
OF_SCORES = {
    "auroc": reference.roc_auc_score,
    "auprc": reference.average_precision_score,
    "log_loss": reference.log_loss,
    "brier": reference.brier_score_loss,
}


def sample(n=300, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    scores = 1 / (1 + np.exp(-(rng.normal(size=n) + labels)))
    return labels, scores if decimals is None else scores.round(decimals), scores > 0.6


def slow_calibration_error(labels, scores):
    total = 0
    for low in range(10):
        here = [i for i, score in enumerate(scores) if low == min(int(score * 10), 9)]
        if here:
            total += len(here) * abs(np.mean(scores[here]) - np.mean(labels[here]))
    return total / len(labels)


@pytest.mark.parametrize("decimals", [None, 1])
def test_equal_scikit_learn(decimals):
    labels, scores, predicted = sample(decimals=decimals)
    measured = measure(labels, scores, predicted)
    assert list(measured) == list(METRICS)
    for name, function in REFERENCE.items():
        assert measured[name] == pytest.approx(function(labels, predicted), abs=1e-12)
    for name, function in OF_SCORES.items():
        assert measured[name] == pytest.approx(function(labels, scores), abs=1e-12)
    assert measured["calibration_error"] == pytest.approx(slow_calibration_error(labels, scores))


@pytest.mark.parametrize("decimals", [None, 1])
def test_weights_equal_scikit_learn_on_the_repeated_examples(decimals):
    labels, scores, predicted = sample(decimals=decimals)
    weights = np.random.default_rng(1).integers(0, 4, size=(5, labels.size))
    measured = measure(labels, scores, predicted, weights)
    for row, counts in enumerate(weights):
        y, s, p = (np.repeat(values, counts) for values in (labels, scores, predicted))
        for name, function in REFERENCE.items():
            assert measured[name][row] == pytest.approx(function(y, p), abs=1e-12)
        for name, function in OF_SCORES.items():
            assert measured[name][row] == pytest.approx(function(y, s), abs=1e-12)
        assert measured["calibration_error"][row] == pytest.approx(slow_calibration_error(y, s))


@pytest.mark.parametrize("decision", [False, True])
def test_collapsed_model_follows_scikit_learn(decision):
    labels, _, _ = sample()
    predicted = np.full(labels.size, decision)
    measured = measure(labels, np.full(labels.size, 0.5), predicted)
    assert measured["precision"] == reference.precision_score(labels, predicted, zero_division=0)
    assert measured["f1"] == reference.f1_score(labels, predicted)
    assert measured["mcc"] == 0
    assert measured["auroc"] == 0.5


def test_the_decision_decides_and_the_score_ranks():
    labels = np.array([0, 0, 1, 1])
    margins = np.array([-3.0, -2.0, -1.0, 2.0])
    measured = measure(labels, margins, np.array([0, 1, 1, 1]))
    assert measured["auroc"] == 1
    assert measured["accuracy"] == 0.75
    assert "log_loss" not in measured, "margins are no probabilities"


def test_certain_and_wrong_probability_keeps_the_loss_finite():
    labels, scores = np.array([0, 1]), np.array([1.0, 0.3])
    measured = measure(labels, scores, scores > 0.5)
    assert measured["log_loss"] == pytest.approx(reference.log_loss(labels, scores))


@pytest.mark.parametrize("decimals", [None, 1])
def test_roc_curve_of_one_seed_passes_through_scikit_learns_points(decimals):
    labels, scores, _ = sample(decimals=decimals)
    fpr, tpr = mean_roc(labels, scores, points=20001)
    expected_fpr, expected_tpr, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    found = np.interp(expected_fpr + expected_tpr, fpr + tpr, tpr)
    assert np.allclose(found, expected_tpr, atol=2e-4)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)


def test_roc_curve_of_seeds_is_their_mean():
    labels, scores, _ = sample()
    perfect, inverted = labels.astype(float), 1.0 - labels
    fpr, tpr = mean_roc(labels, np.stack([perfect, inverted]))
    assert np.allclose(fpr, tpr), "a perfect and an inverted ranking average to the diagonal"
