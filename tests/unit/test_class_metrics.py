"""Metrics of more than two classes equal scikit-learn's, on plain samples and on weighted ones."""

import numpy as np
import pytest
from sklearn import metrics as reference

from nucleotune.evaluation.class_metrics import class_measure
from nucleotune.evaluation.resampling import WHOLE
from nucleotune.evaluation.titles import CLASS_METRICS

NAMES = ("exon", "intron", "UTR", "other")


def sample(n=200, classes=4, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, size=n, p=rng.dirichlet([3] * classes))
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if decimals is not None:
        scores = scores.round(decimals)
        scores[:, -1] = 1 - scores[:, :-1].sum(axis=1)
        scores = scores.clip(0)
    return labels, scores, (scores * [1, 1, 2, 1]).argmax(axis=1)


def slow(labels, scores, predicted):
    """Every metric from scikit-learn, over the classes that occur."""
    classes = scores.shape[1]
    present = np.unique(labels)
    roc, recalled = (
        [function(labels == k, scores[:, k]) for k in present]
        for function in (reference.roc_auc_score, reference.average_precision_score)
    )
    errors = []
    for k in range(classes):
        bins = np.minimum((scores[:, k] * 10).astype(int), 9)
        gaps = [(scores[:, k] - (labels == k))[bins == b].sum() for b in range(10)]
        errors.append(np.abs(gaps).sum() / len(labels))
    f1 = reference.f1_score(labels, predicted, labels=present, average=None, zero_division=0)
    recall = reference.recall_score(labels, predicted, labels=present, average=None)
    return {
        "accuracy": reference.accuracy_score(labels, predicted),
        "balanced_accuracy": recall.mean(),
        "macro_f1": f1.mean(),
        "mcc": reference.matthews_corrcoef(labels, predicted),
        "macro_auroc": np.mean(roc),
        "macro_auprc": np.mean(recalled),
        "log_loss": reference.log_loss(labels, scores, labels=range(classes)),
        "brier": ((scores - np.eye(classes)[labels]) ** 2).sum(axis=1).mean(),
        "calibration_error": np.mean(errors),
    }, {"recall": recall, "f1": f1, "auroc": roc, "auprc": recalled}


def agrees(found, expected, row=0):
    whole, of_one = expected
    for name, value in whole.items():
        assert found[WHOLE, name][row] == pytest.approx(value, abs=1e-9), name
    for name, values in of_one.items():
        each = [found[part, name][row] for part in NAMES]
        assert [one for one in each if not np.isnan(one)] == pytest.approx(list(values)), name


@pytest.mark.parametrize("decimals", [None, 1])
def test_equal_scikit_learn(decimals):
    labels, scores, predicted = sample(decimals=decimals)
    found = class_measure(labels, scores, predicted, NAMES)(None)
    assert [name for part, name in found if part == WHOLE] == list(CLASS_METRICS)
    agrees(found, slow(labels, scores, predicted))


@pytest.mark.parametrize("decimals", [None, 1])
def test_weights_equal_scikit_learn_on_the_repeated_examples(decimals):
    labels, scores, predicted = sample(decimals=decimals)
    weights = np.random.default_rng(1).integers(0, 3, size=(5, labels.size)).astype(float)
    found = class_measure(labels, scores, predicted, NAMES)(weights)
    for row, counts in enumerate(weights.astype(int)):
        index = np.repeat(np.arange(labels.size), counts)
        agrees(found, slow(labels[index], scores[index], predicted[index]), row)


def test_a_class_that_does_not_occur_is_left_out_of_means():
    labels, scores, predicted = sample()
    labels[labels == 2] = 1
    found = class_measure(labels, scores, predicted, NAMES)(None)
    assert np.isnan(found["UTR", "auroc"][0]) and np.isnan(found["UTR", "f1"][0])
    agrees(found, slow(labels, scores, predicted))


def test_margins_rank_and_decide_alone():
    labels, scores, predicted = sample()
    found = class_measure(labels, 3 * scores - 1, predicted, NAMES)(None)
    assert np.isnan(found[WHOLE, "brier"][0]) and np.isnan(found[WHOLE, "log_loss"][0])
    expected = slow(labels, scores, predicted)[0]
    assert found[WHOLE, "macro_auroc"] == pytest.approx(expected["macro_auroc"])


def test_one_class_for_all_is_worth_nothing():
    labels, scores, _ = sample()
    found = class_measure(labels, scores, np.zeros_like(labels), NAMES)(None)
    assert found[WHOLE, "mcc"] == 0 and found[WHOLE, "balanced_accuracy"] == pytest.approx(1 / 4)
