"""Bootstrap intervals: equal to a slow obvious reference, of the right coverage, clear errors."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from nucleotune.errors import InputError
from nucleotune.evaluation import resampling
from nucleotune.evaluation.resampling import WHOLE, evaluate_splits, judge, resample
from nucleotune.evaluation.two_classes import check_classes, split_of, two_classes


def evaluate(labels, scores, predicted, *, resamples=1000, seed=0, groups=None):
    split = split_of(labels, scores, predicted)
    return judge(split, resamples=resamples, confidence=0.95, seed=seed, groups=groups)[WHOLE]


def resample_metrics(labels, scores, predicted, **options):
    found = resample(split_of(labels, scores, predicted), **options)
    return {metric: values for (_, metric), values in found.items()}


def evaluate_predictions(tables, groups=None, resamples=1000, source="predictions"):
    return evaluate_splits(
        tables,
        lambda split: two_classes(tables, split, source),
        groups=groups,
        resamples=resamples,
        confidence=0.95,
        seed=0,
        source=source,
    )


def sample(n=200, seeds=1, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2 == 1
    scores = 1 / (1 + np.exp(-(rng.normal(size=(seeds, n)) + labels)))
    return labels, scores, scores > 0.6


def table(labels, scores, predicted, split="test"):
    ids = [f"{split}{index}" for index in range(len(labels))]
    values = {"id": ids, "split": split, "label": labels, "score": scores, "predicted": predicted}
    return pd.DataFrame(values).astype({"label": int, "predicted": int})


def tables(seeds=1, n=60, splits=("train", "valid", "test")):
    result = {}
    for seed in range(1, seeds + 1):
        parts = []
        for split in splits:
            labels, scores, predicted = sample(n, seed=seed)
            parts.append(table(labels, scores[0], predicted[0], split))
        result[seed] = pd.concat(parts, ignore_index=True)
    return result


def test_auroc_of_every_resample_equals_scikit_learn():
    labels, scores, predicted = sample(seeds=2)
    scores = scores.round(1)
    found = resample_metrics(labels, scores, predicted, resamples=20, seed=3)["auroc"]
    counts = np.concatenate(list(resampling.draw(labels, None, 20, 3))).astype(int)
    for row, count in enumerate(counts):
        index = np.repeat(np.arange(labels.size), count)
        assert count[labels].sum() == labels.sum(), "drawn within each class"
        expected = np.mean([roc_auc_score(labels[index], seed[index]) for seed in scores])
        assert found[row] == pytest.approx(expected, abs=1e-12)


def test_members_of_a_group_are_drawn_together_and_within_their_class():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4])
    counts = np.concatenate(list(resampling.draw(labels, groups, 200, 3)))
    for members in ([0, 1, 2], [4, 5]):
        assert (counts[:, members] == counts[:, members[:1]]).all()
    assert (counts[:, [0, 3]].sum(axis=1) == 2).all(), "two groups of label 0, two draws"
    assert (counts[:, [4, 6, 7]].sum(axis=1) == 3).all()
    assert len(np.unique(counts, axis=0)) > 10


def test_isoforms_that_share_their_fate_widen_the_interval():
    """Every gene four times over: four times the rows, and not one gene more of information."""
    labels, scores, predicted = sample(n=100)
    alone = evaluate(labels, scores, predicted, seed=1)["accuracy"]
    rows = [np.repeat(values, 4, axis=-1) for values in (labels, scores, predicted)]
    genes = np.repeat(np.arange(100), 4)
    together = evaluate(*rows, seed=1, groups=genes)["accuracy"]
    assert together == alone
    naive = evaluate(*rows, seed=1)["accuracy"]
    width = together["ci_high"] - together["ci_low"]
    assert 1.6 < width / (naive["ci_high"] - naive["ci_low"]) < 2.5, "about the root of four"


def test_groups_are_found_by_id():
    predictions = tables(seeds=1, n=40)
    ids = predictions[1]["id"]
    alone = evaluate_predictions(predictions)
    assert evaluate_predictions(predictions, groups=pd.Series(ids.to_numpy(), index=ids)) == alone
    pairs = pd.Series(np.arange(len(ids)) // 2, index=ids).sample(frac=1, random_state=0)
    paired = evaluate_predictions(predictions, groups=pairs)
    assert paired["splits"]["test"]["auroc"]["value"] == alone["splits"]["test"]["auroc"]["value"]
    assert paired["splits"]["test"]["auroc"] != alone["splits"]["test"]["auroc"]
    with pytest.raises(InputError, match="is not among the examples"):
        evaluate_predictions(predictions, groups=pairs.iloc[1:])


def test_resamples_do_not_depend_on_the_chunk(monkeypatch):
    labels, scores, predicted = sample(n=50)
    whole = resample_metrics(labels, scores, predicted, resamples=30, seed=0)
    monkeypatch.setattr(resampling, "CHUNK", 7 * 50)
    chunked = resample_metrics(labels, scores, predicted, resamples=30, seed=0)
    for name in whole:
        assert np.allclose(whole[name], chunked[name], rtol=0, atol=1e-12)


def test_interval_of_accuracy_matches_the_binomial_one():
    labels = np.arange(2000) % 2 == 1
    predicted = labels ^ (np.arange(2000) % 10 < 2)
    found = evaluate(labels, predicted.astype(float), predicted, resamples=2000)["accuracy"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 2000)
    assert found["value"] == 0.8
    assert found["ci_low"] == pytest.approx(0.8 - half, abs=0.003)
    assert found["ci_high"] == pytest.approx(0.8 + half, abs=0.003)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(5), 0
    for _ in range(100):
        labels = np.arange(300) % 2 == 1
        scores = rng.normal(size=300) + labels
        found = evaluate(labels, scores, scores > 0.5, resamples=200)["auroc"]
        covered += found["ci_low"] <= 0.7602 <= found["ci_high"]  # Phi(1 / sqrt 2)
    assert 87 <= covered <= 100


def test_seeds_are_averaged_and_their_spread_given():
    labels, scores, predicted = sample(seeds=3)
    together = evaluate(labels, scores, predicted, resamples=50)
    alone = [evaluate(labels, scores[i], predicted[i], resamples=0) for i in range(3)]
    for name, found in together.items():
        values = [one[name]["value"] for one in alone]
        assert found["value"] == pytest.approx(np.mean(values))
        assert found["seed_sd"] == pytest.approx(np.std(values, ddof=1))
        assert found["ci_low"] <= found["value"] <= found["ci_high"]
    assert "seed_sd" not in alone[0]["auroc"]
    assert alone[0]["auroc"]["ci_low"] is None


def test_same_seed_gives_the_same_numbers():
    arguments = sample()
    assert evaluate(*arguments, seed=4) == evaluate(*arguments, seed=4)
    assert evaluate(*arguments, seed=4) != evaluate(*arguments, seed=5)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="here: 4 examples, 0 of label 1 and 4 of label 0"):
        check_classes(np.zeros(4, dtype=bool), "here")


def test_metrics_json_of_several_seeds():
    result = evaluate_predictions(tables(seeds=2), resamples=50)
    json.dumps(result, allow_nan=False)
    assert (result["n_test"], result["seeds"]) == (60, [1, 2])
    assert list(result["splits"]) == ["train", "valid", "test"]
    assert result["splits"]["train"]["log_loss"]["ci_low"] is None
    assert result["splits"]["valid"]["auroc"]["ci_low"] is not None


def test_order_of_rows_changes_nothing():
    ordered = tables(seeds=2)
    shuffled = {seed: part.sample(frac=1, random_state=seed) for seed, part in ordered.items()}
    assert evaluate_predictions(ordered, resamples=50) == evaluate_predictions(
        dict(reversed(shuffled.items())), resamples=50
    )


def test_pretraining_rows_are_left_out():
    both = tables()
    extra = tables(splits=("pretrain",))[1]
    with_extra = {1: pd.concat([both[1], extra], ignore_index=True)}
    assert evaluate_predictions(with_extra, resamples=9) == evaluate_predictions(both, resamples=9)


def test_different_examples_between_seeds_are_refused():
    wrong = tables(seeds=2)
    wrong[2] = wrong[2].replace({"id": {"test3": "other"}})
    with pytest.raises(InputError, match=r"cpc2: split 'test': seeds 1 and 2 .*'other'"):
        evaluate_predictions(wrong, source="cpc2")


def test_different_labels_between_seeds_are_refused():
    wrong = tables(seeds=2)
    wrong[2].loc[wrong[2]["id"] == "test3", "label"] = 0
    with pytest.raises(InputError, match=r"'test3' has another label in seed 2"):
        evaluate_predictions(wrong)


def test_missing_test_split_is_refused():
    with pytest.raises(InputError, match="no rows of split 'test'; found train, valid"):
        evaluate_predictions(tables(splits=("train", "valid")))
    with pytest.raises(InputError, match="no seed"):
        evaluate_predictions({})


@pytest.mark.parametrize(("collapsed", "said"), [(0, None), (1, 1), (2, 2)])
def test_a_model_that_predicts_one_class_says_so_and_has_no_false_certainty(collapsed, said):
    rng = np.random.default_rng(0)
    labels = np.repeat([True, False], 20)
    scores = rng.random((2, 40))
    predicted = scores > 0.5
    predicted[:collapsed] = True
    found = evaluate(labels, scores, predicted, resamples=50)
    assert {metric.get("one_class") for metric in found.values()} == {said}
    assert (found["mcc"]["ci_low"] is None) == (collapsed == 2)
    if collapsed == 2:
        assert found["mcc"]["value"] == 0 and found["accuracy"]["ci_high"] is None
    assert found["auroc"]["ci_low"] < found["auroc"]["ci_high"]  # scores still rank


def test_margins_have_no_calibration_and_say_why():
    labels, scores, predicted = sample()
    found = evaluate(labels, scores * 3 - 1, predicted, resamples=20)
    for name in ("log_loss", "brier", "calibration_error"):
        reason = {"reason": "scores are no probabilities"}
        assert found[name] == {"value": None, "ci_low": None, "ci_high": None} | reason
    assert found["auprc"]["ci_low"] < found["auprc"]["value"]


def test_a_metric_that_few_resamples_have_gets_no_interval():
    drawn = np.array([0.5] * 89 + [np.nan] * 11)
    low, high, reason = resampling.interval(drawn, 0.95)
    assert (low, high, reason) == (None, None, "defined in 89 of 100 resamples: no interval")
    assert resampling.interval(drawn[:95], 0.95) == (0.5, 0.5, None)
