"""Profiles along sequences against the matrices of attention, written out."""

import numpy as np
import pytest
import torch

from nucleotune.attention.profile import mean_by_class, position_profile
from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier
from nucleotune.models.tokenizers import make_tokenizer


def make_model(kind, max_tokens=64):
    kmer = kind == "kmer"
    return {
        "title": kind,
        "family": "bert" if kmer else "esm",
        "tokenizer": {"kind": kind, "k": 3 if kmer else None},
        "max_tokens": max_tokens,
        "architecture": {
            "vocab_size": 69 if kmer else 4105,
            "hidden_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "intermediate_size": 40,
            "max_position_embeddings": 66,
        },
        "parameters": None,
    }


def make_classifier(model, attention="sdpa"):
    classifier = build_classifier(model, seed=1, attention=attention)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(2)
        for parameter in classifier.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    return classifier.eval()


def random_sequences(n, length, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


IDS = ["a", "b", "c", "d"]


@pytest.mark.parametrize("layers", ["last", "all"])
@pytest.mark.parametrize("kind", ["kmer", "sixmer"])
def test_profile_is_the_mean_over_tokens_of_cls_attention(kind, layers):
    model, sequences = make_model(kind), random_sequences(4, 40)
    tokenizer = make_tokenizer(model)
    found = position_profile(
        make_classifier(model), model, tokenizer, IDS, sequences, layers=layers
    )
    assert found.shape == (4, 40)
    tokenized = tokenizer.encode(IDS, sequences, "right")
    eager = make_classifier(model, attention="eager")
    for i in range(4):
        ids = tokenized.tokens[tokenized.offsets[i] : tokenized.offsets[i + 1]].astype(np.int64)
        with torch.inference_mode():
            attentions = eager(torch.from_numpy(ids)[None], output_attentions=True).attentions
        chosen = attentions if layers == "all" else attentions[-1:]
        row = sum(alpha[0, :, 0].sum(0) for alpha in chosen).numpy()
        totals, counts = np.zeros(40), np.zeros(40)
        # 40 nt: 38 overlapping 3-mers and [SEP], or six 6-mers and four single letters.
        widths = [3] * 38 if kind == "kmer" else [6] * 6 + [1] * 4
        begins = range(38) if kind == "kmer" else np.cumsum([0, *widths[:-1]])
        for token, (begin, width) in enumerate(zip(begins, widths, strict=True), 1):
            totals[begin : begin + width] += row[token]
            counts[begin : begin + width] += 1
        expected = totals / counts
        np.testing.assert_allclose(found[i], expected / np.linalg.norm(expected), rtol=1e-4)
    np.testing.assert_allclose((found**2).sum(axis=1), 1)


@pytest.mark.parametrize(("truncation", "unseen"), [("right", range(20, 40)), ("left", range(20))])
def test_what_was_cut_off_is_nan(truncation, unseen):
    """20 tokens, of which two special: 18 3-mers, 20 nt."""
    model = make_model("kmer", max_tokens=20)
    found = position_profile(
        make_classifier(model),
        model,
        make_tokenizer(model),
        IDS,
        random_sequences(4, 40),
        truncation=truncation,
    )
    assert np.flatnonzero(np.isnan(found).any(axis=0)).tolist() == list(unseen)
    np.testing.assert_allclose(np.nansum(found**2, axis=1), 1)


def test_unequal_lengths_and_unknown_layers_are_refused():
    model = make_model("kmer")
    arguments = (make_classifier(model), model, make_tokenizer(model))
    with pytest.raises(InputError, match="record 'b': 6 nt, but record 'a' has 5 nt"):
        position_profile(*arguments, ["a", "b"], ["ACGTA", "ACGTAC"])
    with pytest.raises(InputError, match="layers 'first' is unknown: expected one of last, all"):
        position_profile(*arguments, ["a"], ["ACGTA"], layers="first")


def test_mean_by_class():
    profiles = np.array([[1.0, 2, np.nan], [3, 4, np.nan], [5, 6, 7]])
    table = mean_by_class(profiles, np.array([0, 0, 1]), first=-2)
    assert table["label"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["position"].tolist() == [-2, -1, 0] * 2
    np.testing.assert_allclose(table["mean"], [2, 3, np.nan, 5, 6, 7])
    np.testing.assert_allclose(table["sd"][:2], np.sqrt([2, 2]))
    assert table["n"].tolist() == [2, 2, 0, 1, 1, 1]
