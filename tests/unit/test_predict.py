"""Prediction from a model directory alone."""

import shutil

import numpy as np
import pytest

from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier, save_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.predict import predict
from nucleotune.training.compute import predict_logits, resolve_device
from nucleotune.training.finetune import scores
from nucleotune.training.memory import TokenBudget

MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 4},
    "max_tokens": 32,
    "architecture": {
        "vocab_size": 261,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 32,
        "hidden_dropout_prob": 0.5,
        "attention_probs_dropout_prob": 0.5,
    },
    "parameters": None,
}


@pytest.fixture
def model_dir(tmp_path):
    classifier = build_classifier(MODEL, seed=1)
    description = {
        "model": MODEL,
        "truncation": "left",
        "method": {"view": "transcript", "training": {"micro_batch_tokens": 64}},
    }
    save_model(tmp_path / "m", classifier, description, tokenizer=make_tokenizer(MODEL))
    return tmp_path / "m"


def make_records(n=20):
    rng = np.random.default_rng(0)
    return [(f"r{i}", "".join(rng.choice(list("ACGT"), rng.integers(4, 60)))) for i in range(n)]


def test_predicts_in_order_and_says_what_was_truncated(model_dir, tmp_path):
    records = make_records()
    elsewhere = shutil.move(model_dir, tmp_path / "elsewhere")
    table = predict(elsewhere, iter(records), device="cpu", threads=1)
    assert table.columns.tolist() == ["id", "score", "predicted", "truncated"]
    assert table["id"].tolist() == [name for name, _ in records]
    assert table["truncated"].tolist() == [len(sequence) > 33 for _, sequence in records]
    assert (table["predicted"] == (table["score"] > 0.5)).all() and table["score"].nunique() == 20

    names, sequences = zip(*records, strict=True)
    tokenized = make_tokenizer(MODEL).encode(names, sequences, "left")
    logits = predict_logits(
        build_classifier(MODEL, seed=1),
        tokenized,
        np.arange(20),
        device=resolve_device("cpu", 1),
        budget=TokenBudget(64),
    )
    assert np.array_equal(table["score"], scores(logits)[0])


def test_same_window_same_score(model_dir):
    """Left truncation: what stands before the kept window has no say."""
    window = "ACGTTGCAACGTTGCAACGTTGCAACGTTGCAG"
    table = predict(model_dir, [("a", window), ("b", "GGGGG" + window)], device="cpu", threads=1)
    assert table["score"][0] == pytest.approx(table["score"][1], abs=1e-6)
    assert table["truncated"].tolist() == [False, True]


def test_scores():
    probability, predicted = scores(np.array([[0.0, 0.0], [1.0, 3.0], [2000.0, 0.0]]))
    assert probability.tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-2)), 0.0])
    assert predicted.tolist() == [0, 1, 0]


def test_no_records(model_dir):
    table = predict(model_dir, [], device="cpu")
    assert table.empty and table.columns.tolist() == ["id", "score", "predicted", "truncated"]


def test_bad_records(model_dir):
    with pytest.raises(InputError, match="record 'short': 3 nt is too short"):
        predict(model_dir, [("short", "ACG")], device="cpu")
    with pytest.raises(InputError, match="record 'rna', token 'GCUU'"):
        predict(model_dir, [("rna", "GCUUAGCUAGCUUAGC")], device="cpu")
    table = predict(model_dir, [("n", "N" + "ACGT" * 30)], device="cpu")
    assert len(table) == 1
