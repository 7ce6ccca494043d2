"""Metrics of numbers equal scipy's and scikit-learn's, on plain samples and on weighted ones."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from nucleotune.evaluation.number_metrics import measure_numbers, number_measure
from nucleotune.evaluation.resampling import WHOLE
from nucleotune.evaluation.titles import NUMBER_METRICS


def sample(n=80, decimals=None, offset=0.0):
    rng = np.random.default_rng(0)
    true = rng.gamma(2, size=n) + offset
    predicted = true + rng.normal(size=n)
    return tuple(
        values if decimals is None else values.round(decimals) for values in (true, predicted)
    )


def slow(true, predicted):
    return {
        "pearson": stats.pearsonr(true, predicted).statistic,
        "spearman": stats.spearmanr(true, predicted).statistic,
        "r2": reference.r2_score(true, predicted),
        "rmse": reference.root_mean_squared_error(true, predicted),
    }


@pytest.mark.parametrize("decimals, offset", [(None, 0), (0, 0), (None, 1e4)])
def test_equal_references_also_on_repeated_examples(decimals, offset):
    true, predicted = sample(decimals=decimals, offset=offset)
    weights = np.random.default_rng(1).integers(0, 3, size=(5, true.size)).astype(float)
    weights[0] = 1
    found = measure_numbers(true, predicted, weights)
    assert list(found) == list(NUMBER_METRICS)
    for row, counts in enumerate(weights.astype(int)):
        expected = slow(np.repeat(true, counts), np.repeat(predicted, counts))
        assert {name: values[row] for name, values in found.items()} == pytest.approx(expected)


def test_a_constant_prediction_is_worth_nothing_and_a_constant_truth_says_nothing():
    true, predicted = sample()
    weights = np.ones((1, true.size))
    found = measure_numbers(true, np.full_like(true, 0.1), weights)
    assert (found["pearson"], found["spearman"]) == (0, 0) and found["r2"][0] < 0
    found = measure_numbers(np.full_like(true, 0.1), predicted, weights)
    assert np.isnan([found[name][0] for name in ("pearson", "spearman", "r2")]).all()
    assert found["rmse"][0] > 0


def test_a_resample_of_one_number_is_one_of_a_constant():
    true, predicted = sample(offset=0.1)
    weights = np.zeros((1, true.size))
    weights[0, 3] = true.size
    found = measure_numbers(true, predicted, weights)
    assert np.isnan([found[name][0] for name in ("pearson", "spearman", "r2")]).all()


def test_targets_are_judged_where_they_are_known_and_averaged():
    true, predicted = sample()
    values = np.stack([true, 100 * true[::-1]], axis=1)
    values[:20, 0] = np.nan
    both = np.stack([predicted, predicted], axis=1)
    found = number_measure(values, both, ["a", "b"])(None)
    first, second = slow(true[20:], predicted[20:]), slow(100 * true[::-1], predicted)
    for name in NUMBER_METRICS:
        assert found["a", name][0] == pytest.approx(first[name])
        assert found["b", name][0] == pytest.approx(second[name])
        assert found[WHOLE, name][0] == pytest.approx((first[name] + second[name]) / 2)
