"""Paired tests: size under the null, power when there is a difference, no test row chooses."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import matthews_corrcoef

from nucleotune.errors import InputError
from nucleotune.evaluation.paired import (
    best_baseline,
    compare,
    compare_splits,
    comparison_columns,
    holm,
)
from nucleotune.evaluation.titles import COMPARED, METRICS
from nucleotune.evaluation.two_classes import two_classes


def compare_methods(methods, baselines, main="auroc", **options):
    metrics = tuple(dict.fromkeys((main, *COMPARED)))
    options = {"metrics": metrics, "titles": METRICS} | options
    return compare_splits(methods, baselines, two_classes, **options)


def predictions(strength, seed, n=400, valid_strength=None):
    """A table of valid and test rows; higher strength separates the classes better."""
    rng, parts = np.random.default_rng(seed), []
    strengths = (("valid", strength if valid_strength is None else valid_strength),)
    for split, factor in (*strengths, ("test", strength)):
        label = np.arange(n) % 2
        score = rng.normal(size=n) + factor * label
        parts.append(
            pd.DataFrame(
                {
                    "id": [f"{split}{i}" for i in range(n)],
                    "split": split,
                    "label": label,
                    "score": score,
                    "predicted": (score > factor / 2).astype(int),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_a_better_method_is_found_and_an_equal_one_is_not():
    label = np.arange(500) % 2
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 500))
    good, poor = noise[0] + 2 * label, noise[1] + label
    found = compare(label, (good, good > 1), (poor, poor > 0.5))
    assert found["delta_auroc"] > 0.05
    assert 0 < found["ci_low"] < found["delta_auroc"] < found["ci_high"]
    assert found["p"] == pytest.approx(2 / 1001), "never 0"
    assert found["mcnemar_p"] < 0.01
    same = compare(label, (good, good > 1), (good, good > 1))
    assert (same["delta_auroc"], same["p"], same["accuracy_p"], same["mcnemar_p"]) == (0, 1, 1, 1)


def test_pairing_makes_the_interval_narrower_than_independent_resampling():
    label = np.arange(400) % 2
    rng = np.random.default_rng(1)
    score = rng.normal(size=400) + label
    near = score + 0.1 * rng.normal(size=400)
    found = compare(label, (score, score > 0.5), (near, near > 0.5))
    assert found["ci_high"] - found["ci_low"] < 0.02


def test_false_alarms_are_about_as_rare_as_promised():
    rng, alarms = np.random.default_rng(2), 0
    for _ in range(100):
        label = np.arange(200) % 2
        first, second = rng.normal(size=(2, 200)) + label
        pair = ((first, first > 0.5), (second, second > 0.5))
        alarms += compare(label, *pair, resamples=200)["p"] <= 0.05
    assert alarms <= 12


def test_mcnemar_is_the_exact_binomial_test_on_discordant_decisions():
    label = np.array([1] * 10 + [0] * 10)
    first, second = label.copy(), label.copy()
    second[:7] = 0
    first[10:12] = 1
    found = compare(label, (first, first), (second, second), resamples=10)
    assert found["mcnemar_p"] == pytest.approx(binomtest(7, 9).pvalue)
    assert found["delta_accuracy"] == pytest.approx(5 / 20)


def test_difference_of_mcc_is_paired():
    label = np.arange(300) % 2
    rng = np.random.default_rng(5)
    score = rng.normal(size=300) + 1.5 * label
    calls = score > 0.75
    other = np.where(rng.random(300) < 0.05, ~calls, calls)
    found = compare(label, (score, calls), (score, other), resamples=300)
    expected = matthews_corrcoef(label, calls) - matthews_corrcoef(label, other)
    assert found["delta_mcc"] == pytest.approx(expected)
    assert found["mcc_ci_low"] <= found["delta_mcc"] <= found["mcc_ci_high"]
    # Independent samples of 300 would differ by 0.1 and more either way.
    assert found["mcc_ci_high"] - found["mcc_ci_low"] < 0.12
    same = compare(label, (score, calls), (score, calls), resamples=50)
    assert (same["delta_mcc"], same["mcc_p"]) == (0, 1)


def test_swapping_the_methods_turns_the_sign():
    label = np.arange(100) % 2
    first, second = np.random.default_rng(3).normal(size=(2, 100)) + label
    pair = ((first, first > 0.5), (second, second > 0.5))
    there, back = compare(label, *pair), compare(label, *reversed(pair))
    assert there["delta_auroc"] == -back["delta_auroc"]
    assert there["ci_low"] == pytest.approx(-back["ci_high"])
    assert there["p"] == back["p"]


def test_holm_on_a_worked_example():
    # Sorted: .01 x 4, .02 x 3, .03 x 2 (= .06, not below), .9 x 1.
    assert holm([0.03, 0.9, 0.01, 0.02]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([]).size == 0


def test_comparison_table():
    methods = {
        "bert": {1: predictions(2.5, 1), 2: predictions(2.5, 2)},
        "svm": {1: predictions(1.5, 3)},
        "length": {1: predictions(0.5, 4)},
    }
    found = compare_methods(methods, ["svm", "length"], resamples=200)
    assert tuple(found.columns) == comparison_columns(COMPARED)
    assert found["method"].tolist() == ["bert", "length"]
    assert set(found["against"]) == {"svm"}
    bert, length = found.iloc[0], found.iloc[1]
    assert bert["delta_auroc"] > 0 > length["delta_auroc"]
    assert bert["p_holm"] == pytest.approx(2 * bert["p"])
    assert "McNemar on seeds 1 and 1" in bert["note"]
    assert "McNemar" not in length["note"]
    scored = [
        (table["score"], table["predicted"])
        for table in (
            methods[name][1].query("split == 'test'").sort_values("id")
            for name in ("length", "svm")
        )
    ]
    labels = methods["svm"][1].query("split == 'test'").sort_values("id")["label"]
    alone = compare(labels, *scored, resamples=200)
    assert {key: length[key] for key in alone} == pytest.approx(alone)


def test_pairs_are_questions_of_their_own():
    strengths = {"bert": 2.5, "bert-random": 0.5, "svm": 1.5, "other": 1.0}
    methods = {name: {1: predictions(s, i)} for i, (name, s) in enumerate(strengths.items())}
    pairs = [("bert", "bert-random")]
    alone = compare_methods(methods, ["svm"], resamples=200)
    found = compare_methods(methods, ["svm"], pairs=pairs, resamples=200)
    pd.testing.assert_frame_equal(found.iloc[:3], alone)
    (row,) = found.iloc[3:].to_dict("records")
    assert (row["method"], row["against"]) == pairs[0]
    assert row["ci_low"] > 0 and row["p_holm"] == row["p"], (
        "not one of the tests against the baseline"
    )
    assert row["note"] == "the same network with and without pre-training"
    without = compare_methods(methods, [], pairs=pairs, resamples=200)
    assert without.to_dict("records") == [row]


def test_the_baseline_is_chosen_on_the_validation_split():
    methods = {
        "a": {1: predictions(2.0, 1, valid_strength=0.5)},
        "b": {1: predictions(0.5, 2, valid_strength=2.0)},
    }
    found = compare_methods(methods, ["a", "b"], resamples=50)
    assert found["against"].tolist() == ["b"], "a is better on test but not on valid"


def test_best_baseline_takes_metrics_as_in_the_file():
    valid = {name: {"auroc": {"value": v}} for name, v in (("a", 0.7), ("b", 0.8), ("c", 0.8))}
    assert best_baseline(valid) == "b"
    with pytest.raises(InputError, match="no baseline"):
        best_baseline({})


def test_no_baselines_gives_an_empty_table():
    found = compare_methods({"bert": {1: predictions(1, 1)}}, [])
    assert found.empty
    assert tuple(found.columns) == comparison_columns(COMPARED)


def test_a_lone_baseline_gives_an_empty_table():
    found = compare_methods({"svm": {1: predictions(1, 1)}}, ["svm"], resamples=10)
    assert found.empty
    assert tuple(found.columns) == comparison_columns(COMPARED)


def test_different_examples_are_refused():
    other = predictions(1, 2)
    methods = {"svm": {1: predictions(1, 1)}, "plek": {1: other[other["id"] != "test7"]}}
    with pytest.raises(InputError, match=r"'svm' and 'plek' .*400 and 399.*'test7'"):
        compare_methods(methods, ["svm"])


def test_a_baseline_without_predictions_or_validation_is_refused():
    table = predictions(1, 1)
    with pytest.raises(InputError, match="without predictions: plek"):
        compare_methods({"svm": {1: table}}, ["plek"])
    with pytest.raises(InputError, match="no rows of split 'valid'"):
        compare_methods({"svm": {1: table[table["split"] == "test"]}}, ["svm"])


def test_the_main_metric_chooses_and_comes_first():
    methods = {"bert": {1: predictions(1.0, 1)}, "a": {1: predictions(2.0, 2)}}
    sharp = predictions(1.5, 3)
    sharp["score"] = 1 / (1 + np.exp(-sharp["score"]))
    methods["b"] = {1: sharp}
    methods["c"] = {1: sharp.assign(score=1 - 2 * sharp["predicted"].rsub(1).clip(0, 0.45))}
    found = compare_methods(methods, ["a", "b"], main="log_loss", resamples=50)
    assert list(found)[:4] == ["method", "against", "delta_log_loss", "ci_low"]
    assert set(found["against"]) == {"b"}, "a has margins, so no log loss"
    rows = found.set_index("method")
    assert np.isnan(rows.loc["a", ["delta_log_loss", "p", "p_holm"]].astype(float)).all()
    assert rows.loc["a", "note"].endswith("Log loss: scores are no probabilities")
    assert rows.loc["a", "auroc_p"] <= 1
    assert rows.loc["c", "p_holm"] == rows.loc["c", "p"], "one row alone was tested"
    with pytest.raises(InputError, match="no baseline has metric 'log_loss'"):
        compare_methods(methods, ["a"], main="log_loss", resamples=50)


def test_of_losses_the_least_is_best():
    valid = {name: {"log_loss": {"value": v}} for name, v in (("a", 0.7), ("b", 0.2), ("c", None))}
    assert best_baseline(valid, "log_loss") == "b"
