"""Prediction from a model directory alone."""

import gzip
import json
import os
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT

from nucleotune.__main__ import main
from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier, save_model
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.predict import predict
from nucleotune.sequence.token_windows import undivided
from nucleotune.training.compute import predict_logits, resolve_device
from nucleotune.training.kinds.classes import scores
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
        undivided(tokenized),
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
    assert predicted.tolist() == [1, 1, 0], "undecided is yes, as for every method"


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


FASTA = ">a\nACGTTGCAACGT\n>b x\nGGGTTGCAACGT\n"


def columns(text, name):
    rows = [line.split("\t") for line in text.splitlines()]
    return [row[rows[0].index(name)] for row in rows[1:]]


def test_weights_that_are_no_numbers_are_refused(model_dir):
    classifier = build_classifier(MODEL, seed=1)
    description = json.loads((model_dir / "nucleotune.json").read_text())
    with torch.no_grad():
        classifier.classifier.bias[0] = float("nan")
    save_model(model_dir, classifier, description, tokenizer=make_tokenizer(MODEL))
    with pytest.raises(
        InputError, match=r"safetensors: not all numbers are finite.*classifier\.bias"
    ):
        predict(model_dir, make_records(2), device="cpu")
    with torch.no_grad():  # each finite, their sum is not
        classifier.bert.pooler.dense.bias.fill_(100)
        classifier.classifier.bias[0] = 0
        classifier.classifier.weight.fill_(3e38)
    save_model(model_dir, classifier, description, tokenizer=make_tokenizer(MODEL))
    with pytest.raises(InputError, match=r"m: record 'r0' and .* others: .*output is not finite"):
        predict(model_dir, make_records(2), device="cpu")


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json"])
def test_a_flipped_bit_in_a_model_directory_is_seen(model_dir, name):
    content = bytearray((model_dir / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model_dir / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: sha256 is .* the file changed or is damaged"):
        predict(model_dir, make_records(2), device="cpu")
    (model_dir / name).unlink()
    with pytest.raises(InputError, match=name):
        predict(model_dir, make_records(2), device="cpu")


@pytest.mark.parametrize("text", ["", '{"model": ', "[]", "\x00"])
def test_damaged_description(model_dir, text):
    (model_dir / "nucleotune.json").write_text(text)
    with pytest.raises(InputError, match=r"nucleotune\.json: (damaged|no JSON object)"):
        predict(model_dir, make_records(2), device="cpu")


@pytest.mark.parametrize("files", ["[]", '{"../../other/model.safetensors": "0"}'])
def test_description_that_lists_no_files_of_its_own(model_dir, files):
    (model_dir / "nucleotune.json").write_text('{"files": ' + files + "}")
    with pytest.raises(InputError, match=r"nucleotune\.json: files: expected names of files"):
        predict(model_dir, make_records(2), device="cpu")


def test_other_directories_are_not_replaced_by_a_model(model_dir, tmp_path):
    (tmp_path / "notes").touch()
    with pytest.raises(InputError, match="a directory with other files in it"):
        save_model(tmp_path, build_classifier(MODEL, seed=1), {}, tokenizer=make_tokenizer(MODEL))
    assert (tmp_path / "notes").exists() and (model_dir / "nucleotune.json").is_file()


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "mps", "cpu:0:1"])
def test_unknown_devices(device):
    with pytest.raises(InputError, match="is not available on this machine.*; expected one of cpu"):
        resolve_device(device, 1)


def test_command_line(model_dir, tmp_path, capsys, monkeypatch):
    """Ids to the letter, a compressed file, nothing lost to a directory or to the input."""
    (tmp_path / "a.fa").write_text('>5\'-"x"\nACGTTGCAACGT\n' + FASTA)
    common = ["predict", str(model_dir), str(tmp_path / "a.fa"), "--device", "cpu"]
    assert main([*common, "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    assert columns(printed, "id") == ['5\'-"x"', "a", "b"]
    assert main([*common, "-o", str(tmp_path / "a.tsv.gz")]) == 0
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode() == printed

    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    for output, message in (
        ("m/", "names a directory"),
        (".", "names a directory"),
        ("..", "names a directory"),
        ("a.fa", "is the input"),
        ("m/model.safetensors", "is the input"),
        ("none/a.tsv", "no directory"),
    ):
        assert main([*common, "-o", output]) == 1
        assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    for option, value in (("--threads", "0"), ("--threads", "x"), ("--threads", "1000000")):
        with pytest.raises(SystemExit):
            main([*common, option, value])
        assert "expected a number from 1 to" in capsys.readouterr().err
    assert main([*common[:-1], "gpu"]) == 1
    assert "expected one of cpu" in capsys.readouterr().err


def test_command_line_in_pipes(model_dir, tmp_path):
    """Every record of a pipe, first and last, whatever the size; a reader that has enough is no error to be told."""
    records = make_records(600)
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in records)
    command = [sys.executable, "-m", "nucleotune", "predict", str(model_dir)]
    options = ["--device", "cpu", "--threads", "1"]
    (tmp_path / "a.fa").write_text(text)
    script = f"{shlex.join(command)} <(cat a.fa) {shlex.join(options)} -o >(cat > b.tsv); wait"
    subprocess.run(["bash", "-c", script], check=True, cwd=tmp_path, env=environment())
    names = [name for name, _ in records]
    assert columns((tmp_path / "b.tsv").read_text(), "id") == names
    done = subprocess.run(
        [*command, "-", *options], input=text, capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0 and done.stdout == (tmp_path / "b.tsv").read_text()

    script = f"{shlex.join(command)} - {shlex.join(options)} < a.fa | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.stdout == "141\n" and done.stderr == ""


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT)}
