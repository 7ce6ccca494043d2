"""Descriptions in model directories of others: what is refused before anything is built."""

import copy
import json

import pytest
import safetensors.torch
import torch

from nucleotune.errors import InputError
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.description import encoder_weights
from nucleotune.models.load import build_classifier, load_model, load_pretrained, save_model
from nucleotune.models.profile import (
    build_profile_model,
    load_profile_model,
    save_profile_model,
)
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.predict import predict

MODEL = {
    "title": "small",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3, "species": None},
    "max_tokens": 32,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "max_position_embeddings": 32,
    },
    "parameters": None,
}
METHOD = {
    "title": "BPNet",
    "network": "bpnet",
    "adaptation": None,
    "faithful": False,
    "sizes": {"filters": 4, "layers": 2, "first_kernel": 3, "profile_kernel": 5},
}
HUGE = 9_999_999


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "classifier"
    description = {
        "model": MODEL,
        "truncation": "right",
        "method": {"view": "transcript", "training": {"micro_batch_tokens": 64}},
    }
    save_model(path, build_classifier(MODEL, seed=1), description, tokenizer=make_tokenizer(MODEL))
    return path


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "profile"
    built = build_profile_model(METHOD, None, tracks=("a", "b"), length=20, seed=1)
    save_profile_model(path, built.model)
    return path


def changed(source, target, change):
    """A copy of a model directory with another description."""
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    description = json.loads((target / "nucleotune.json").read_text())
    description.pop("files", None)
    change(description)
    (target / "nucleotune.json").write_text(json.dumps(description))
    return target


def put(*keys, value):
    def change(description):
        for key in keys[:-1]:
            description = description[key]
        description[keys[-1]] = copy.deepcopy(value)

    return change


def drop(*keys):
    def change(description):
        for key in keys[:-1]:
            description = description[key]
        del description[keys[-1]]

    return change


def windowed(**keys):
    def change(description):
        given = {"long": "windows", "window_overlap": 0.25, "window_pooling": "mean"}
        description["method"] |= given | keys

    return change


SIZE = ("model", "architecture", "hidden_size")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("model"), r"nucleotune\.json: no 'model'"),
        (drop("truncation"), r"nucleotune\.json: no 'truncation'"),
        (drop("method", "view"), r"nucleotune\.json: no 'method\.view'"),
        (put("model", value=[]), r"nucleotune\.json: model: expected a mapping, found \[\]"),
        (put("model", "family", value=[]), r"model\.family: expected one of bert"),
        (put("model", "family", value="gpt"), r"model\.family: expected one of bert, .*found 'gpt'"),
        (put("model", "tokenizer", "kind", value={}), r"model\.tokenizer\.kind: expected one of"),
        (put("model", "tokenizer", "k", value=3.0), r"model\.tokenizer\.k: 3\.0 is not possible"),
        (put("model", "tokenizer", "species", value=[1]), r"model\.tokenizer\.species"),
        (put("model", "max_tokens", value="32"), r"model\.max_tokens: expected a whole number"),
        (put("model", "max_tokens", value=float("nan")), r"model\.max_tokens: expected a whole number"),
        (put(*SIZE, value="8"), r"nucleotune\.json: .*architecture\.hidden_size: expected a whole number"),
        (put(*SIZE, value=8.0), r"architecture\.hidden_size: expected a whole number .*found 8\.0"),
        (put(*SIZE, value=True), r"architecture\.hidden_size: expected a whole number"),
        (put(*SIZE, value=10**30), r"architecture\.hidden_size: expected a whole number"),
        (put(*SIZE, value=2 * HUGE // 2 - 1), r"model\.safetensors: [\d,]+ weights, but a model of the sizes"),
        (put("model", "architecture", "num_hidden_layers", value=HUGE), r"model\.safetensors: .* at least"),
        (put("model", "architecture", "intermediate_size", value=HUGE), r"model\.safetensors: .* at least"),
        (put("model", "architecture", "max_position_embeddings", value=HUGE), r"model\.safetensors: .* at least"),
        (put("model", "architecture", "hidden_act", value="x"), r"hidden_act: expected one of gelu"),
        (put("model", "architecture", "x", value=1), "has no field x"),
        (put("truncation", value=["right"]), "truncation: expected one of right, left, centre"),
        (put("method", "view", value=None), "method.view: expected one of transcript, orf, found None"),
        (put("method", "long", value=["windows"]), r"method\.long: expected one of truncate, windows"),
        (put("method", "long", value="windows"), r"no 'method\.window_overlap'"),
        (windowed(window_overlap=1.0), r"method\.window_overlap: expected a number from 0 to 0\.9, found 1\.0"),
        (windowed(window_overlap="x"), r"method\.window_overlap: expected a number from 0 to 0\.9"),
        (windowed(window_pooling="sum"), r"method\.window_pooling: expected one of mean, max"),
        (put("method", "training", "micro_batch_tokens", value=0), "micro_batch_tokens: expected a whole"),
    ],
)  # fmt: skip
def test_classifiers_that_cannot_be(tmp_path, classifier, change, message):
    path = changed(classifier, tmp_path / "m", change)
    with pytest.raises(InputError, match=message) as error:
        predict(path, [("a", "ACGTACGT")], device="cpu")
    assert str(path) in str(error.value)


def test_an_unchanged_one_is_read(tmp_path, classifier, profile):
    assert len(predict(changed(classifier, tmp_path / "c", dict), [("a", "ACGTACGT")])) == 1
    assert len(predict(changed(profile, tmp_path / "p", dict), [("a", "ACGT" * 5)])) == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("tracks"), r"nucleotune\.json: no 'tracks'"),
        (put("tracks", value=[]), "tracks: expected a list of texts"),
        (put("tracks", value=["a", 1]), "tracks: expected a list of texts"),
        (put("length", value=-1), "length: expected a whole number"),
        (put("method", value=None), "method: expected a mapping"),
        (put("method", "network", value="x"), "method.network: 'x'; expected one of average"),
        (
            put("method", "network", value="encoder_conv"),
            "network 'encoder_conv' and model None do not fit",
        ),
        (put("model", value=MODEL), "network 'bpnet' and model .* do not fit"),
        (put("method", "sizes", value={}), "no 'method.sizes.filters'"),
        (
            put("method", "sizes", "layers", value=1.5),
            "method.sizes.layers: expected a whole number",
        ),
        (put("method", "sizes", "layers", value=HUGE), r"model\.safetensors: .* at least"),
        (put("method", "sizes", "filters", value=HUGE), r"model\.safetensors: .* at least"),
        (put("method", "sizes", "profile_kernel", value=HUGE), r"model\.safetensors: .* at least"),
    ],
)
def test_models_of_profiles_that_cannot_be(tmp_path, profile, change, message):
    path = changed(profile, tmp_path / "m", change)
    with pytest.raises(InputError, match=message) as error:
        load_profile_model(path)
    assert str(path) in str(error.value)


def test_a_checkpoint_much_smaller_than_its_model(tmp_path, classifier):
    sizes = {**MODEL["architecture"], "num_hidden_layers": HUGE}
    with pytest.raises(InputError, match=r"model\.safetensors: .* at least"):
        load_pretrained({**MODEL, "architecture": sizes}, classifier, seed=1)
    safetensors.torch.save_file({"x": torch.ones(1)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="weights do not fit"):
        load_pretrained(MODEL, tmp_path, seed=1)


def test_rotary_positions_are_no_weights():
    sizes = MODEL["architecture"] | {"position_embedding_type": "rotary"}
    found = [
        encoder_weights({"architecture": sizes | {"max_position_embeddings": most}})
        for most in (32, 1_000_000)
    ]
    assert found[0] == found[1] < encoder_weights(MODEL)


def test_weights_that_are_none(tmp_path, classifier):
    path = changed(classifier, tmp_path / "m", dict)
    (path / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(InputError, match=r"model\.safetensors: broken file"):
        load_model(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layer_norm_eps", "1e-12"),
        ("hidden_dropout_prob", 2),
        ("attention_probs_dropout_prob", float("nan")),
        ("type_vocab_size", 0),
        ("vocab_size", [69]),
    ],
)
def test_values_of_a_published_configuration(field, value):
    with pytest.raises(InputError, match=rf"architecture\.{field}: expected .*, found"):
        resolve_architecture("bert", {**MODEL["architecture"], field: value})
