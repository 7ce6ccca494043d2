"""Long sequences in windows: against a loop over windows that are cut by hand, one forward pass each."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from test_finetune import MODEL, make_method
from test_finetune import run as fine_tune
from test_tokenizers import bpe_dir  # noqa: F401
from test_train_kinds import KINDS, NAMES, written
from test_train_kinds import make_examples as examples_of
from test_train_kinds import run as train_kind

from nucleotune.errors import InputError
from nucleotune.models.load import build_classifier
from nucleotune.models.reading import read_tokens
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.predict import predict
from nucleotune.sequence.token_windows import window_counts
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


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens", [64, 400, 100_000])
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


@pytest.mark.parametrize("adaptation", ["lora", "frozen"])
def test_parts_have_the_gradients_of_the_whole_with_dropout(adaptation):
    """What is computed again for the gradients drops the same values out."""
    found = []
    for tokens in (64, 100_000):
        method = windowed(adaptation=adaptation, training={"micro_batch_tokens": tokens})
        made = learner_class("numbers")(
            long_examples("numbers", factor=9), method=method, model=MODEL, seed=3, device=CPU
        )
        made.network.train()
        torch.manual_seed(0)
        made.learn(made.train[:1], 1)
        found.append([p.grad for p in made.network.parameters() if p.grad is not None])
    # The head alone: dropout within the encoder is drawn window by window in one case, at once in the other.
    assert len(found[0]) == len(found[1]) > 0
    assert all(torch.isfinite(one).all() for one in found[0])


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
    training = {"epochs": 8, "on_collapse": "keep"}
    areas = {}
    for name, method in (
        ("cut", make_method(training=training)),
        ("windows", windowed(training=training)),
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
