"""Sums of attention against the matrices that transformers gives, sequence by sequence and without padding."""

import logging

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nucleotune.attention import capture
from nucleotune.attention.capture import attention_from_class, attention_sums, attention_to_tokens
from nucleotune.errors import InputError
from nucleotune.models.families import FAMILIES
from nucleotune.models.load import build_classifier
from nucleotune.sequence.kmers import TokenizedSequences

TOLERANCE = 1e-4
LAYERS, HEADS, VOCABULARY = 2, 3, 40
NAMES = (*FAMILIES, "esm-rotary")
LENGTHS = (9, 30, 17, 30, 5)


@pytest.fixture(autouse=True)
def one_thread():
    """For models as small as these, waiting for a second thread takes longer than the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_classifier(name, attention="sdpa", positions=64):
    """Weights so large that attention is far from even."""
    family = name.split("-")[0]
    architecture = {
        "vocab_size": VOCABULARY,
        "hidden_size": 24,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": 40,
    }
    if "max_position_embeddings" in FAMILIES[family].required:
        architecture["max_position_embeddings"] = positions + 2
    if name == "esm-rotary":
        architecture["position_embedding_type"] = "rotary"
    model = {
        "title": name,
        "family": family,
        # Of this kind a model takes the padding of its family, and any vocabulary.
        "tokenizer": {"kind": "file"},
        "max_tokens": positions,
        "architecture": architecture,
        "parameters": None,
    }
    classifier = build_classifier(model, seed=1, attention=attention)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.4)
    return classifier.eval()


def make_tokenized(name, lengths=LENGTHS, seed=0):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return TokenizedSequences(
        tokens=rng.integers(5, VOCABULARY, offsets[-1]).astype(np.uint16),
        offsets=offsets,
        starts=np.zeros(len(lengths), dtype=np.int64),
        truncated=np.zeros(len(lengths), dtype=bool),
        pad_id=FAMILIES[name.split("-")[0]].pad_id,
    )


def make_content(tokenized):
    """All tokens but the first and the last of each sequence."""
    content = np.ones(len(tokenized.tokens), dtype=bool)
    content[tokenized.offsets[:-1]] = content[tokenized.offsets[1:] - 1] = False
    return content


def matrices(name, tokenized):
    """Attention of each sequence, computed alone: (layers, heads, tokens, tokens)."""
    eager = make_classifier(name, attention="eager")
    found = []
    for i in range(len(tokenized)):
        ids = tokenized.tokens[tokenized.offsets[i] : tokenized.offsets[i + 1]].astype(np.int64)
        with torch.inference_mode():
            output = eager(torch.from_numpy(ids)[None], output_attentions=True)
        found.append(torch.cat(output.attentions).double().numpy())
    return found


def test_computes_in_full_fp32_whatever_the_run_does():
    tokenized, flags = make_tokenized("bert"), set()
    classifier = make_classifier("bert")
    note = lambda *_: flags.add((torch.get_float32_matmul_precision(), cudnn.allow_tf32))  # noqa: E731
    classifier.base_model.register_forward_hook(note)
    cudnn = torch.backends.cudnn
    torch.set_float32_matmul_precision("high")
    try:
        attention_from_class(classifier, tokenized)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert flags == {("highest", False)}


@pytest.mark.parametrize("max_tokens", [1, 90, 8192])
@pytest.mark.parametrize("name", NAMES)
def test_sums_are_those_of_the_matrices(name, max_tokens):
    tokenized = make_tokenized(name)
    content = make_content(tokenized)
    rng = np.random.default_rng(1)
    properties = np.column_stack(
        [rng.random(len(content)) < share for share in (0, 0.1, 0.5, 1)]
        + [rng.random(len(content))]
    )
    sums = attention_sums(
        make_classifier(name), tokenized, content, properties, max_tokens=max_tokens
    )
    for i, alpha in enumerate(matrices(name, tokenized)):
        one = slice(tokenized.offsets[i], tokenized.offsets[i + 1])
        inside, g = content[one], properties[one]
        own = alpha[:, :, inside][..., inside]
        np.testing.assert_allclose(sums.to_class[i], alpha[..., 0].sum(-1), rtol=TOLERANCE)
        np.testing.assert_allclose(sums.to_sequence[i], own.sum((-1, -2)), rtol=TOLERANCE)
        expected = np.einsum("lhij,jp->lhp", own, g[inside])
        np.testing.assert_allclose(sums.to_property[i], expected, rtol=TOLERANCE, atol=1e-6)
    assert np.ptp(sums.to_class) > 1, "attention so even that the test would see little"


@pytest.mark.parametrize("name", NAMES)
def test_all_ones_is_the_whole_of_the_sequence(name):
    tokenized = make_tokenized(name)
    content = make_content(tokenized)
    sums = attention_sums(make_classifier(name), tokenized, content, np.ones((len(content), 1)))
    np.testing.assert_array_equal(sums.to_property[..., 0], sums.to_sequence)


@pytest.mark.parametrize("held", [1, 200, 2**20])
@pytest.mark.parametrize("name", NAMES)
def test_raw_attention_is_the_column_sums(name, held, monkeypatch):
    monkeypatch.setattr(capture, "WEIGHTS_AT_A_TIME", held)
    tokenized = make_tokenized(name)
    content = make_content(tokenized)
    heads = [(1, 2), (0, 1), (1, 0)]
    raw = attention_to_tokens(make_classifier(name), tokenized, content, heads)
    for i, alpha in enumerate(matrices(name, tokenized)):
        one = slice(tokenized.offsets[i], tokenized.offsets[i + 1])
        expected = alpha[:, :, content[one]].sum(2)
        for column, (layer, head) in enumerate(heads):
            np.testing.assert_allclose(raw[one, column], expected[layer, head], rtol=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_agree(name):
    """Sums of raw attention over the tokens of a property are the attention to the property."""
    tokenized = make_tokenized(name)
    content, rng = make_content(tokenized), np.random.default_rng(3)
    has = rng.random((len(content), 1)) < 0.3
    classifier = make_classifier(name)
    sums = attention_sums(classifier, tokenized, content, has)
    heads = [(layer, head) for layer in range(LAYERS) for head in range(HEADS)]
    raw = attention_to_tokens(classifier, tokenized, content, heads)
    per_token = np.where(content[:, None] & has, raw, 0)
    expected = np.add.reduceat(per_token, tokenized.offsets[:-1]).reshape(-1, LAYERS, HEADS)
    np.testing.assert_allclose(sums.to_property[..., 0], expected, rtol=TOLERANCE, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_attention_from_class_is_the_first_row(name):
    tokenized = make_tokenized(name)
    rows = attention_from_class(make_classifier(name), tokenized)
    for i, alpha in enumerate(matrices(name, tokenized)):
        one = slice(tokenized.offsets[i], tokenized.offsets[i + 1])
        np.testing.assert_allclose(rows[one].T, alpha[:, :, 0].sum(1), rtol=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_the_model_computes_what_it_always_does(name):
    """Layers after the first are read from what the reading ones before them gave on."""
    tokenized = make_tokenized(name)
    classifier = make_classifier(name)
    ids = torch.from_numpy(tokenized.tokens[9:39].astype(np.int64))[None]
    with torch.inference_mode():
        before = classifier(ids).logits
        columns, queries = torch.rand(1, 30, 5), torch.ones(1, 2, 30)
        with capture._Intercepted(capture._property_reader(columns, queries)) as intercepted:
            during = classifier(ids).logits
        after = classifier(ids).logits
    assert len(intercepted.found) == LAYERS
    torch.testing.assert_close(during, before, rtol=1e-5, atol=1e-5)
    assert torch.equal(before, after)


class Shapes(TorchDispatchMode):
    """Shapes of all tensors that any operation makes."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.seen.add(tuple(tensor.shape))
        return result


@pytest.mark.parametrize("name", ["bert", "esm", "esm-rotary"])
def test_no_matrix_of_tokens_by_tokens_is_made(name, monkeypatch):
    """Without padding; DNABERT-2 makes one of its own, the bias of ALiBi."""
    monkeypatch.setattr(capture, "WEIGHTS_AT_A_TIME", 1000)
    tokens = 61
    tokenized = make_tokenized(name, lengths=(tokens, tokens))
    content, classifier = make_content(tokenized), make_classifier(name)
    with Shapes() as shapes:
        attention_sums(classifier, tokenized, content, np.ones((len(content), 5)))
        attention_to_tokens(classifier, tokenized, content, [(0, 0), (0, 1), (1, 2)])
        attention_from_class(classifier, tokenized)
    assert any(tokens in shape for shape in shapes.seen)
    assert not [shape for shape in shapes.seen if shape.count(tokens) > 1]

    with Shapes() as shapes, torch.inference_mode():
        make_classifier(name, attention="eager")(torch.full((2, tokens), 7), output_attentions=True)
    assert [shape for shape in shapes.seen if shape.count(tokens) > 1]


@pytest.mark.parametrize("name", NAMES)
def test_attention_stays_fused(name):
    """Given head sizes that do not fit, torch computes whole matrices, out of sight of the test above."""
    tokenized = make_tokenized(name)
    content, classifier = make_content(tokenized), make_classifier(name)

    def operations(work):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            work()
        return {event.key for event in profile.key_averages()}

    used = operations(
        lambda: attention_sums(classifier, tokenized, content, np.ones((len(content), 5)))
    )
    assert "aten::_scaled_dot_product_flash_attention_for_cpu" in used
    assert "aten::_scaled_dot_product_attention_math" not in used
    query, value = torch.rand(1, 2, 9, 8), torch.rand(1, 2, 9, 16)
    unfit = operations(lambda: capture.scaled_dot_product_attention(query, query, value))
    assert "aten::_scaled_dot_product_attention_math" in unfit


def test_no_property_and_no_sequence():
    classifier = make_classifier("bert")
    tokenized = make_tokenized("bert")
    content = make_content(tokenized)
    sums = attention_sums(classifier, tokenized, content, np.ones((len(content), 0)))
    assert sums.to_property.shape == (5, LAYERS, HEADS, 0)
    assert (sums.to_sequence > 0).all()
    empty = make_tokenized("bert", lengths=())
    sums = attention_sums(classifier, empty, np.ones(0, bool), np.ones((0, 2)))
    assert sums.to_property.shape == (0, LAYERS, HEADS, 2)
    assert attention_from_class(classifier, empty).shape == (0, LAYERS)
    assert attention_to_tokens(classifier, empty, np.ones(0, bool), [(0, 0)]).shape == (0, 1)


def test_a_model_in_training_mode_is_read_without_dropout():
    tokenized = make_tokenized("bert")
    content = make_content(tokenized)
    classifier = make_classifier("bert")
    expected = attention_sums(classifier, tokenized, content, content[:, None])
    found = attention_sums(classifier.train(), tokenized, content, content[:, None])
    np.testing.assert_array_equal(found.to_class, expected.to_class)


def test_eager_attention_is_refused():
    tokenized = make_tokenized("bert")
    with pytest.raises(InputError, match="0 calls of fused attention .*sdpa"):
        attention_from_class(make_classifier("bert", attention="eager"), tokenized)


def test_arrays_of_another_length_are_refused():
    tokenized, classifier = make_tokenized("bert"), make_classifier("bert")
    content = make_content(tokenized)
    with pytest.raises(InputError, match="content: 90 rows, but there are 91 tokens"):
        attention_to_tokens(classifier, tokenized, content[1:], [(0, 0)])
    with pytest.raises(InputError, match="properties: 3 rows"):
        attention_sums(classifier, tokenized, content, np.ones((3, 1)))


def test_progress_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="nucleotune.progress"):
        attention_from_class(make_classifier("bert"), make_tokenized("bert"))
    assert "attention: 5 of 5 sequences" in caplog.text
