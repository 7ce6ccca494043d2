"""Published files -> checkpoint directory: what is kept, what is refused, where files and commits come from."""

import copy
import hashlib
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import safetensors.torch
import torch
from transformers import BertConfig, BertForMaskedLM, EsmConfig, EsmForMaskedLM

from nucleotune.errors import InputError
from nucleotune.models.checkpoints import complete_model, prepare_checkpoint, verify_checkpoint
from nucleotune.models.load import build_classifier, load_pretrained
from nucleotune.models.standins import (
    published_shapes,
    published_tensors,
    standin_mirror,
    tiny,
    write_standin,
)
from nucleotune.models.weights import count_parameters
from nucleotune.plugins import load_model
from nucleotune.sources.download import download
from nucleotune.sources.hub import Locked, hub_sources, locked_commit, read_revisions
from nucleotune.sources.mirror import missing
from nucleotune.sources.registry import local_path
from nucleotune.sources.revisions import lock_revisions, resolve_revision
from nucleotune.stages import ROOT

SHIPPED = [
    "dnabert-3",
    "dnabert-4",
    "dnabert-5",
    "dnabert-6",
    "dnabert-2",
    "nt-500m-human",
    "specieslm-downstream",
]
FAMILIES = ["dnabert-3", "dnabert-2", "nt-500m-human", "specieslm-downstream"]
COMMIT, OTHER = "a" * 40, "b" * 40


def shipped(name):
    return load_model(name, [ROOT / "config"])


@pytest.fixture
def standin(tmp_path):
    """(model, files) of a tiny stand-in by name."""

    def make(name, **options):
        model = tiny(shipped(name))
        return model, write_standin(model, tmp_path / name, seed=1, **options)

    return make


def weights_of(directory):
    return safetensors.torch.load_file(directory / "model.safetensors")


# The shipped model files


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_the_published_number_of_parameters(name):
    model = shipped(name)
    with torch.device("meta"):
        found = count_parameters(build_classifier(model, seed=0))["total"]
    assert found == model["parameters"] is not None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("dnabert-2", 117_074_176),
        ("nt-500m-human", 485_699_306),
        ("specieslm-downstream", 90_275_456),
    ],
)
def test_shapes_of_standins_at_full_size_are_those_of_the_published_language_models(
    name, parameters
):
    model = shipped(name)
    tied = {"cls.predictions.decoder.weight"}
    if model["family"] == "bert":
        tied.add("cls.predictions.decoder.bias")
    shapes = published_shapes(model)
    assert sum(math.prod(shapes[key]) for key in shapes.keys() - tied) == parameters


@pytest.mark.parametrize(
    ("name", "config", "network"),
    [("dnabert-6", BertConfig, BertForMaskedLM), ("nt-500m-human", EsmConfig, EsmForMaskedLM)],
)
def test_key_names_of_standins_are_those_of_transformers(name, config, network):
    model = tiny(shipped(name))
    untied = {"tie_word_embeddings": False} if model["family"] == "esm" else {}
    settings = config(**model["architecture"], pad_token_id=1, mask_token_id=2, **untied)
    expected = {key: tuple(value.shape) for key, value in network(settings).state_dict().items()}
    assert expected == {
        key: value
        for key, value in published_shapes(model).items()
        if not key.endswith("position_ids")
    }


def test_licences_are_declared():
    assert shipped("nt-500m-human")["non_commercial"]
    assert not any(shipped(name)["non_commercial"] for name in SHIPPED if name != "nt-500m-human")
    assert all(shipped(name)["licence"] for name in SHIPPED)


# Conversion


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_converted_and_loads(standin, tmp_path, name):
    model, files = standin(name)
    record = prepare_checkpoint(name, model, files, tmp_path / "out", commit=COMMIT)
    published = published_tensors(model, seed=1)
    written = weights_of(tmp_path / "out")
    dropped = [key for key in published if key.endswith("position_ids")]
    assert record["dropped"] == dropped and written.keys() == published.keys() - set(dropped)
    assert all(torch.equal(written[key], published[key]) for key in written)
    assert verify_checkpoint(tmp_path / "out", model) == record
    assert (record["model"], record["hub"]) == (name, model["checkpoint"]["hub"])
    assert (record["commit"], record["licence"]) == (COMMIT, model["licence"])
    classifier, report = load_pretrained(model, tmp_path / "out", seed=0)
    prefix = classifier.base_model_prefix
    assert report["new"] == [
        key
        for key in sorted(classifier.state_dict())
        if key.startswith(("classifier.", f"{prefix}.pooler."))
    ]


def test_record_has_every_sum(standin, tmp_path):
    model, files = standin("dnabert-3")
    record = prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    for listed, folder in ((record["sources"], tmp_path / "dnabert-3"), (record["files"], None)):
        for entry in listed:
            data = ((folder or tmp_path / "out") / entry["file"]).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (
                entry["bytes"],
                entry["sha256"],
            )
    assert {entry["file"] for entry in record["files"]} == {
        "config.json",
        "model.safetensors",
        "vocab.txt",
    }
    assert str(tmp_path) not in json.dumps(record), "the same on every machine"


def test_config_is_clean_and_vocabulary_as_published(standin, tmp_path):
    model, files = standin("dnabert-2")
    assert "auto_map" in files["config.json"].read_text()
    prepare_checkpoint("dnabert-2", model, files, tmp_path / "out")
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config == {"family": "dnabert2", **model["architecture"]}
    copied = (tmp_path / "out/tokenizer.json").read_bytes()
    assert copied == files["tokenizer.json"].read_bytes()


def test_old_names_and_old_file_format(standin, tmp_path):
    model, files = standin("dnabert-3", old_names=True)
    raw = torch.load(files["pytorch_model.bin"], weights_only=True)
    assert (
        "bert.embeddings.LayerNorm.gamma" in raw and "bert.embeddings.LayerNorm.weight" not in raw
    )
    assert not files["pytorch_model.bin"].read_bytes().startswith(b"PK")
    prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    new = weights_of(tmp_path / "out")
    expected = published_tensors(model, seed=1)
    assert not [key for key in new if key.endswith(("gamma", "beta"))]
    assert all(torch.equal(new[key], expected[key]) for key in new)


def test_safetensors_in_parts_are_joined(standin, tmp_path):
    model, files = standin("dnabert-3")
    tensors = torch.load(files.pop("pytorch_model.bin"), weights_only=True)
    names = sorted(tensors)
    for number, part in enumerate((names[:9], names[9:]), start=1):
        path = tmp_path / f"model-{number}-of-2.safetensors"
        safetensors.torch.save_file({key: tensors[key].clone() for key in part}, path)
        files[path.name] = path
    prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    assert weights_of(tmp_path / "out").keys() == tensors.keys() - {"bert.embeddings.position_ids"}


@pytest.mark.parametrize("name", FAMILIES)
def test_same_files_same_bytes(tmp_path, name):
    model = tiny(shipped(name))
    contents = []
    for folder in ("a", "b"):
        files = write_standin(model, tmp_path / folder, seed=1)
        prepare_checkpoint(name, model, files, tmp_path / folder / "out")
        paths = sorted(path for path in (tmp_path / folder).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_output_is_replaced_whole_and_readable_by_the_group(standin, tmp_path):
    model, files = standin("dnabert-3")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/left-over").touch()
    with pytest.raises(InputError, match="a directory with other files in it"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    (tmp_path / "out/checkpoint.json").touch()
    before = os.umask(0o022)
    try:
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert "left-over" not in modes and set(modes.values()) == {0o644}
    files["vocab.txt"].write_text("[PAD]\n")
    with pytest.raises(InputError):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    verify_checkpoint(tmp_path / "out", model)
    assert not list(tmp_path.glob(".out*"))


def test_architecture_is_taken_from_config_json_where_the_model_leaves_it(standin, tmp_path):
    model, files = standin("nt-500m-human")
    prepare_checkpoint("nt", model | {"architecture": None}, files, tmp_path / "out")
    completed = complete_model(model | {"architecture": None}, tmp_path / "out")
    assert completed == model
    assert complete_model(model, tmp_path / "out") == model
    config = json.loads(files["config.json"].read_text())
    del config["hidden_size"]
    files["config.json"].write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"config\.json: .*needs hidden_size"):
        prepare_checkpoint("nt", model | {"architecture": None}, files, tmp_path / "out")


# Bad files


class Code:
    """Pickles into a call."""

    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused(standin, tmp_path, zipped):
    model, files = standin("dnabert-3")
    path = files["pytorch_model.bin"]
    torch.save({"x": torch.ones(2), "y": Code()}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"\.bin: refused.*posix\.system.*never run") as caught:
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("old_format", [True, False])
@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.95])
def test_truncated_bin(standin, tmp_path, old_format, share):
    model, files = standin("dnabert-3", old_names=old_format)
    data = files["pytorch_model.bin"].read_bytes()
    files["pytorch_model.bin"].write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"pytorch_model\.bin: (broken or truncated|refused)"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_flipped_bit_in_bin(standin, tmp_path):
    model, files = standin("dnabert-3")
    data = bytearray(files["pytorch_model.bin"].read_bytes())
    data[len(data) // 2] ^= 1
    files["pytorch_model.bin"].write_bytes(data)
    torch.load(files["pytorch_model.bin"], weights_only=True)  # torch does not notice
    with pytest.raises(InputError, match=r"pytorch_model\.bin: damaged at"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_truncated_safetensors(standin, tmp_path):
    model, _ = standin("dnabert-3")
    model["checkpoint"]["files"][1] = "model.safetensors"
    files = write_standin(model, tmp_path / "s", seed=1)
    prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    data = files["model.safetensors"].read_bytes()
    for size in (0, 5, len(data) // 2, len(data) - 1):
        files["model.safetensors"].write_bytes(data[:size])
        with pytest.raises(InputError, match=r"model\.safetensors: broken or truncated"):
            prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(2)], "expected a state dict, found list"),
        ({"state_dict": {"x": torch.ones(2)}}, "entry 'state_dict' is a dict"),
        ({"x": torch.ones(2), "epoch": 3}, "entry 'epoch' is a int"),
    ],
)
def test_bin_of_something_else(standin, tmp_path, content, message):
    model, files = standin("dnabert-3")
    torch.save(content, files["pytorch_model.bin"])
    with pytest.raises(InputError, match=message):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_git_lfs_pointer(standin, tmp_path):
    model, files = standin("dnabert-3")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    files["pytorch_model.bin"].write_text(pointer)
    with pytest.raises(InputError, match=r"pytorch_model\.bin: a Git LFS pointer"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_missing_file(standin, tmp_path):
    model, files = standin("dnabert-3")
    files["vocab.txt"].unlink()
    with pytest.raises(InputError, match=r"vocab\.txt: no such file"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"vocab_size": 69, "vocab_size": 70}', "not valid JSON .*'vocab_size' is given twice"),
        ("[]", "expected a JSON object"),
        ("\xff", "line 1: not UTF-8 text"),
    ],
)
def test_broken_config(standin, tmp_path, text, message):
    model, files = standin("dnabert-3")
    files["config.json"].write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"config\.json: {message}"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_sizes_of_a_config_that_are_none(standin, tmp_path):
    model, files = standin("dnabert-3")
    config = json.loads(files["config.json"].read_text()) | {"hidden_size": "8"}
    files["config.json"].write_text(json.dumps(config))
    with pytest.raises(
        InputError, match=r"config\.json: architecture\.hidden_size: expected a whole"
    ):
        prepare_checkpoint("x", model | {"architecture": None}, files, tmp_path / "out")


def test_config_that_contradicts_the_model_names_the_fields(standin, tmp_path):
    model, files = standin("dnabert-3")
    config = json.loads(files["config.json"].read_text())
    config |= {"hidden_size": 96, "num_hidden_layers": 4, "hidden_dropout_prob": 0.5}
    files["config.json"].write_text(json.dumps(config))
    with pytest.raises(InputError) as caught:
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    message = str(caught.value)
    assert "hidden_size: expected 48, found 96" in message
    assert "num_hidden_layers: expected 2, found 4" in message
    assert "dropout" not in message, "a choice of training"


def test_family_that_is_not_the_files(standin, tmp_path):
    model, files = standin("dnabert-3")
    config = json.loads(files["config.json"].read_text()) | {"model_type": "roberta"}
    files["config.json"].write_text(json.dumps(config))
    with pytest.raises(InputError, match="model_type: expected 'bert', found 'roberta'"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


def test_embedding_of_another_size(standin, tmp_path):
    model, files = standin("dnabert-3")
    tensors = torch.load(files["pytorch_model.bin"], weights_only=True)
    key = "bert.embeddings.word_embeddings.weight"
    tensors[key] = tensors[key][:60].clone()
    torch.save(tensors, files["pytorch_model.bin"])
    with pytest.raises(InputError, match="has 60 rows, but architecture.vocab_size is 69"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("dnabert-3", lambda lines: lines[:-1], "token 68 is None"),
        ("dnabert-3", lambda lines: [*lines, "AAAA"], r"70 tokens, but .*\.vocab_size 69"),
        ("dnabert-3", lambda lines: [*lines[:5], *sorted(lines[5:])], "token 6 is 'AAC'"),
        ("nt-500m-human", lambda lines: lines[:-2], "token 4105 is None"),
        ("nt-500m-human", lambda lines: [*lines, "<x>"], r"4108 tokens, but .*\.vocab_size 4105"),
        ("specieslm-downstream", lambda lines: lines[:4105], "4105 tokens, but .* 5504"),
        ("specieslm-downstream", lambda lines: lines[:4101], "but .* has none"),
    ],
)
def test_wrong_vocabulary(standin, tmp_path, name, change, message):
    model, files = standin(name)
    lines = files["vocab.txt"].read_text().split()
    files["vocab.txt"].write_text("\n".join(change(lines)) + "\n")
    with pytest.raises(InputError, match=message) as caught:
        prepare_checkpoint(name, model, files, tmp_path / "out")
    assert str(files["vocab.txt"]) in str(caught.value)


def test_tokenizer_json_of_another_size(standin, tmp_path):
    model, files = standin("dnabert-2")
    small = copy.deepcopy(model)
    small["architecture"]["vocab_size"] = 500
    other = write_standin(small, tmp_path / "small", seed=1)
    with pytest.raises(InputError, match=r"500 tokens, but .*\.vocab_size 4096"):
        prepare_checkpoint(
            "d", model, files | {"tokenizer.json": other["tokenizer.json"]}, tmp_path / "o"
        )


def test_file_that_changed_since_its_download(standin, tmp_path):
    model, files = standin("dnabert-3")
    meta = files["vocab.txt"].with_name("vocab.txt.meta.json")
    meta.write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(InputError, match=f"recorded {'0' * 64} at the download"):
        prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")


# Before use


def test_verify_names_the_file_and_both_sums(standin, tmp_path):
    model, files = standin("dnabert-3")
    record = prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    path = tmp_path / "out/model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    recorded = {entry["file"]: entry["sha256"] for entry in record["files"]}[path.name]
    with pytest.raises(InputError) as caught:
        verify_checkpoint(tmp_path / "out")
    assert str(path) in str(caught.value) and recorded in str(caught.value)
    assert hashlib.sha256(data).hexdigest() in str(caught.value)
    path.unlink()
    with pytest.raises(InputError, match=r"model\.safetensors: missing"):
        verify_checkpoint(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(InputError, match=r"no checkpoint\.json"):
        verify_checkpoint(tmp_path / "out")


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": [{"file": 1, "sha256": "0"}]}'])
def test_verify_refuses_a_record_that_is_none(tmp_path, text):
    (tmp_path / "checkpoint.json").write_text(text)
    with pytest.raises(InputError, match=r"checkpoint\.json: damaged"):
        verify_checkpoint(tmp_path)


def test_verify_refuses_another_revision(standin, tmp_path):
    model, files = standin("dnabert-3")
    prepare_checkpoint("dnabert-3", model, files, tmp_path / "out")
    model["checkpoint"]["revision"] = COMMIT
    with pytest.raises(InputError, match=f"made from revision 'main', but .* has '{COMMIT}'"):
        verify_checkpoint(tmp_path / "out", model)


# Model files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "give 'architecture', or a 'checkpoint'"),
        ("checkpoint: {files: [config.json, a.bin, vocab.txt]}", "either 'hub' or 'path'"),
        ("checkpoint: {hub: a/b, path: c, files: [config.json]}", "either 'hub' or 'path'"),
        ("checkpoint: {hub: a/b, files: [config.json]}", "needs a 'revision'"),
        ("checkpoint: {path: c, files: [a.bin, vocab.txt]}", "config.json is missing"),
        ("checkpoint: {path: c, files: [config.json, a.bin]}", "vocab.txt is missing"),
        ("checkpoint: {path: c, files: [config.json, vocab.txt]}", "no weights"),
        ("checkpoint: {path: c, files: [../config.json]}", "does not match"),
        ("architecture: {hidden_size: 8}", "'architecture.vocab_size' is required"),
    ],
)
def test_contradictory_model_files(tmp_path, text, message):
    (tmp_path / "models").mkdir()
    head = "title: X\nfamily: bert\ntokenizer: {kind: kmer, k: 3}\nmax_tokens: 64\n"
    (tmp_path / "models/x.yaml").write_text(head + text)
    with pytest.raises(InputError, match=message):
        load_model("x", [tmp_path])


SIZES = "vocab_size: 4200, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 8"


@pytest.mark.parametrize(
    ("family", "field", "message"),
    [
        ("bert", "", "family 'bert' needs max_position_embeddings"),
        ("dnabert2", ", max_position_embeddings: 512", "'dnabert2' has no field max_position"),
        ("esm", ", max_position_embeddings: 512, type_vocab_size: 2", "has no field type_vocab"),
    ],
)
def test_architecture_of_the_wrong_family(tmp_path, family, field, message):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/x.yaml").write_text(
        f"title: X\nfamily: {family}\ntokenizer: {{kind: sixmer}}\nmax_tokens: 64\narchitecture: {{{SIZES}{field}}}"
    )
    with pytest.raises(InputError, match=message):
        load_model("x", [tmp_path])


# Mirrors, revisions, commits


def test_standin_mirror_serves_an_offline_run(tmp_path):
    models = {name: tiny(shipped(name)) for name in FAMILIES}
    written = standin_mirror(models, tmp_path / "mirror")
    place = "huggingface.co/gagneurlab/SpeciesLM/resolve/downstream_species_lm/vocab.txt"
    assert tmp_path / "mirror" / place in written
    assert all(path.is_file() for path in written) and len(written) == 12
    model = models["specieslm-downstream"]
    sources = hub_sources("specieslm-downstream", model)
    files = {}
    for file, source in sources.items():
        files[file] = tmp_path / "downloads" / local_path(source.urls[0])
        lock = tmp_path / "lock.tsv"
        download(source, files[file], mirrors=[tmp_path / "mirror"], offline=True, lock=lock)
    prepare_checkpoint("specieslm-downstream", model, files, tmp_path / "out")
    verify_checkpoint(tmp_path / "out", model)


def test_urls_follow_the_lock_and_mirrors_may_keep_the_name():
    model = shipped("dnabert-3")
    asked = hub_sources("dnabert-3", model)["vocab.txt"]
    assert asked.urls == ("https://huggingface.co/zhihan1996/DNA_bert_3/resolve/main/vocab.txt",)
    locked = hub_sources("dnabert-3", model, COMMIT, ["m"])["vocab.txt"]
    assert locked.urls == (
        f"https://huggingface.co/zhihan1996/DNA_bert_3/resolve/{COMMIT}/vocab.txt",
        "m/huggingface.co/zhihan1996/DNA_bert_3/resolve/main/vocab.txt",
    )
    pinned = shipped("dnabert-2")
    commit = pinned["checkpoint"]["revision"]
    assert hub_sources("dnabert-2", pinned, commit, ["m"]) == hub_sources("dnabert-2", pinned)


def test_offline_with_a_lock_finds_files_under_the_name(tmp_path):
    model = tiny(shipped("dnabert-3"))
    standin_mirror({"dnabert-3": model}, tmp_path)
    sources = hub_sources("dnabert-3", model, COMMIT, [tmp_path])
    outputs = {file: tmp_path / "nowhere" / file for file in sources}
    pairs = [(outputs[file], source) for file, source in sources.items()]
    assert missing(pairs, [tmp_path]) == []
    for file, source in sources.items():
        found = download(source, outputs[file], mirrors=[tmp_path], offline=True)
        assert found["from"] == "local"
    record = prepare_checkpoint("dnabert-3", model, outputs, tmp_path / "out", commit=COMMIT)
    assert record["commit"] is None, "a directory called `main` proves no commit"


def test_web_page_in_place_of_weights(tmp_path):
    model = tiny(shipped("dnabert-3"))
    written = standin_mirror({"dnabert-3": model}, tmp_path)
    [path] = [path for path in written if path.suffix == ".bin"]
    path.write_text("<!doctype html><html>Sign in")
    source = hub_sources("dnabert-3", model)["pytorch_model.bin"]
    with pytest.raises(InputError, match="found a web page"):
        download(source, tmp_path / "out", mirrors=[tmp_path], offline=True)


@pytest.fixture
def hub():
    """A hub's API on 127.0.0.1: path -> body; (its URL, the dict of answers)."""
    answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(b"" if body is None else body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", answers
    server.shutdown()
    server.server_close()


def api(hub_name, revision):
    return f"/api/models/{hub_name}/revision/{revision}"


def test_lock_revisions(hub, tmp_path):
    endpoint, answers = hub
    lock = tmp_path / "models.lock.tsv"
    checkpoints = {name: shipped(name)["checkpoint"] for name in ("dnabert-3", "dnabert-2")}
    main = api("zhihan1996/DNA_bert_3", "main")
    answers[main] = json.dumps({"sha": COMMIT, "id": "x"}).encode()
    locked = lock_revisions(checkpoints, lock, endpoint=endpoint)
    assert list(locked) == ["dnabert-3"], "a commit needs no line"
    assert locked == read_revisions(lock)
    line = locked["dnabert-3"]
    assert (line.hub, line.revision, line.commit) == ("zhihan1996/DNA_bert_3", "main", COMMIT)
    assert locked_commit("dnabert-3", checkpoints["dnabert-3"], locked) == COMMIT
    assert locked_commit("dnabert-2", checkpoints["dnabert-2"], locked).startswith("7bce263")
    before = lock.read_text()
    assert before.splitlines()[0].split("\t") == ["model", "hub", "revision", "commit", "date"]
    lock_revisions(checkpoints, lock, endpoint=endpoint)
    assert lock.read_text() == before

    answers[main] = json.dumps({"sha": OTHER}).encode()
    with pytest.raises(InputError, match=f"is commit {OTHER} now, but .* has {COMMIT}"):
        lock_revisions(checkpoints, lock, endpoint=endpoint)
    assert lock.read_text() == before, "the locked one stays"

    tagged = {"dnabert-3": checkpoints["dnabert-3"] | {"revision": "v2"}}
    assert locked_commit("dnabert-3", tagged["dnabert-3"], locked) is None
    answers[api("zhihan1996/DNA_bert_3", "v2")] = json.dumps({"sha": OTHER}).encode()
    assert lock_revisions(tagged, lock, endpoint=endpoint)["dnabert-3"].commit == OTHER


def test_one_unknown_revision_does_not_lose_the_others(hub, tmp_path):
    endpoint, answers = hub
    answers[api("zhihan1996/DNA_bert_4", "main")] = json.dumps({"sha": COMMIT}).encode()
    checkpoints = {name: shipped(name)["checkpoint"] for name in ("dnabert-3", "dnabert-4")}
    with pytest.raises(InputError, match="dnabert-3: cannot resolve 'main' .*HTTP 404"):
        lock_revisions(checkpoints, tmp_path / "lock.tsv", endpoint=endpoint)
    assert read_revisions(tmp_path / "lock.tsv")["dnabert-4"].commit == COMMIT


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"sha": "abc"}', b'{"sha": null}'])
def test_strange_answers_of_the_hub(hub, body):
    endpoint, answers = hub
    answers[api("a/b", "main")] = body
    with pytest.raises(InputError, match="sha"):
        resolve_revision("a/b", "main", endpoint=endpoint)


def test_revision_with_a_slash_is_one_part_of_the_url(hub):
    endpoint, answers = hub
    answers[api("a/b", "refs%2Fpr%2F1")] = json.dumps({"sha": COMMIT}).encode()
    assert resolve_revision("a/b", "refs/pr/1", endpoint=endpoint) == COMMIT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model\thub\n", "line 1: expected the tab-separated header model"),
        ("model\thub\trevision\tcommit\tdate\na\tb\n", "line 2: expected 5 tab-separated columns"),
        ("model\thub\trevision\tcommit\tdate\na\tb\tmain\tabc\tx\n", "line 2: commit: expected 40"),
    ],
)
def test_damaged_lock(tmp_path, text, message):
    (tmp_path / "lock.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_revisions(tmp_path / "lock.tsv")


def test_line_of_another_repository_does_not_count():
    checkpoint = shipped("dnabert-3")["checkpoint"]
    locked = {"dnabert-3": Locked("someone/else", "main", COMMIT, "2026-01-01")}
    assert locked_commit("dnabert-3", checkpoint, locked) is None


def test_what_the_snakefile_reads_of_this_is_light():
    code = (
        "import sys, nucleotune.sources.hub, nucleotune.models.architecture;"
        "print(*{'torch', 'numpy', 'requests', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []
