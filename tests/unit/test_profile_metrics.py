"""Metrics of profile regressions against slow references, and their intervals and comparisons."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import multinomial, pearsonr
from sklearn.metrics import average_precision_score, roc_auc_score

from nucleotune.errors import InputError
from nucleotune.evaluation.profile_intervals import compare_profiles, evaluate_profiles
from nucleotune.evaluation.profile_metrics import (
    PROFILE_METRICS,
    gene_losses,
    measure_profiles,
    pearson_by_gene,
    score_genes,
)
from nucleotune.profile_contracts import ProfileExamples, ProfilePredictions
from nucleotune.training.profile_loss import count_loss, log_coefficients, profile_loss

TRACKS = ("ypd", "gal")


def make_data(n=30, length=23, seed=0):
    """Counts, and profiles that follow them with noise; some genes have few reads, some probabilities are equal."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(length, 0.2), n)
    depth = rng.choice([0, 3, 20, 200], (n, 2), p=[0.1, 0.2, 0.4, 0.3])
    counts = np.stack([rng.multinomial(depth[:, t], truth) for t in range(2)], axis=1)
    profiles = truth[:, None] + np.round(rng.gamma(0.5, 0.1, (n, 2, length)), 2) + 0.01
    profiles /= profiles.sum(axis=2, keepdims=True)
    return counts, profiles.astype(np.float32), np.log1p(depth) + rng.normal(0, 0.5, (n, 2))


def slow_metrics(counts, profiles, log_counts, weights):
    """Gene by gene, position by position, with the genes repeated as often as `weights` says."""
    drawn = np.repeat(np.arange(len(counts)), weights)
    length = profiles.shape[2]
    result = {name: [] for name in PROFILE_METRICS}
    for t in range(counts.shape[1]):
        judged = [g for g in drawn if counts[g, t, :length].sum() > 5]
        r = [pearsonr(counts[g, t, :length], profiles[g, t])[0] for g in judged]
        result["pearson_median"].append(np.median(r))
        result["pearson_mean"].append(np.mean(r))
        for width, ending in ((1, ""), (5, "_5nt")):
            labels, scores = [], []
            for g in judged:
                for begin in range(0, length - width + 1, width):
                    window = slice(begin, begin + width)
                    both = any(all(c > 0 for c in column) for column in counts[g, :, window].T)
                    if both or counts[g, :, window].sum() == 0:
                        labels.append(both)
                        scores.append(max(profiles[g, t, window]))
            result[f"auroc{ending}"].append(roc_auc_score(labels, scores))
            result[f"auprc{ending}"].append(average_precision_score(labels, scores))
        observed = np.log1p(counts[drawn, t, :length].sum(axis=1))
        result["count_pearson"].append(pearsonr(observed, log_counts[drawn, t])[0])
    losses = []
    for g in drawn:
        for t in range(counts.shape[1]):
            k, p = counts[g, t, :length], profiles[g, t].astype(float)
            nll = -multinomial.logpmf(k, k.sum(), p / p.sum())
            losses.append(0.8 * nll + 0.2 * (np.log1p(k.sum()) - log_counts[g, t]) ** 2)
    result["loss"] = [np.mean(losses)]
    return {name: np.mean(values) for name, values in result.items()}


@pytest.mark.parametrize("predicted", [23, 20])
def test_metrics_equal_slow_references(predicted):
    counts, profiles, log_counts = make_data()
    profiles = profiles[:, :, :predicted]
    profiles = profiles / profiles.sum(axis=2, keepdims=True)
    scored = score_genes(counts, profiles, log_counts)
    weights = np.random.default_rng(1).integers(0, 4, (5, len(counts)))
    weights[0] = 1
    found = measure_profiles(scored, weights)
    assert list(found) == list(PROFILE_METRICS)
    for row in range(len(weights)):
        expected = slow_metrics(counts, profiles, log_counts, weights[row])
        for name in PROFILE_METRICS:
            assert found[name][row] == pytest.approx(expected[name], rel=1e-5), (name, row)
    once = measure_profiles(scored)
    assert all(once[name] == pytest.approx(found[name][0]) for name in PROFILE_METRICS)


def test_loss_is_that_of_training():
    counts, profiles, log_counts = make_data()
    given = torch.from_numpy(counts).double()
    profile = profile_loss(
        torch.from_numpy(profiles).double().log(), given, log_coefficients(given)
    )
    count = count_loss(torch.from_numpy(log_counts), given)
    expected = (0.8 * profile + 0.2 * count).mean(dim=1).numpy()
    # The logits' softmax makes up for rounding in the sum of a float32 profile.
    np.testing.assert_allclose(gene_losses(counts, profiles, log_counts), expected, rtol=1e-4)


def test_tracks_without_reads_give_no_profile_loss():
    counts = torch.zeros(1, 2, 4)
    counts[0, 1] = torch.tensor([3.0, 0, 0, 0])
    losses = profile_loss(torch.randn(1, 2, 4), counts, log_coefficients(counts))
    assert losses[0, 0] == 0 and losses[0, 1] > 0


def test_a_certain_prediction_has_almost_no_profile_loss():
    counts = torch.tensor([[[0.0, 1000, 0]]])
    logits = torch.tensor([[[0.0, 50, 0]]])
    assert profile_loss(logits, counts, log_coefficients(counts)).item() == pytest.approx(
        0, abs=1e-3
    )


def test_profiles_without_shape_correlate_with_nothing():
    counts = np.arange(12).reshape(2, 2, 3)
    flat = np.full((2, 2, 3), 1 / 3)
    assert (pearson_by_gene(counts, flat) == 0).all()
    assert (pearson_by_gene(np.ones((2, 2, 3), dtype=int), np.random.rand(2, 2, 3)) == 0).all()
    _, profiles, _ = make_data()
    counts = make_data()[0]
    scored = score_genes(counts, profiles, np.full((len(counts), 2), 4.2))
    assert measure_profiles(scored)["count_pearson"] == 0


def test_what_cannot_be_judged_is_refused():
    counts, profiles, log_counts = make_data()
    with pytest.raises(InputError, match="no gene with more than 5 reads"):
        score_genes(np.minimum(counts, 0), profiles, log_counts)
    with pytest.raises(InputError, match="0 with none"):
        score_genes(counts + 1, profiles, log_counts)


def make_study(n=40, noise=0.0, length=23):
    counts, profiles, log_counts = make_data(n, length)
    rng = np.random.default_rng(7)
    splits = np.array(["train"] * 10 + ["valid"] * 10 + ["test"] * (n - 20))
    ids = [f"g{i}" for i in range(n)]
    table = pd.DataFrame({"id": ids, "split": splits, "group": ids})
    blurred = (1 - noise) * profiles + noise * rng.dirichlet(np.ones(profiles.shape[2]), (n, 2))
    predictions = ProfilePredictions(
        table[["id", "split"]], blurred.astype(np.float32), log_counts, TRACKS
    )
    return ProfileExamples(table, counts, TRACKS), predictions


def shuffled(predictions, seed=3):
    rows = np.random.default_rng(seed).permutation(len(predictions.table))
    return ProfilePredictions(
        predictions.table.iloc[rows].reset_index(drop=True),
        predictions.profiles[rows],
        predictions.log_counts[rows],
        TRACKS,
    )


def test_evaluation_has_the_shape_of_other_metrics():
    examples, predictions = make_study()
    metrics = evaluate_profiles({1: predictions}, examples, resamples=50)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["n_test"] == 20 and metrics["seeds"] == [1]
    assert list(metrics["splits"]) == ["train", "valid", "test"]
    assert metrics["splits"]["train"]["loss"]["ci_low"] is None
    test = metrics["splits"]["test"]
    assert list(test) == list(PROFILE_METRICS)
    part = examples.of_splits(["test"])
    expected = slow_metrics(
        part.counts, predictions.profiles[20:], predictions.log_counts[20:], np.ones(20, dtype=int)
    )
    for name, values in test.items():
        assert values["value"] == pytest.approx(expected[name], rel=1e-5)
        assert values["ci_low"] < values["value"] < values["ci_high"]
    assert evaluate_profiles({1: shuffled(predictions)}, examples, resamples=50) == metrics


def test_intervals_are_quantiles_over_resampled_groups():
    examples, predictions = make_study(n=80, length=60)
    examples.table["group"] = [f"pair{i // 2}" for i in range(len(examples.table))]
    found = evaluate_profiles({1: predictions}, examples, resamples=20, seed=5)["splits"]["test"]
    pairs = np.repeat(np.arange(30), 2)
    rng, values = np.random.default_rng(5), []
    for row in rng.integers(0, 30, (20, 30)):
        weights = np.bincount(row, minlength=30)[pairs]
        part = (examples.counts[20:], predictions.profiles[20:], predictions.log_counts[20:])
        values.append(slow_metrics(*part, weights))
    for name in PROFILE_METRICS:
        low, high = np.quantile([each[name] for each in values], [0.025, 0.975])
        assert found[name]["ci_low"] == pytest.approx(low, rel=1e-5)
        assert found[name]["ci_high"] == pytest.approx(high, rel=1e-5)


def test_several_seeds_are_averaged():
    examples, first = make_study()
    _, second = make_study(noise=0.5)
    each = [evaluate_profiles({s: p}, examples, resamples=0) for s, p in ((1, first), (2, second))]
    both = evaluate_profiles({1: first, 2: second}, examples, resamples=20)
    values = [one["splits"]["test"]["auprc"]["value"] for one in each]
    found = both["splits"]["test"]["auprc"]
    assert found["value"] == pytest.approx(np.mean(values))
    assert found["seed_sd"] == pytest.approx(np.std(values, ddof=1))


def test_comparison_is_paired():
    examples, good = make_study()
    _, bad = make_study(noise=0.9)
    methods = {"good": {1: good}, "line": {1: bad}, "same": {1: shuffled(bad)}}
    table = compare_profiles(methods, "line", examples, resamples=200).set_index("method")
    assert list(table.index) == ["good", "same"]
    row = table.loc["good"]
    assert row["against"] == "line"
    alone = {
        name: evaluate_profiles(methods[name], examples, resamples=0)["splits"]["test"]
        for name in ("good", "line")
    }
    for metric in ("pearson_median", "auprc", "loss"):
        difference = alone["good"][metric]["value"] - alone["line"][metric]["value"]
        assert row[f"delta_{metric}"] == pytest.approx(difference)
    assert 0 < row["ci_low"] < row["delta_pearson_median"] < row["ci_high"]
    assert row["loss_ci_high"] < 0 and row["wilcoxon_p"] < 0.01
    assert row["p"] == pytest.approx(2 / 201) and row["p_holm"] == pytest.approx(4 / 201)
    same = table.loc["same"]
    assert same["delta_auprc"] == same["ci_low"] == same["ci_high"] == 0
    assert same["p"] == same["wilcoxon_p"] == 1


def test_other_genes_are_refused():
    examples, predictions = make_study()
    fewer = ProfilePredictions(*(part[:-1] for part in predictions[:3]), TRACKS)
    with pytest.raises(InputError, match="'g39' not in both"):
        evaluate_profiles({1: fewer}, examples)
    with pytest.raises(InputError, match="names of tracks"):
        evaluate_profiles({1: predictions._replace(tracks=("gal", "ypd"))}, examples)
    with pytest.raises(InputError, match="'line'"):
        compare_profiles({"m": {1: predictions}}, "line", examples)
