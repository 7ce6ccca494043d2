"""Fine-tuning end to end on a small set of our own: what it learns, what it writes, how it survives."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from nucleotune.contracts import check_predictions, write_predictions
from nucleotune.errors import InputError
from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.models.standins import tiny, write_standin
from nucleotune.models.weights import weights_digest
from nucleotune.plugins import load_model as load_model_file
from nucleotune.predict import predict
from nucleotune.stages import ROOT
from nucleotune.training import fit as module
from nucleotune.training.fit import fit
from nucleotune.training.kinds import classes
from nucleotune.training.state import STATE, load_state, remove_state, run_digest, save_state

MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 64,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.0,
    },
    "lora_targets": ["attention.self.query", "attention.self.value"],
    "parameters": None,
    "licence": "MIT",
    "note": "",
}


def make_method(**changes):
    training = {
        "epochs": 6,
        "max_steps": None,
        "batch_size": 16,
        "learning_rate": 1e-2,
        "weight_decay": 0.01,
        "warmup_share": 0.1,
        "warmup_steps": None,
        "max_gradient_norm": 1.0,
        "evaluations_per_epoch": 2,
        "patience": 100,
        "micro_batch_tokens": 512,
        "save_minutes": 10,
        "on_collapse": "stop",
    }
    method = {
        "title": "tiny method",
        "kind": "language_model",
        "model": "tiny",
        "start_from": None,
        "train_splits": ["train"],
        "adaptation": "full",
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.0},
        "view": "transcript",
        "truncation": "right",
        "training": training | changes.pop("training", {}),
    }
    return method | changes


def make_examples(seed=0, n=240, at=0.9):
    """Label 1 has AT content `at`, label 0 one half; the last third of the rows is validation and test."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    sequences = [
        "".join(
            rng.choice(
                list("ACGT"),
                rng.integers(20, 90),
                p=[at / 2, (1 - at) / 2, (1 - at) / 2, at / 2] if y else None,
            )
        )
        for y in labels
    ]
    splits = ["pretrain"] * (n // 6) + ["train"] * (n // 2) + ["valid"] * (n // 6)
    splits += ["test"] * (n - len(splits))
    ids = [f"t{i}" for i in range(n)]
    return pd.DataFrame(
        {"id": ids, "sequence": sequences, "label": labels, "split": splits, "group": ids}
    )


def contradicted(examples):
    """Validation examples with the other label: the more a model learns of the others, the greater their loss."""
    return examples.assign(label=examples["label"] ^ (examples["split"] == "valid"))


def run(tmp_path, name="run", examples=None, **arguments):
    defaults = {
        "method": make_method(),
        "model": MODEL,
        "seed": 1,
        "threads": 1,
        "device": "cpu",
        "labels": ("0", "1"),
    }
    return fit(
        make_examples() if examples is None else examples,
        task="classes",
        **(defaults | arguments),
        state_dir=tmp_path / f"{name}.state",
        output_dir=tmp_path / name,
    )


def predictions_bytes(result, path):
    write_predictions(path, result.predictions)
    return path.read_bytes()


def test_learns_predicts_and_reports(tmp_path, training_seed):
    examples = make_examples()
    result = run(tmp_path, examples=examples, seed=training_seed)
    expected = examples[examples["split"] != "pretrain"]
    check_predictions(result.predictions)
    assert result.predictions["id"].tolist() == expected["id"].tolist()
    assert result.predictions["label"].tolist() == expected["label"].tolist()
    test = result.predictions.query("split == 'test'")
    assert (test["predicted"] == test["label"]).mean() > 0.8
    assert (result.predictions["predicted"] == (result.predictions["score"] > 0.5)).all()

    rows = result.training_rows
    steps = 6 * 8  # 120 training examples in batches of 16, six epochs
    assert list(rows.columns) == [
        *("step", "epoch", "split", "loss", "accuracy", "learning_rate"),
        *("examples_per_second", "padding_share", "peak_memory_mb"),
    ]
    assert rows.query("split == 'valid'")["step"].tolist() == list(range(4, steps + 1, 4))
    assert rows["epoch"].max() == 6
    assert rows["padding_share"].max() <= 0.10
    assert rows["loss"].iloc[-1] < rows["loss"].iloc[0]

    summary = json.loads(json.dumps(result.summary))
    assert summary["examples"] == {"train": 120, "valid": 40, "test": 40}
    longer = (examples.query("split != 'pretrain'")["sequence"].str.len() > 64).sum()
    assert summary["truncated"] == {"side": "right", "count": longer, "share": longer / 200}
    assert summary["parameters"]["total"] == summary["parameters"]["trainable"]
    valid = rows.query("split == 'valid'").set_index("step")["loss"]
    assert summary["best_step"] == valid.idxmin()
    assert not summary["resumed"] and summary["unknown_share"] == 0


def test_best_weights_are_the_ones_predicted_with(tmp_path, training_seed):
    method = make_method(training={"on_collapse": "keep"})
    result = run(
        tmp_path, method=method, examples=contradicted(make_examples()), seed=training_seed
    )
    valid = result.predictions.query("split == 'valid'")
    right = np.where(valid["label"] == 1, valid["score"], 1 - valid["score"])
    assert -np.log(right).mean() == pytest.approx(result.summary["best_validation_loss"], rel=1e-5)
    assert result.summary["best_step"] < result.summary["steps"]


def test_early_stop(tmp_path, training_seed):
    method = make_method(training={"epochs": 40, "patience": 5, "on_collapse": "keep"})
    result = run(
        tmp_path, method=method, examples=contradicted(make_examples()), seed=training_seed
    )
    valid = result.training_rows.query("split == 'valid'")
    assert result.summary["stopped_early"]
    assert valid["step"].iloc[-6] == result.summary["best_step"]
    assert result.summary["steps"] == valid["step"].iloc[-1] < 40 * 8


def test_max_steps_and_evaluation_at_the_end(tmp_path):
    result = run(tmp_path, method=make_method(training={"max_steps": 30}))
    assert result.training_rows.query("split == 'valid'")["step"].tolist() == [
        4,
        8,
        12,
        16,
        20,
        24,
        28,
        30,
    ]


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path):
    method = make_method(training={"epochs": 4})
    first, second, other = (
        predictions_bytes(
            run(tmp_path, name, method=method, seed=seed), tmp_path / f"{name}.parquet"
        )
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == second != other
    assert (tmp_path / "a/model.safetensors").read_bytes() == (
        tmp_path / "b/model.safetensors"
    ).read_bytes()


def test_a_method_may_read_less_than_its_model(tmp_path):
    """The limit is in the summary, in the model directory, and so in what `predict` reads."""
    examples = make_examples()
    method = make_method(max_tokens=30, training={"epochs": 2, "on_collapse": "keep"})
    result = run(tmp_path, method=method, examples=examples)
    used = examples.query("split != 'pretrain'")
    letters = 30 - 2 + MODEL["tokenizer"]["k"] - 1
    longer = used["sequence"].str.len() > letters
    assert result.summary["truncated"]["count"] == longer.sum() > 0
    description = json.loads((tmp_path / "run/nucleotune.json").read_text())
    assert description["model"]["max_tokens"] == 30
    records = list(zip(used["id"], used["sequence"], strict=True))
    table = predict(tmp_path / "run", records, device="cpu", threads=1)
    assert table["truncated"].tolist() == longer.tolist()
    np.testing.assert_allclose(table["score"], result.predictions["score"], atol=1e-6)
    with pytest.raises(InputError, match="max_tokens 4000 is more than model"):
        run(tmp_path, "longer", method=make_method(max_tokens=4000), examples=examples)


def test_two_stages(tmp_path):
    """Stage two starts where stage one ended: with a rate of almost nothing it predicts what stage one does."""
    first = run(
        tmp_path, "one", method=make_method(train_splits=["pretrain"], training={"epochs": 15})
    )
    still = make_method(training={"learning_rate": 1e-12, "epochs": 1})
    second = run(tmp_path, "two", method=still, start_from=tmp_path / "one")
    assert np.allclose(first.predictions["score"], second.predictions["score"], atol=1e-6)
    assert first.summary["examples"]["pretrain"] == 40


def test_lora_trains_little_and_predicts_from_merged_weights(tmp_path):
    base = run(tmp_path, "base")
    method = make_method(adaptation="lora", training={"learning_rate": 0.01, "epochs": 2})
    result = run(tmp_path, "lora", method=method, start_from=tmp_path / "base")
    matrices = 2 * 4 * (32 + 32)  # query and value, rank 4
    head = 32 * 32 + 32 + 32 * 2 + 2
    assert result.summary["parameters"]["trainable"] == matrices + head
    assert result.summary["parameters"]["total"] == base.summary["parameters"]["total"] + matrices
    before, after = base.predictions["score"], result.predictions["score"]
    assert not np.allclose(before, after, atol=1e-4)
    records = (
        make_examples()
        .query("split == 'test'")[["id", "sequence"]]
        .itertuples(index=False, name=None)
    )
    again = predict(tmp_path / "lora", records, device="cpu", threads=1)
    assert np.allclose(again["score"], after[result.predictions["split"] == "test"], atol=1e-5)


def stand_in(name, **changes):
    """A model file as shipped, with tiny sizes."""
    model = tiny(load_model_file(name, [ROOT / "config"]))
    if name == "dnabert-2":
        model["architecture"]["vocab_size"] = 64
    return model | {"max_tokens": 64} | changes


def make_checkpoint(folder, model, seed=1):
    files = write_standin(model, folder / f"published{seed}", seed=seed)
    prepare_checkpoint("stand-in", model, files, folder / f"checkpoint{seed}")
    return folder / f"checkpoint{seed}"


@pytest.fixture
def collapse_allowed(monkeypatch):
    """The random encoders of stand-ins hardly tell sequences apart, and a few steps do not teach them."""
    monkeypatch.setattr(classes, "check_collapse", lambda predictions, keep: False)


def encoder_weights(directory):
    """Weights of a directory but those of pooler and heads; the contact head of ESM is trained by nothing."""
    weights = safetensors.torch.load_file(directory / "model.safetensors")
    head = ("classifier.", "bert.pooler.", "cls.", "lm_head.")
    return {name: tensor for name, tensor in weights.items() if not name.startswith(head)}


@pytest.mark.usefixtures("collapse_allowed")
@pytest.mark.parametrize("adaptation", ["full", "lora", "frozen"])
@pytest.mark.parametrize(
    "name", ["dnabert-6", "dnabert-2", "nt-500m-human", "specieslm-downstream"]
)
def test_from_published_files_to_prediction_elsewhere(tmp_path, name, adaptation):
    model = stand_in(name)
    checkpoint = make_checkpoint(tmp_path, model)
    before = encoder_weights(checkpoint)
    method = make_method(adaptation=adaptation, training={"epochs": 3, "learning_rate": 1e-2})
    result = run(tmp_path, method=method, model=model, checkpoint=checkpoint)
    report = result.summary["load"]
    head = ("classifier.", "bert.pooler.")
    assert report["new"] and all(new.startswith(head) for new in report["new"])
    assert all(old.startswith(("cls.", "lm_head.")) for old in report["ignored"])
    json.dumps(result.summary)

    after = encoder_weights(tmp_path / "run")
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert before.keys() == after.keys()
    if adaptation == "frozen":
        assert not changed
    elif adaptation == "lora":
        targets = tuple(f"{target}.weight" for target in model["lora_targets"])
        assert changed == {key for key in before if key.endswith(targets)}
    else:
        assert len(changed) > len(before) / 2
    assert (tmp_path / "run" / "adapter").is_dir() == (adaptation == "lora")
    description = json.loads((tmp_path / "run" / "nucleotune.json").read_text())
    assert description["base"]["sha256"] == weights_digest(checkpoint)
    assert description["base"]["hub"] == model["checkpoint"]["hub"]

    shutil.rmtree(checkpoint)
    elsewhere = shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    test = make_examples().query("split == 'test'")[["id", "sequence"]]
    again = predict(elsewhere, test.itertuples(index=False, name=None), device="cpu", threads=1)
    expected = result.predictions.query("split == 'test'")["score"]
    assert np.allclose(again["score"], expected, atol=1e-5)


@pytest.mark.usefixtures("collapse_allowed")
def test_trained_from_a_checkpoint_then_from_there(tmp_path):
    """The second stage needs no checkpoint: weights, tokenizer and sizes are those of the first one."""
    model = stand_in("dnabert-2")
    checkpoint = make_checkpoint(tmp_path, model)
    short = make_method(train_splits=["pretrain"], training={"epochs": 3})
    bare = model | {"architecture": None}
    run(tmp_path, "one", method=short, model=bare, checkpoint=checkpoint)
    shutil.rmtree(checkpoint)
    still = make_method(training={"learning_rate": 1e-12, "epochs": 1})
    given, taken = (
        run(tmp_path, name, method=still, model=each, start_from=tmp_path / "one")
        for name, each in (("two", model), ("three", bare))
    )
    assert np.array_equal(given.predictions["score"], taken.predictions["score"])
    first = predict(tmp_path / "one", [("a", "ACGTTGACTG")], device="cpu", threads=1)["score"]
    second = predict(tmp_path / "three", [("a", "ACGTTGACTG")], device="cpu", threads=1)["score"]
    assert np.allclose(first, second, atol=1e-6)


@pytest.mark.usefixtures("collapse_allowed")
def test_checkpoint_is_part_of_the_states_identity(tmp_path, monkeypatch):
    model = stand_in("dnabert-3")
    first, second = (make_checkpoint(tmp_path, model, seed=seed) for seed in (1, 2))
    method = make_method(training={"save_minutes": 1e-9, "epochs": 2})
    arguments = {"method": method, "model": model}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, 5)
        run(tmp_path, **arguments, checkpoint=first)
    assert not run(tmp_path, **arguments, checkpoint=second).summary["resumed"]
    remove_state(tmp_path / "run.state")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, 5)
        run(tmp_path, **arguments, checkpoint=first)
    assert run(tmp_path, **arguments, checkpoint=first).summary["resumed"]


def test_bad_starting_points(tmp_path):
    model = stand_in("dnabert-3")
    checkpoint = make_checkpoint(tmp_path, model)
    with pytest.raises(InputError, match="from both .*one and .*checkpoint1"):
        run(tmp_path, model=model, start_from=tmp_path / "one", checkpoint=checkpoint)
    with pytest.raises(InputError, match="without a checkpoint, it needs an architecture"):
        run(tmp_path, model=model | {"architecture": None})
    with pytest.raises(InputError, match="revision 'main', but model .* has 'other'"):
        other = model["checkpoint"] | {"revision": "other"}
        run(tmp_path, model=model | {"checkpoint": other}, checkpoint=checkpoint)
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(InputError, match="model.safetensors: sha256 is .* the file changed"):
        run(tmp_path, model=model, checkpoint=checkpoint)


def test_positions_of_esm_are_counted_by_the_tokenizers_padding(tmp_path):
    """A tokenizer.json whose padding id is 3, on an encoder that counts from 1: every position would be shifted."""
    model = stand_in("nt-500m-human", tokenizer={"kind": "file", "k": None, "species": None})
    model["architecture"]["vocab_size"] = 64
    files = ["config.json", "pytorch_model.bin", "tokenizer.json"]
    model["checkpoint"] = model["checkpoint"] | {"files": files}
    checkpoint = make_checkpoint(tmp_path, model)
    with pytest.raises(InputError, match="pads with 3, but family 'esm' .* padding id 1"):
        run(tmp_path, model=model, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e[e["split"] != "valid"], "'valid', found none"),
        (lambda e: e[(e["split"] != "train") | (e["label"] == 1)], "'train', found one label only"),
        (
            lambda e: e.assign(sequence=e["sequence"].str.slice_replace(0, 5, "NNNNN")),
            "record 't40', token 'NNN'",
        ),
    ],
)
def test_bad_examples(tmp_path, change, message):
    examples = change(make_examples().query("split != 'pretrain'"))
    with pytest.raises(InputError, match=message):
        run(tmp_path, examples=examples)
    assert not (tmp_path / "run").exists()


def test_too_short_record_is_named(tmp_path):
    examples = make_examples()
    examples.loc[50, "sequence"] = "AC"
    with pytest.raises(InputError, match="'t50': 2 nt is too short"):
        run(tmp_path, examples=examples)


def test_bad_methods(tmp_path):
    with pytest.raises(InputError, match="micro_batch_tokens 63 is less"):
        run(tmp_path, method=make_method(training={"micro_batch_tokens": 63}))
    with pytest.raises(InputError, match="must not hold 'valid' or 'test'"):
        run(tmp_path, method=make_method(train_splits=["train", "valid"]))


def test_start_from_another_architecture(tmp_path):
    run(
        tmp_path,
        "one",
        method=make_method(training={"epochs": 4}),
    )
    wider = MODEL | {"architecture": MODEL["architecture"] | {"intermediate_size": 48}}
    with pytest.raises(InputError, match="its architecture"):
        run(tmp_path, "two", model=wider, start_from=tmp_path / "one")


def test_start_from_nowhere(tmp_path):
    with pytest.raises(InputError, match="nowhere: no nucleotune.json there"):
        run(tmp_path, start_from=tmp_path / "nowhere")


def test_divergence_stops(tmp_path):
    method = make_method(
        training={"learning_rate": 1e30, "max_gradient_norm": 1e30, "warmup_share": 0.0}
    )
    with pytest.raises(InputError, match=r"diverged at step \d+ .*Lower training.learning_rate"):
        run(tmp_path, method=method)


def test_collapse_stops(tmp_path):
    """Two classes no model can tell apart, one of them rare."""
    examples = make_examples().assign(sequence="ACGTACGTACGT")
    examples["label"] = (np.arange(len(examples)) % 5 == 0).astype(int)
    with pytest.raises(
        InputError, match="training collapsed: all 40 validation examples are predicted as label 0"
    ):
        run(tmp_path, examples=examples)
    assert not (tmp_path / "run").exists()
    kept = run(tmp_path, examples=examples, method=make_method(training={"on_collapse": "keep"}))
    assert kept.summary["collapsed"] and (tmp_path / "run").exists()


class Killed(BaseException):
    """Stands for a death of the process at a chosen place."""


def dying_save(monkeypatch, at_call):
    calls = []

    def save(directory, digest, state):
        save_state(directory, digest, state)
        calls.append(state["step"])
        if len(calls) == at_call:
            raise Killed

    monkeypatch.setattr(module, "save_state", save)
    return calls


def comparable(rows):
    return rows.drop(columns=["examples_per_second", "peak_memory_mb"])


@pytest.mark.parametrize(
    ("adaptation", "at_call"),
    [("full", 3), ("full", 19), ("lora", 5), ("frozen", 7), ("full", 48)],
)
def test_resumes_from_any_step_with_the_same_end(tmp_path, monkeypatch, adaptation, at_call):
    """Saving at every step and dying in mid-interval, mid-epoch and after the last step changes nothing."""
    arguments = {"method": make_method(adaptation=adaptation, training={"save_minutes": 1e-9})}
    if adaptation != "full":
        run(tmp_path, "base", method=make_method(train_splits=["pretrain"]))
        arguments["start_from"] = tmp_path / "base"
    unbroken = run(tmp_path, "unbroken", **arguments)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, at_call)
        run(tmp_path, "broken", **arguments)
    resumed = run(tmp_path, "broken", **arguments)
    assert resumed.summary["resumed"] and resumed.summary["resumed_at_step"] == at_call
    assert predictions_bytes(resumed, tmp_path / "r") == predictions_bytes(unbroken, tmp_path / "u")
    pd.testing.assert_frame_equal(
        comparable(resumed.training_rows), comparable(unbroken.training_rows)
    )
    weights = [
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("broken", "unbroken")
    ]
    assert weights[0] == weights[1]


def test_resumes_after_the_best_step(tmp_path, monkeypatch):
    """Weights that no later evaluation beats are part of the state."""
    arguments = {
        "method": make_method(training={"save_minutes": 1e-9, "epochs": 12}),
        "examples": make_examples(at=0.7),
    }
    unbroken = run(tmp_path, "unbroken", **arguments)
    last, best = unbroken.summary["steps"], unbroken.summary["best_step"]
    assert best < last - 1
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, last - 1)
        run(tmp_path, "broken", **arguments)
    resumed = run(tmp_path, "broken", **arguments)
    assert resumed.summary["resumed_at_step"] == last - 1
    assert predictions_bytes(resumed, tmp_path / "r") == predictions_bytes(unbroken, tmp_path / "u")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"threads": 2},
        {"method": make_method(training={"save_minutes": 1e-9, "learning_rate": 9e-3})},
        {"model": MODEL | {"max_tokens": 60}},
        {"examples": make_examples(seed=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_state_of_other_settings_is_not_resumed(tmp_path, monkeypatch, caplog, change):
    method = make_method(training={"save_minutes": 1e-9})
    with monkeypatch.context() as patch, pytest.raises(Killed):
        dying_save(patch, 5)
        run(tmp_path, **({"method": method} | change))
    result = run(tmp_path, method=method)
    assert not result.summary["resumed"]
    assert "other settings, data or library versions" in caplog.text


def test_state_file(tmp_path, caplog):
    examples = make_examples(n=12)
    digest = run_digest(examples, seed=1)
    assert digest != run_digest(examples.iloc[::-1], seed=1)
    assert digest != run_digest(examples.assign(label=1 - examples["label"]), seed=1)
    save_state(tmp_path / "s", digest, {"step": 3, "weights": {"a": torch.ones(2)}})
    (tmp_path / "s" / f".{STATE}.99.tmp").write_bytes(b"half")
    assert load_state(tmp_path / "s", digest)["step"] == 3
    assert [path.name for path in (tmp_path / "s").iterdir()] == [STATE]
    assert load_state(tmp_path / "s", "another") is None
    (tmp_path / "s" / STATE).write_bytes((tmp_path / "s" / STATE).read_bytes()[:100])
    assert load_state(tmp_path / "s", digest) is None
    assert f"{STATE} is damaged" in caplog.text
    remove_state(tmp_path / "s")
    assert load_state(tmp_path / "s", digest) is None


class Evil:
    def __reduce__(self):
        return (os.system, ("true",))


def test_state_with_code_in_it_is_not_run(tmp_path, caplog):
    tmp_path.joinpath("s").mkdir()
    torch.save({"digest": "d", "step": Evil()}, tmp_path / "s" / STATE)
    assert load_state(tmp_path / "s", "d") is None
    assert f"{STATE} is damaged" in caplog.text


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_finetune import make_method, run
run(Path(sys.argv[1]), "broken", method=make_method(training={{"save_minutes": 1e-9, "epochs": 15}}))
"""


@pytest.mark.slow
def test_kill_minus_nine_in_mid_training(tmp_path):
    """A real process, killed with SIGKILL while it trains; then the same call in another process."""
    here = Path(__file__).parent
    code = CHILD.format(path=[str(here), str(here.parent.parent)])
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    state = tmp_path / "broken.state" / STATE
    deadline = time.monotonic() + 120
    while not state.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the child ended before it could be killed"
    assert not (tmp_path / "broken").exists()

    method = make_method(training={"save_minutes": 1e-9, "epochs": 15})
    resumed = run(tmp_path, "broken", method=method)
    assert resumed.summary["resumed"] and 0 < resumed.summary["resumed_at_step"] < 120
    unbroken = run(tmp_path, "unbroken", method=method)
    assert predictions_bytes(resumed, tmp_path / "r") == predictions_bytes(unbroken, tmp_path / "u")
    pd.testing.assert_frame_equal(
        comparable(resumed.training_rows), comparable(unbroken.training_rows)
    )
