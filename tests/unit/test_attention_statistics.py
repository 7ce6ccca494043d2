"""Equations 1 and 2 and what follows from them, against their definitions written out in loops."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr, rankdata

from nucleotune.attention.capture import attention_sums
from nucleotune.attention.spans import token_spans, tokens_with
from nucleotune.attention.statistics import (
    attention_ratio,
    coefficient_of_variation,
    frequency,
    most_specialised,
    probability_by_attention,
    random_subsets,
    relative_attention,
    similarity,
    spearman,
)
from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier
from nucleotune.models.tokenizers import make_tokenizer

N, LAYERS, HEADS, P = 7, 2, 3, 4


def make_matrices(seed=0):
    """Attention of N sequences of unequal length, special tokens first and last, and properties of all tokens."""
    rng = np.random.default_rng(seed)
    found = []
    for tokens in rng.integers(4, 9, N):
        scores = np.exp(2 * rng.standard_normal((LAYERS, HEADS, tokens, tokens)))
        found.append((scores / scores.sum(-1, keepdims=True), rng.random((tokens, P)) < 0.4))
    return found


def test_equation_1():
    matrices, has = make_matrices(), np.array([1, 0, 0, 1, 1, 0, 1], dtype=bool)
    to_class = np.array([alpha[..., 0].sum(-1) for alpha, _ in matrices], dtype=np.float32)
    found = relative_attention(to_class, has)
    for layer in range(LAYERS):
        for head in range(HEADS):
            with_f = without_f = 0.0
            for f, (alpha, _) in zip(has, matrices, strict=True):
                total = sum(alpha[layer, head, i, 0] for i in range(alpha.shape[-1]))
                with_f, without_f = with_f + f * total, without_f + (1 - f) * total
            expected = (with_f / 4) / (without_f / 3)
            assert found[layer, head] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [True, False])
def test_equation_1_needs_both_kinds(value):
    with pytest.raises(InputError, match=f"{N * value} of {N} sequences"):
        relative_attention(np.ones((N, LAYERS, HEADS)), np.full(N, value))


def test_equation_2():
    to_sequence = np.zeros((N, LAYERS, HEADS))
    to_property = np.zeros((N, LAYERS, HEADS, P))
    for m, (alpha, g) in enumerate(make_matrices()):
        for i in range(1, alpha.shape[-1] - 1):
            for j in range(1, alpha.shape[-1] - 1):
                to_sequence[m] += alpha[..., i, j]
                to_property[m] += g[j] * alpha[..., i, j, None]
    found = attention_ratio(to_property, to_sequence)
    assert found.shape == (LAYERS, HEADS, P)
    expected = to_property[:, 1, 2, 3].sum() / to_sequence[:, 1, 2].sum()
    assert found[1, 2, 3] == pytest.approx(expected)
    # Even attention gives each property its frequency.
    even = attention_ratio(np.full((1, 1, 1, 1), 3 * 0.5), np.full((1, 1, 1), 3 * 2.0))
    assert even.item() == 0.25


def test_frequency_leaves_out_special_tokens():
    properties = np.array([[1, 1], [1, 0], [0, 0], [1, 0], [1, 1]], dtype=bool)
    content = np.array([False, True, True, True, False])
    np.testing.assert_allclose(frequency(properties, content), [2 / 3, 0])


def test_specialisation():
    values = np.array([[1.0, 1.0, 4.0], [0.5, 4.0, 1.5]])
    mean = values.sum() / 6
    expected = (((values - mean) ** 2).sum() / 6) ** 0.5 / mean
    assert coefficient_of_variation(values) == pytest.approx(expected)
    assert coefficient_of_variation(np.ones((12, 12))) == 0
    assert most_specialised(values) == (0, 2)


def test_similarity_is_pearson_over_heads():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 12, 12))
    assert similarity(a, b) == pytest.approx(pearsonr(a.ravel(), b.ravel()).statistic)
    assert similarity(a, 3 * a + 1) == pytest.approx(1)
    assert np.isnan(similarity(a, np.ones((12, 12))))


def test_random_subsets_are_even_and_follow_the_seed():
    parts = random_subsets(100, seed=1)
    assert sorted(np.bincount(parts)) == [33, 33, 34]
    assert np.array_equal(parts, random_subsets(100, seed=1))
    assert not np.array_equal(parts, random_subsets(100, seed=2))


def test_probability_by_attention():
    rng = np.random.default_rng(0)
    attention = rng.gamma(2, size=3000)
    has = rng.random(3000) < attention / (1 + attention)
    subset = random_subsets(3000, seed=0)
    table = probability_by_attention(attention, has, subset, bins=6, percentile=90)
    top = np.percentile(attention, 90)
    assert table["end"].iloc[-1] == top and table["n"].sum() == 2700
    for row, (begin, end) in zip(
        table.itertuples(), zip(table["begin"], table["end"], strict=True), strict=True
    ):
        assert end - begin == pytest.approx(top / 6)
        inside = (begin < attention) & (attention <= end)
        assert row.n == inside.sum()
        assert row.probability == pytest.approx(has[inside].mean())
        parts = [has[inside & (subset == s)].mean() for s in range(3)]
        assert row.mean == pytest.approx(np.mean(parts))
        assert row.sd == pytest.approx(np.std(parts, ddof=1))


def test_bins_without_samples_are_nan():
    attention = np.array([1.0, 1.0, 10.0, 10.0])
    table = probability_by_attention(
        attention, np.array([0, 1, 1, 1], bool), np.array([0, 1, 0, 1]), bins=5, percentile=100
    )
    assert table["n"].tolist() == [2, 0, 0, 0, 2]
    assert table["probability"].isna().tolist() == [False, True, True, True, False]
    assert spearman(table) == pytest.approx(1)


def test_spearman_over_bins():
    table = pd.DataFrame(
        {"begin": [0, 1, 2, 3.0], "n": [5, 0, 5, 5], "probability": [0.1, np.nan, 0.9, 0.5]}
    )
    ranks = rankdata([0.1, 0.9, 0.5])
    assert spearman(table) == pytest.approx(np.corrcoef([1, 2, 3], ranks)[0, 1])
    assert np.isnan(spearman(table[:1]))
    assert np.isnan(spearman(table.assign(probability=0.5)))


def test_even_attention_knows_nothing():
    """The whole way from sequences: with queries of zeros, all tokens get the same attention."""
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3}
    model = {
        "title": "even",
        "family": "bert",
        "tokenizer": {"kind": "kmer", "k": 3},
        "max_tokens": 32,
        "architecture": sizes
        | {"vocab_size": 69, "intermediate_size": 40, "max_position_embeddings": 32},
        "parameters": None,
    }
    classifier, tokenizer = build_classifier(model, seed=0), make_tokenizer(model)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if ".query." in name:
                parameter.zero_()
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACGT"), 22)) for _ in range(30)]
    tokenized = tokenizer.encode([str(i) for i in range(30)], sequences, "right")
    spans = token_spans(model, tokenizer, tokenized, sequences)
    has = tokens_with(spans, rng.random((30 * 22, 3)) < [0.05, 0.2, 0.6])
    sums = attention_sums(classifier, tokenized, spans.content, has)

    np.testing.assert_allclose(sums.to_class, 1, rtol=1e-5)
    np.testing.assert_allclose(sums.to_sequence, 20 * 20 / 22, rtol=1e-5)
    relative = relative_attention(sums.to_class, np.arange(30) < 10)
    np.testing.assert_allclose(relative, 1, rtol=1e-5)
    assert coefficient_of_variation(relative) < 1e-5
    ratio = attention_ratio(sums.to_property, sums.to_sequence)
    expected = np.broadcast_to(frequency(has, spans.content), ratio.shape)
    np.testing.assert_allclose(ratio, expected, rtol=1e-5)
