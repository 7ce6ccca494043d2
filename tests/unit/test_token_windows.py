"""Long sequences in windows: against a loop over windows that are cut by hand, one forward pass each."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from sklearn.metrics import roc_auc_score
from test_finetune import MODEL, make_method
from test_finetune import run as fine_tune
from test_tokenizers import bpe_dir  # noqa: F401
from test_train_kinds import KINDS, NAMES, written
from test_train_kinds import make_examples as examples_of
from test_train_kinds import run as train_kind

from nucleotune.attribution.explain import explain
from nucleotune.attribution.selection import Chosen
from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier, save_model
from nucleotune.models.reading import read_tokens
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_method
from nucleotune.predict import predict
from nucleotune.sequence.token_windows import window_counts
from nucleotune.training import compute
from nucleotune.training.compute import POOLED
from nucleotune.training.kinds import learner_class

CPU = torch.device("cpu")
STILL = MODEL | {"architecture": MODEL["architecture"] | {"hidden_dropout_prob": 0.0}}


def windowed(overlap=0.25, pooling="mean", **changes):
    return make_method(long="windows", window_overlap=overlap, window_pooling=pooling, **changes)


def random_sequences(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), n)) for n in lengths]


def cut_by_hand(tokens, leading, trailing, most, overlap):
    """Windows of the token ids of one whole sequence, in lists."""
    head, tail = tokens[:leading], tokens[len(tokens) - trailing :]
    content = tokens[leading : len(tokens) - trailing]
    room = most - leading - trailing
    if len(content) <= room:
        return [tokens]
    n = 2
    while True:  # the fewest of which neighbours share enough
        firsts = [j * (len(content) - room) // (n - 1) for j in range(n)]
        if all(
            b - a <= room - int(overlap * room) for a, b in zip(firsts, firsts[1:], strict=False)
        ):
            return [[*head, *content[a : a + room], *tail] for a in firsts]
        n += 1


@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(
    ("kind", "leading", "trailing"),
    [
        ({"kind": "kmer", "k": 3}, 1, 1),
        ({"kind": "single"}, 1, 1),
        ({"kind": "sixmer"}, 1, 0),
        ({"kind": "file"}, 1, 1),
    ],
)
def test_windows_equal_cutting_by_hand(kind, leading, trailing, overlap, bpe_dir):  # noqa: F811
    sequences = random_sequences([5, 12, 30, 31, 32, 33, 34, 60, 100, 201, 317])
    sequences.append(sequences[-1][:150] + "N" + sequences[-1][150:])
    model = {
        "title": "m",
        "tokenizer": kind,
        "max_tokens": 12,
        "architecture": {"vocab_size": 5000},
    }
    tokenizer = make_tokenizer(model, bpe_dir if kind["kind"] == "file" else None)
    ids = [str(i) for i in range(len(sequences))]
    description = {"model": model, "method": windowed(overlap), "truncation": "right"}
    read = read_tokens(tokenizer, ids, sequences, description)
    whole = tokenizer.encode(ids, sequences, None)
    assert len(read) == len(sequences) and read.counts.max() > 3 and (read.counts == 1).any()
    assert not read.tokenized.truncated.any()
    for i in range(len(sequences)):
        tokens = whole.tokens[whole.offsets[i] : whole.offsets[i + 1]].tolist()
        expected = cut_by_hand(tokens, leading, trailing, 12, overlap)
        found, places, filled = read.rectangle(read.of(np.array([i])))
        assert [row[kept].tolist() for row, kept in zip(found, filled, strict=True)] == expected
        assert set(places[filled]) == set(range(whole.offsets[i], whole.offsets[i + 1]))
        assert read.lengths[i] == sum(map(len, expected))
    # In any order, beside shorter ones.
    ids_of, _, filled = read.rectangle(read.of(np.array([9, 0, 10])))
    assert filled.sum() == read.lengths[[9, 0, 10]].sum()
    assert (ids_of[~filled] == whole.pad_id).all()


def test_number_of_windows():
    assert window_counts(np.array([1, 100, 101, 175, 176, 250, 251]), 100, 0.25).tolist() == [
        *(1, 1, 2, 2, 3, 3, 4),
    ]


def one_at_a_time(network, read, rows, pooling):
    """Logits of sequences, each of their windows in a pass of its own."""
    found = []
    for row in rows:
        windows = [read.rectangle(np.array([w]))[0] for w in read.of(np.array([row]))]
        logits = [network(input_ids=torch.from_numpy(ids)).logits[0].float() for ids in windows]
        found.append(POOLED[pooling](torch.stack(logits)))
    return torch.stack(found)


def long_examples(kind, factor=4):
    """Those of `test_train_kinds`, some of them several times as long as the model reads."""
    examples = examples_of(kind, n=160, missing=0.3)
    longer = examples["sequence"].where(examples.index % 3 > 0, examples["sequence"] * factor)
    return examples.assign(sequence=longer)


@pytest.mark.parametrize(
    ("kind", "pooling", "tokens"),
    [
        ("classes", "mean", 64),
        ("labels", "max", 400),
        ("numbers", "mean", 400),
        ("numbers", "max", 100_000),
    ],
)
def test_logits_and_gradients_equal_one_window_at_a_time(kind, pooling, tokens):
    """Whatever fits into the memory at a time: a single window, some of a sequence's, or all."""
    method = windowed(pooling=pooling, training={"micro_batch_tokens": tokens})
    made = learner_class(kind)(
        long_examples(kind), method=method, model=STILL, seed=3, device=CPU, labels=NAMES[kind]
    )
    rows = made.train[:12]
    assert made.windows.counts[rows].max() >= 4
    reference = build_classifier(STILL, seed=3, outputs=len(NAMES[kind]))
    expected = one_at_a_time(reference, made.windows, rows, pooling)
    (made.sums(expected, rows)[0] / (len(rows) * made.per_example)).backward()
    np.testing.assert_allclose(made.predict(rows), expected.detach(), atol=1e-5)

    made.network.train()
    made.learn(rows, len(rows))
    for own, other in zip(made.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("adaptation", ["full", "lora", "frozen"])
def test_what_is_computed_again_drops_the_same_out(adaptation, monkeypatch):
    """Gradients of parts that are computed twice equal those of the same parts whose values were kept."""
    made = learner_class("numbers")(
        long_examples("numbers", factor=9),
        method=windowed(adaptation=adaptation, training={"micro_batch_tokens": 200}),
        model=MODEL,
        seed=3,
        device=CPU,
        labels=NAMES["numbers"],
    )
    row = made.train[made.windows.counts[made.train].argmax()][None]
    found = []
    for again in (True, False):
        if not again:
            kept = lambda function, *given, **_: function(*given)  # noqa: E731
            monkeypatch.setattr(compute, "checkpoint", kept)
        made.network.train()
        made.network.zero_grad()
        torch.manual_seed(0)
        made.learn(row, 1)
        found.append([p.grad.clone() for p in made.network.parameters() if p.grad is not None])
    assert made.windows.counts[row] > 5 and len(found[0]) == len(found[1]) > 0
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)
    assert any(one.abs().max() > 0 for one in found[0])


def test_memory_is_that_of_a_window(monkeypatch):
    """Out of memory halves what is computed at a time down to one window, not to one sequence."""
    made = learner_class("classes")(
        long_examples("classes", factor=9),
        method=windowed(training={"micro_batch_tokens": 4096}),
        model=STILL,
        seed=3,
        device=CPU,
        labels=NAMES["classes"],
    )
    forward = made.network.forward

    def small(**given):
        if given["input_ids"].numel() > 130:
            raise torch.OutOfMemoryError
        return forward(**given)

    expected = made.predict(made.train[:9])
    monkeypatch.setattr(made.network, "forward", small)
    np.testing.assert_allclose(made.predict(made.train[:9]), expected, atol=1e-5)
    assert made.budget.tokens == 128 and made.sizes[:9].max() > 500
    monkeypatch.setattr(
        made.network, "forward", lambda **_: (_ for _ in ()).throw(torch.OutOfMemoryError)
    )
    with pytest.raises(InputError, match="out of GPU memory with a single example of 64 tokens"):
        made.predict(made.train[:9])


@pytest.mark.parametrize("kind", KINDS)
def test_short_sequences_are_read_as_ever(tmp_path, kind):
    """To the byte: predictions, weights and log."""
    examples = examples_of(kind, n=120)
    examples["sequence"] = examples["sequence"].str[:64]
    training = {"epochs": 2, "on_collapse": "keep"}
    one = train_kind(tmp_path, kind, "a", examples=examples, method=make_method(training=training))
    other = train_kind(tmp_path, kind, "b", examples=examples, method=windowed(training=training))
    assert written(kind, one, tmp_path / "p") == written(kind, other, tmp_path / "q")
    first, second = ((tmp_path / x / "model.safetensors").read_bytes() for x in "ab")
    assert first == second
    assert other.summary["windows"] == {"count": 0, "share": 0.0, "mean": 1.0, "most": 1}
    assert one.training_rows["loss"].tolist() == other.training_rows["loss"].tolist()


def planted(seed, n=280):
    """Label 1 has 40 nt rich in A and T, all of it beyond what the model reads; nothing else tells labels apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    sequences = []
    for label, text in zip(labels, random_sequences(rng.integers(160, 240, n), seed), strict=True):
        at = rng.integers(70, len(text) - 40)
        rich = "".join(rng.choice(list("AT"), 40))
        sequences.append(text[:at] + rich + text[at + 40 :] if label else text)
    splits = ["train"] * 160 + ["valid"] * 40 + ["test"] * (n - 200)
    ids = [f"t{i}" for i in range(n)]
    table = {"id": ids, "sequence": sequences, "label": labels, "split": splits, "group": ids}
    return pd.DataFrame(table)


def test_windows_see_what_truncation_cuts_off(tmp_path, training_seed):
    examples = planted(training_seed)
    training = {"learning_rate": 3e-3, "evaluations_per_epoch": 1, "on_collapse": "keep"}
    areas = {}
    for name, method in (
        ("cut", make_method(training=training | {"epochs": 4})),
        ("windows", windowed(training=training | {"epochs": 12})),
    ):
        found = fine_tune(tmp_path, name, examples, method=method, seed=training_seed)
        test = found.predictions.query("split == 'test'")
        areas[name] = roc_auc_score(test["label"], test["score"])
    assert areas["windows"] > 0.85 and areas["cut"] < 0.75

    summary = found.summary
    assert summary["truncated"]["count"] == 0
    assert summary["windows"]["share"] == 1 and summary["windows"]["most"] == 5
    described = json.loads((tmp_path / "windows/nucleotune.json").read_text())
    assert described["method"]["long"] == "windows" and described["truncated_share"] == 0
    records = list(zip(examples["id"], examples["sequence"], strict=True))
    again = predict(tmp_path / "windows", records, device="cpu", threads=1)
    np.testing.assert_allclose(again["score"], found.predictions["score"], atol=1e-6)
    assert not again["truncated"].any()
    assert predict(tmp_path / "cut", records[:3], device="cpu", threads=1)["truncated"].all()


def test_contributions_of_a_model_that_reads_windows(tmp_path):
    """They add up to the change of the output over whole sequences, and so do substitutions."""
    network = build_classifier(STILL, seed=1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(10)
    method = windowed(training={"micro_batch_tokens": 512})
    description = {"model": STILL, "method": method, "truncation": "right"}
    save_model(tmp_path / "m", network, description, tokenizer=make_tokenizer(STILL))
    sequences = random_sequences([150, 150])
    chosen = Chosen(["a", "b"], sequences, np.array([-1, -1]))
    found = explain(tmp_path / "m", chosen, mutated=1, seed=0, device="cpu", threads=1)
    assert abs(found.delta).max() < 0.05 * abs(found.values).max()
    assert (found.actual[:, 100:] != 0).all()  # beyond what the model reads at once
    row = int(found.mutated[0])
    text = sequences[row]
    mutants = [("whole", text), *((base, text[:140] + base + text[141:]) for base in "ACGT")]
    scores = predict(tmp_path / "m", mutants, device="cpu", threads=1)["score"].to_numpy()
    margins = np.log(scores / (1 - scores))
    effects = margins[1:] - margins[0]
    np.testing.assert_allclose(found.effects[0, 140], effects - effects.mean(), atol=1e-3)


def test_what_leaves_no_room():
    model = STILL | {"max_tokens": 2}
    description = {"model": model, "method": windowed(), "truncation": "right"}
    with pytest.raises(InputError, match="max_tokens 2 leaves no room for a token"):
        read_tokens(make_tokenizer(model), ["a"], ["ACGTACGT"], description)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("window_overlap: 1.0", "key 'window_overlap': 1.0 is greater than the maximum of 0.9"),
        ("window_overlap: -0.1", "key 'window_overlap': -0.1 is less than the minimum of 0"),
        ("window_pooling: sum", "key 'window_pooling': 'sum' is not one of"),
        ("long: window", "key 'long': 'window' is not one of"),
        ("windows_overlap: 0.5", "unknown key 'windows_overlap'; did you mean 'window_overlap'?"),
    ],
)
def test_method_files_that_are_refused(tmp_path, keys, message):
    (tmp_path / "methods").mkdir()
    text = (ROOT / "config/methods/dnabert-6-tiny-windows.yaml").read_text()
    (tmp_path / "methods/m.yaml").write_text(text.replace("long: windows", keys))
    with pytest.raises(InputError, match=message):
        load_method("m", [tmp_path])


def test_a_probe_reads_windows(tmp_path):
    """It is fitted on the mean of their embeddings; its head is linear, so that is the mean of their outputs."""
    method = windowed(adaptation="probe", probe={"c_grid": [1.0]}, training={"on_collapse": "keep"})
    examples = long_examples("numbers")
    fitted = train_kind(tmp_path, "numbers", "p", examples=examples, method=method, model=STILL)
    records = list(zip(examples["id"], examples["sequence"], strict=True))
    again = predict(tmp_path / "p", records, device="cpu", threads=1)
    for name in NAMES["numbers"]:
        column = f"predicted:{name}"
        np.testing.assert_allclose(again[column], fitted.predictions[column], rtol=1e-4)


def test_a_probe_has_no_maximum(tmp_path):
    (tmp_path / "methods").mkdir()
    text = (ROOT / "config/methods/dnabert-6-probe.yaml").read_text()
    (tmp_path / "methods/m.yaml").write_text(text + "long: windows\nwindow_pooling: max\n")
    with pytest.raises(InputError, match="window_pooling 'max': adaptation 'probe' is fitted on"):
        load_method("m", [tmp_path])
