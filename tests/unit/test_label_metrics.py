"""Metrics of several labels equal scikit-learn's on what is known, on plain samples and on weighted ones."""

import numpy as np
import pytest
from sklearn import metrics as reference

from nucleotune.evaluation.label_metrics import label_measure
from nucleotune.evaluation.resampling import WHOLE
from nucleotune.evaluation.titles import LABEL_METRICS

NAMES = ("nucleus", "cytosol", "membrane")
FUNCTIONS = {
    "auroc": lambda y, s, p: reference.roc_auc_score(y, s),
    "auprc": lambda y, s, p: reference.average_precision_score(y, s),
    "f1": lambda y, s, p: reference.f1_score(y, p),
}


def sample(n=150, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 3)) < [0.5, 0.3, 0.2]).astype(float)
    scores = rng.normal(size=(n, 3)) + labels
    labels[rng.random((n, 3)) < 0.2] = np.nan
    return labels, scores if decimals is None else scores.round(decimals), scores > 0.7


def slow(labels, scores, predicted):
    known, found = ~np.isnan(labels), {}
    for metric, function in FUNCTIONS.items():
        for i, name in enumerate(NAMES):
            own = known[:, i]
            found[name, metric] = function(labels[own, i], scores[own, i], predicted[own, i])
        found[WHOLE, f"macro_{metric}"] = np.mean([found[name, metric] for name in NAMES])
        found[WHOLE, f"micro_{metric}"] = function(labels[known], scores[known], predicted[known])
    return found


@pytest.mark.parametrize("decimals", [None, 0])
def test_equal_scikit_learn(decimals):
    arguments = sample(decimals=decimals)
    found, expected = label_measure(*arguments, NAMES)(None), slow(*arguments)
    assert [metric for part, metric in found if part == WHOLE] == list(LABEL_METRICS)
    assert {key: values[0] for key, values in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [None, 0])
def test_weights_equal_scikit_learn_on_the_repeated_examples(decimals):
    arguments = sample(decimals=decimals)
    weights = np.random.default_rng(1).integers(0, 3, size=(5, 150)).astype(float)
    found = label_measure(*arguments, NAMES)(weights)
    for row, counts in enumerate(weights.astype(int)):
        expected = slow(*(np.repeat(values, counts, axis=0) for values in arguments))
        assert {key: values[row] for key, values in found.items()} == pytest.approx(expected)


def test_labels_that_do_not_vary_are_left_out_of_means():
    labels, scores, predicted = sample()
    labels[:, 0], labels[:, 1] = 0, np.where(np.isnan(labels[:, 1]), np.nan, 1)
    found = label_measure(labels, scores, predicted, NAMES)(None)
    assert np.isnan([found["nucleus", metric][0] for metric in FUNCTIONS]).all()
    assert np.isnan(found["cytosol", "auroc"][0]) and found["cytosol", "auprc"][0] == 1
    assert found[WHOLE, "macro_auroc"] == found["membrane", "auroc"]
