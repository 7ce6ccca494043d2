"""Language models of more than two classes, several labels and numbers: what they learn, and what masks leave out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from test_finetune import MODEL, Killed, comparable, dying_save, make_method
from test_runs import make_settings

from nucleotune.errors import InputError
from nucleotune.models.load import load_model
from nucleotune.predict import predict
from nucleotune.tasks import task_of
from nucleotune.training.fit import fit
from nucleotune.training.gates import check_spread
from nucleotune.training.kinds import learner_class
from nucleotune.training.runs import RESULTS, Run, train

NAMES = {
    "classes": ["few", "some", "many", "most"],
    "labels": ["at rich", "a rich"],
    "numbers": ["at", "a: tpm"],
}
KINDS = list(NAMES)


def make_examples(kind, seed=0, n=320, missing=0.2):
    """What is predicted is the share of A and T of a sequence, and the share of A; some of it is not known."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(0, 4, n)
    at = np.array([0.2, 0.4, 0.6, 0.8])[wanted]
    a = rng.choice([0.1, 0.9], n)
    sequences = [
        "".join(
            rng.choice(
                list("ACGT"), rng.integers(30, 70), p=[x * y, (1 - x) / 2, (1 - x) / 2, x * (1 - y)]
            )
        )
        for x, y in zip(at, a, strict=True)
    ]
    splits = ["train"] * (n * 5 // 8) + ["valid"] * (n // 8)
    splits += ["test"] * (n - len(splits))
    ids = [f"t{i}" for i in range(n)]
    table = pd.DataFrame({"id": ids, "sequence": sequences, "split": splits, "group": ids})
    if kind == "classes":
        return table.assign(label=wanted)
    if kind == "labels":
        values = [(at > 0.5).astype(float), (at * a > 0.3).astype(float)]
    else:
        values = [1e4 + 1e3 * at, 1e-3 * at * a]
    prefix = {"labels": "label", "numbers": "value"}[kind]
    for name, column in zip(NAMES[kind], values, strict=True):
        table[f"{prefix}:{name}"] = np.where(rng.random(n) < missing, np.nan, column)
    return table


def run(folder, kind, name="run", **arguments):
    defaults = {
        "examples": make_examples(kind),
        "method": make_method(training={"epochs": 12}),
        "model": MODEL,
        "seed": 1,
        "threads": 1,
        "device": "cpu",
        "labels": NAMES[kind],
    }
    given = defaults | arguments
    return fit(
        given.pop("examples"),
        task=kind,
        **given,
        state_dir=folder / f"{name}.state",
        output_dir=folder / name,
    )


def written(kind, result, path):
    learner_class(kind).write(path, result.predictions)
    return path.read_bytes()


def weights(folder, name):
    return (folder / name / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_learns_and_predicts_again_from_the_directory(tmp_path, kind, training_seed):
    examples = make_examples(kind)
    method = make_method(training={"epochs": 30, "learning_rate": 5e-3})
    result = run(tmp_path, kind, seed=training_seed, method=method)
    written(kind, result, tmp_path / "p.parquet")
    found = task_of(kind).read_predictions(tmp_path / "p.parquet")
    assert found["id"].tolist() == examples["id"].tolist()
    test = found["split"] == "test"
    rows = result.training_rows
    assert rows["loss"].iloc[-1] < rows["loss"].iloc[0] and not result.summary["collapsed"]
    valid = rows.query("split == 'valid'").set_index("step")
    assert result.summary["best_validation_loss"] == valid["loss"].min()
    description = json.loads((tmp_path / "run/nucleotune.json").read_text())
    assert description["task"] == kind
    assert description["labels"] == {str(i): name for i, name in enumerate(NAMES[kind])}
    assert load_model(tmp_path / "run")[0].config.num_labels == len(NAMES[kind])

    records = list(zip(examples["id"], examples["sequence"], strict=True))
    again = predict(tmp_path / "run", records, device="cpu", threads=1)
    none = predict(tmp_path / "run", [], device="cpu", threads=1)
    assert none.empty and list(none.columns) == list(again.columns)
    if kind == "classes":
        names = NAMES[kind]
        assert list(again.columns) == [
            "id",
            *(f"score:{n}" for n in names),
            "predicted",
            "truncated",
        ]
        shares = again[[f"score:{name}" for name in names]].to_numpy()
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        np.testing.assert_allclose(shares, found[[f"score:{k}" for k in range(4)]], atol=1e-6)
        assert again["predicted"].tolist() == [names[k] for k in found["predicted"]]
        assert (found["predicted"] == found["label"])[test].mean() > 0.5  # by chance 0.25
        return
    prefix = {"labels": "label", "numbers": "value"}[kind]
    columns = [c for c in again.columns if c not in ("id", "truncated")]
    expected = [f"predicted:{name}" for name in NAMES[kind]]
    scores = [f"score:{name}" for name in NAMES[kind]] if kind == "labels" else []
    assert sorted(columns) == sorted([*expected, *scores])
    for column in columns:
        np.testing.assert_allclose(again[column], found[column], rtol=1e-5, atol=1e-9)
    for name in NAMES[kind]:
        given = f"{prefix}:{name}"
        pd.testing.assert_series_equal(found[given].astype(float), examples[given])
        known = test & found[given].notna()
        assert known.sum() < test.sum()
        value, said = found[given][known], found[f"predicted:{name}"][known]
        if kind == "labels":
            assert (found[f"predicted:{name}"] == (found[f"score:{name}"] > 0.5)).all()
            assert (value == said).mean() > 0.75
        else:  # in its own unit
            assert np.mean((value - said) ** 2) < 0.6 * value.var()


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_rows_of_which_nothing_is_known_add_nothing(tmp_path, kind):
    """Not to the order of batches, the means or the loss: the weights are the very same."""
    method = make_method(training={"epochs": 3, "on_collapse": "keep"})
    examples = make_examples(kind)
    columns = [c for c in examples if ":" in c]
    empty = examples[examples["split"] != "test"].assign(**dict.fromkeys(columns, np.nan))
    empty = empty.assign(id="empty" + empty["id"])
    examples = examples[examples[columns].notna().any(axis=1)]
    without = run(tmp_path, kind, "without", method=method, examples=examples)
    more = pd.concat([empty.head(50), examples, empty.tail(70)])
    result = run(tmp_path, kind, "more", method=method, examples=more)
    assert weights(tmp_path, "without") == weights(tmp_path, "more")
    assert result.training_rows["loss"].tolist() == without.training_rows["loss"].tolist()
    found = result.predictions.set_index("id")
    assert len(found) == len(examples) + 120 and found[f"predicted:{NAMES[kind][0]}"].notna().all()


def learner(kind, examples, tokens=512):
    method = make_method(training={"micro_batch_tokens": tokens})
    model = MODEL | {"architecture": MODEL["architecture"] | {"hidden_dropout_prob": 0.0}}
    return learner_class(kind)(
        examples, method=method, model=model, seed=3, device=torch.device("cpu"), labels=NAMES[kind]
    )


def gradients(made, parts, batch_size):
    made.network.zero_grad()
    sums = sum(made.learn(part, batch_size) for part in parts)
    return sums, torch.cat([p.grad.flatten() for p in made.network.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_do_not_depend_on_how_a_batch_is_cut(kind):
    made = learner(kind, make_examples(kind, missing=0.6))
    batch = made.train[:40]
    whole, expected = gradients(made, [batch], 40)
    for size in (1, 7, 39):
        parts = [batch[i : i + size] for i in range(0, 40, size)]
        sums, found = gradients(made, parts, 40)
        torch.testing.assert_close(sums, whole, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_an_unknown_value_has_no_gradient_and_no_say(kind):
    examples = make_examples(kind, missing=0.0)
    column = [c for c in examples if ":" in c][1]
    examples.loc[examples.index[:100], column] = np.nan
    made = learner(kind, examples)
    rows = np.arange(100)
    gradients(made, [rows], 100)
    *_, weight, bias = made.network.parameters()
    assert weight.grad[0].any() and bias.grad[0] != 0
    assert not weight.grad[1].any() and bias.grad[1] == 0
    logits = np.random.default_rng(0).normal(size=(100, 2))
    said = made.judge(logits, rows)
    logits[:, 1] += 7
    assert made.judge(logits, rows) == said
    # The mean over known values, as the sums give it.
    sums = made.sums(torch.from_numpy(logits).float(), rows)
    named = dict(zip(made.parts, map(float, sums), strict=True))
    assert named["known"] == 100
    assert made.numbers(named, 100) == pytest.approx(said, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_smaller_micro_batches_train_the_same_model(tmp_path, kind):
    model = MODEL | {"architecture": MODEL["architecture"] | {"hidden_dropout_prob": 0.0}}
    found = [
        run(
            tmp_path,
            kind,
            str(tokens),
            model=model,
            method=make_method(
                training={"epochs": 2, "micro_batch_tokens": tokens, "on_collapse": "keep"}
            ),
        )
        for tokens in (64, 4096)
    ]
    one, other = (each.training_rows["loss"] for each in found)
    np.testing.assert_allclose(one, other, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_train_what_one_trains(tmp_path, monkeypatch, forked, kind):
    method = make_method(training={"epochs": 2, "batch_size": 17, "on_collapse": "keep"})
    settings = make_settings(task=kind, method=method)
    examples = make_examples(kind)
    given = {"classes": 4} if kind == "classes" else {}
    task_of(kind).write_examples(tmp_path / "examples.parquet", examples, **given)
    alone, together = (
        Run(
            dataset=name,
            labels=NAMES[kind],
            examples=str(tmp_path / "examples.parquet"),
            start_from=None,
            checkpoint=None,
            state=str(tmp_path / "state" / name),
            **{result: str(tmp_path / name / file) for result, file in RESULTS.items()},
        )
        for name in ("alone", "together")
    )
    train(alone, settings)
    with (tmp_path / "log").open("w") as log, monkeypatch.context() as patch:
        patch.setattr("sys.stderr", log)
        train(together, settings, processes=2)
    assert json.loads(Path(together.summary).read_text())["processes"] == 2
    tables = [pd.read_csv(one.training, sep="\t") for one in (alone, together)]
    columns = [c for c in ("step", "split", "loss", "accuracy", "learning_rate") if c in tables[0]]
    pd.testing.assert_frame_equal(tables[1][columns], tables[0][columns], rtol=1e-4)
    read = task_of(kind).read_predictions
    pd.testing.assert_frame_equal(
        read(together.predictions), read(alone.predictions), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_resumes_to_the_byte(tmp_path, monkeypatch, kind):
    method = make_method(training={"epochs": 3, "save_minutes": 1e-9, "on_collapse": "keep"})
    unbroken = run(tmp_path, kind, "unbroken", method=method)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, 14)
        run(tmp_path, kind, "broken", method=method)
    resumed = run(tmp_path, kind, "broken", method=method)
    assert resumed.summary["resumed_at_step"] == 14
    assert written(kind, resumed, tmp_path / "r") == written(kind, unbroken, tmp_path / "u")
    assert weights(tmp_path, "broken") == weights(tmp_path, "unbroken")
    pd.testing.assert_frame_equal(
        comparable(resumed.training_rows), comparable(unbroken.training_rows)
    )


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_other_values_are_another_training(kind):
    """They have no column `label`, by which a state knows whose it is: the learner makes one."""
    examples = make_examples(kind)
    other = examples.copy()
    column = [c for c in examples if ":" in c][1]
    row = other.index[other[column].notna()][0]
    other.loc[row, column] = 1 - other.loc[row, column]
    tables = [learner(kind, one).table["label"] for one in (examples, other)]
    assert (tables[0] != tables[1]).sum() == 1


def test_a_second_stage_of_numbers_keeps_the_unit(tmp_path):
    """With a rate of almost nothing it predicts what stage one does, though its own numbers are others."""
    first = run(tmp_path, "numbers", "one")
    still = make_method(training={"learning_rate": 1e-12, "epochs": 1})
    columns = [f"value:{name}" for name in NAMES["numbers"]]
    examples = make_examples("numbers")
    examples[columns] = examples[columns] * 3 + 1
    second = run(
        tmp_path, "numbers", "two", method=still, examples=examples, start_from=tmp_path / "one"
    )
    for name in NAMES["numbers"]:
        column = f"predicted:{name}"
        np.testing.assert_allclose(second.predictions[column], first.predictions[column], rtol=1e-4)


def test_a_head_of_other_outputs_is_no_start(tmp_path):
    short = make_method(training={"epochs": 1, "on_collapse": "keep"})
    run(tmp_path, "classes", "one", method=short)
    start = {"start_from": tmp_path / "one", "method": short}
    message = r"one: its head is of 4 classes \(few, .*but this data set has 2 labels \(at rich"
    with pytest.raises(InputError, match=message):
        run(tmp_path, "labels", "two", **start)
    with pytest.raises(InputError, match="but this data set has 4 classes"):
        run(tmp_path, "classes", "two", labels=NAMES["classes"][::-1], **start)
    run(tmp_path, "classes", "two", **start)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("classes", lambda e: e.assign(label=e["label"] + 1), "whole numbers from 0 to 3 only"),
        ("classes", lambda e: e[e["split"] != "valid"], "several labels in split 'valid'"),
        (
            "labels",
            lambda e: e.drop(columns="label:a rich"),
            "of at rich; expected at rich, a rich",
        ),
        ("labels", lambda e: e[e["split"] != "valid"], "validation examples with known labels"),
        ("numbers", lambda e: e[e["split"] != "train"], "training examples with known numbers"),
        ("numbers", lambda e: e.assign(**{"value:at": 3.0}), "'at' needs two different numbers"),
        ("numbers", lambda e: e.assign(**{"value:at": e["value:at"] * 1e303}), "too large"),
    ],
)
def test_bad_examples(tmp_path, kind, change, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, kind, examples=change(make_examples(kind)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_collapse_stops_or_is_kept(tmp_path, kind):
    """Sequences that are all alike: nothing to go by."""
    examples = make_examples(kind).assign(sequence="ACGTACGTACGTTT")
    with pytest.raises(InputError, match="training collapsed: all 40 validation examples"):
        run(tmp_path, kind, examples=examples, method=make_method(training={"epochs": 1}))
    assert not (tmp_path / "run").exists()
    keep = make_method(training={"epochs": 1, "on_collapse": "keep"})
    kept = run(tmp_path, kind, examples=examples, method=keep)
    assert kept.summary["collapsed"] and (tmp_path / "run").exists()


def test_spread():
    unlike = np.array([[0, np.nan], [1, np.nan], [np.nan, np.nan]])
    flat = np.array([[1.0, 2.0], [1.001, 2.0], [0.999, 2.0]])
    assert check_spread(flat, unlike, keep=True)
    assert not check_spread(flat + [[0, 1], [0, 0], [0, 0]], unlike, keep=False)
    alike = np.array([[0, np.nan], [0, 1], [np.nan, 1]])
    assert not check_spread(flat, alike, keep=False)  # nothing to tell apart
    with pytest.raises(InputError, match="all 3 validation examples get the same prediction"):
        check_spread(flat, unlike, keep=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "profile"}, "task: expected one of classes, labels, numbers, found 'profile'"),
        ({"task": ["labels"]}, "task: expected one of"),
        ({"labels": {}}, "labels: expected the names of outputs 0, 1, ... of numbers"),
        ({"labels": ["at", "a: tpm"]}, "labels: expected the names"),
        ({"labels": {"0": "at", "2": "a"}}, "labels: expected the names"),
        ({"labels": {"0": "at", "1": "at"}}, "labels: expected the names"),
        ({"labels": {"0": "at"}, "scale": {"mean": [0], "sd": [1]}}, "of another shape"),
        ({"scale": None}, "scale: expected a mean and an sd above 0 for each of at, a: tpm"),
        ({"scale": {"mean": [0, 0], "sd": [1]}}, "scale: expected"),
        ({"scale": {"mean": [0, 0], "sd": [1, 0]}}, "scale: expected"),
        ({"scale": {"mean": [0, "x"], "sd": [1, 1]}}, "scale: expected"),
    ],
)
def test_descriptions_that_do_not_fit_their_head(model_of_numbers, change, message):
    path = model_of_numbers / "nucleotune.json"
    before = path.read_text()
    path.write_text(json.dumps(json.loads(before) | change))
    try:
        with pytest.raises(InputError, match=message):
            predict(model_of_numbers, [("a", "ACGTTGACTG")], device="cpu", threads=1)
    finally:
        path.write_text(before)


@pytest.fixture(scope="module")
def model_of_numbers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    method = make_method(training={"epochs": 1, "on_collapse": "keep"})
    run(folder, "numbers", method=method)
    return folder / "run"
