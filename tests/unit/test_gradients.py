"""Gradients at token embeddings: sums that add up, and their way to nucleotides."""

import numpy as np
import pytest
import torch

from nucleotune.attention.spans import token_spans
from nucleotune.attribution.gradients import (
    integrated_gradients,
    share_over_nucleotides,
    with_references,
)
from nucleotune.attribution.targets import output_target, output_weights
from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier
from nucleotune.models.tokenizers import make_tokenizer

LENGTH = 24


def tiny(kind="kmer"):
    tokenizer = {"kind": "kmer", "k": 3} if kind == "kmer" else {"kind": kind}
    return {
        "title": "tiny",
        "family": "bert",
        "tokenizer": tokenizer,
        "max_tokens": 64,
        "architecture": {
            "vocab_size": 69,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 64,
        },
        "parameters": None,
    }


@pytest.fixture(scope="module")
def case():
    """A classifier with weights that matter, three sequences, their tokens and its target."""
    model = tiny()
    classifier = build_classifier(model, seed=0).eval()
    with torch.no_grad():
        for parameter in classifier.parameters():
            if parameter.dim() == 2:
                parameter.mul_(8)
    tokenizer = make_tokenizer(model)
    letters = np.random.default_rng(0).choice(list("ACGT"), size=(3, LENGTH))
    sequences = ["".join(row) for row in letters]
    tokenized = tokenizer.encode(["a", "b", "c"], sequences, "right")
    target = output_target(output_weights("classes", 2, 1))
    ids, _, _ = tokenized.rectangle(np.arange(3))
    with torch.no_grad():
        weights = target.weights(classifier(input_ids=torch.from_numpy(ids)))

    def score(embedded, sequence):
        return target.value(classifier(inputs_embeds=embedded), weights[sequence])

    spans = token_spans(model, tokenizer, tokenized, sequences)
    return classifier, tokenizer, sequences, ids, spans, score


def references_of(tokenizer, sequences, count):
    tokenized = tokenizer.encode([str(i) for i in range(len(sequences))], sequences, "right")
    return with_references(tokenizer, tokenized, sequences, truncation="right", count=count, seed=0)


def test_integrated_gradients_add_up(case):
    classifier, tokenizer, sequences, ids, spans, score = case
    embeddings = classifier.get_input_embeddings()
    _, references = references_of(tokenizer, sequences, 3)
    found = integrated_gradients(score, embeddings, ids, references, steps=64, rows=100)
    with torch.no_grad():
        at = [
            classifier(input_ids=torch.from_numpy(t)).logits.diff(dim=1)[:, 0].numpy()
            for t in (ids, references.reshape(9, -1))
        ]
    expected = at[0] - at[1].reshape(3, 3).mean(axis=1)
    assert found.values == pytest.approx(expected, abs=1e-4)
    assert abs(expected).min() > 0.01
    assert found.tokens.sum(axis=1) - found.values == pytest.approx(found.delta)
    assert abs(found.delta).max() < 0.02 * abs(expected).max()
    coarse = integrated_gradients(score, embeddings, ids, references, steps=2)
    assert abs(coarse.delta).max() > abs(found.delta).max()
    # Special tokens are those of the references: nothing is due to them, and nucleotides have it all.
    assert (found.tokens[:, [0, -1]] == 0).all()
    nucleotides = share_over_nucleotides(spans, found.tokens.ravel()).reshape(3, LENGTH)
    assert nucleotides.sum(axis=1) == pytest.approx(found.tokens.sum(axis=1))


def test_linear_score(case):
    """Of a score that is linear in the embeddings, weights times difference, token by token."""
    classifier, tokenizer, sequences, ids, _, _ = case
    embeddings = classifier.get_input_embeddings()
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(3, ids.shape[1], 16, generator=generator)

    def score(embedded, sequence):
        return (embedded * weights[sequence]).sum(dim=(1, 2))

    _, references = references_of(tokenizer, sequences, 2)
    found = integrated_gradients(score, embeddings, ids, references, steps=3)
    table = embeddings.weight.detach()
    x, reference = table[ids], table[references].mean(dim=1)
    assert found.tokens == pytest.approx(((x - reference) * weights).sum(2).numpy(), abs=1e-5)
    assert abs(found.delta).max() < 1e-5


def test_shuffles_keep_special_tokens(case):
    _, tokenizer, sequences, ids, _, _ = case
    same, references = references_of(tokenizer, sequences, 2)
    assert (same == ids).all()
    assert references.shape == (3, 2, LENGTH)
    assert (references[:, :, 0] == ids[:, None, 0]).all()
    assert (references != ids[:, None]).any(axis=2).all()


def slow_shares(spans, values):
    result = np.zeros(spans.lengths.sum())
    for begin, end, value in zip(spans.begins, spans.ends, values, strict=True):
        for position in range(begin, end):
            result[position] += value / (end - begin)
    return result


@pytest.mark.parametrize(
    ("kind", "truncation"), [("kmer", "right"), ("kmer", "left"), ("single", "centre")]
)
def test_shares_equal_a_loop(kind, truncation):
    model = tiny(kind) | {"max_tokens": 20}
    tokenizer = make_tokenizer(model)
    sequences = ["ACGTTGCAAC" * 3, "TTGACCA", "ACGTNACGTACG" * 2]
    tokenized = tokenizer.encode(["a", "b", "c"], sequences, truncation)
    spans = token_spans(model, tokenizer, tokenized, sequences)
    values = np.random.default_rng(0).normal(size=len(spans.begins))
    found = share_over_nucleotides(spans, values)
    assert found == pytest.approx(slow_shares(spans, values))
    assert found.sum() == pytest.approx(values[spans.content].sum())
    with pytest.raises(InputError, match="values for"):
        share_over_nucleotides(spans, values[1:])


def test_no_references_where_numbers_of_tokens_differ():
    assert references_of(make_tokenizer(tiny()), ["ACG", "ACGTA"], 1) is None
