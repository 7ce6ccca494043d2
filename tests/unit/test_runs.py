"""Trainings as files: alone, several in one job, and one in several processes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from forks import PYTHON
from test_finetune import MODEL, make_examples, make_method
from test_profile_training import make_examples as make_counts
from test_profile_training import short

from nucleotune.contracts import read_predictions, write_examples
from nucleotune.errors import InputError
from nucleotune.models import weights
from nucleotune.models.profile import load_profile_model
from nucleotune.plugins import load_model
from nucleotune.profile_contracts import read_profile_predictions, write_profile_examples
from nucleotune.stages import ROOT
from nucleotune.training import parallel
from nucleotune.training import runs as runs_module
from nucleotune.training.kinds.profiles import predict_profiles
from nucleotune.training.runs import RESULTS, Run, Settings, train, train_several
from nucleotune.training.state import STATE
from nucleotune.training.trainer import Trainer


def make_settings(**changes):
    model = MODEL | {"architecture": MODEL["architecture"] | {"hidden_dropout_prob": 0.0}}
    defaults = {
        "task": "classes",
        "method": make_method(),
        "model": model,
        "seed": 1,
        "threads": 1,
        "device": "cpu",
    }
    return Settings(**(defaults | changes))


def profile_settings(method, model=None):
    return make_settings(task="profiles", method=method, model=model)


def make_run(folder, name, examples=None):
    path = folder / f"{name}.examples.parquet"
    examples = make_examples() if examples is None else examples
    write = write_examples if isinstance(examples, pd.DataFrame) else write_profile_examples
    write(path, examples)
    return Run(
        dataset=name,
        labels=["no", "yes"],
        examples=str(path),
        start_from=None,
        checkpoint=None,
        state=str(folder / "state" / name),
        **{kind: str(folder / name / file) for kind, file in RESULTS.items()},
    )


def read(run, read_table=read_predictions):
    return (
        read_table(run.predictions),
        pd.read_csv(run.training, sep="\t"),
        json.loads(Path(run.summary).read_text()),
    )


@pytest.mark.parametrize(("adaptation", "rate"), [("full", 1e-2), ("lora", 5e-2)])
def test_two_processes_train_what_one_trains(
    tmp_path, monkeypatch, forked, training_seed, adaptation, rate
):
    """Real processes with gloo between them; without dropout both ways have the same numbers, to rounding."""
    # 120 training rows in batches of 17: the last one of an epoch holds a single example, one process gets none of it.
    settings = make_settings(
        method=make_method(
            adaptation=adaptation, training={"batch_size": 17, "learning_rate": rate}
        ),
        seed=training_seed,
    )
    alone, together = make_run(tmp_path, "alone"), make_run(tmp_path, "together")
    train(alone, settings)
    with (tmp_path / "log").open("w") as log, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        train(together, settings, processes=2)
    log = (tmp_path / "log").read_text()
    (expected, rows, one), (predictions, found, two) = read(alone), read(together)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["steps"] == two["steps"] and log.count(f"step {two['steps']}/") == 1
    pd.testing.assert_frame_equal(
        expected[["id", "split", "label"]], predictions[["id", "split", "label"]]
    )
    np.testing.assert_allclose(predictions["score"], expected["score"], atol=1e-4)
    columns = ["step", "split", "loss", "accuracy", "learning_rate"]
    pd.testing.assert_frame_equal(found[columns], rows[columns], rtol=1e-4)
    assert not Path(together.state).exists()


@pytest.mark.parametrize("network", ["bpnet", "encoder_conv"])
def test_two_processes_train_one_profile_model(tmp_path, monkeypatch, forked, network):
    """What one process trains, to rounding; with batch normalisation, all processes have the weights that are saved."""
    model, method = None, short("bpnet-tiny")
    if network == "encoder_conv":
        method = short("specieslm-lora-tiny")
        model = load_model("specieslm-tiny", [ROOT / "config"])
        model |= {"tokenizer": model["tokenizer"] | {"species": None}}
    # 24 training rows in batches of 23: the last one holds a single example, one process gets none of it.
    method["training"] |= {"batch_size": 23, "max_gradient_norm": 1.0}
    settings, examples = profile_settings(method, model), make_counts(40)
    alone, together = (make_run(tmp_path, name, examples) for name in ("alone", "together"))
    with (tmp_path / "log").open("w") as log, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        train(together, settings, processes=2)
    predictions, found, summary = read(together, read_profile_predictions)
    assert summary["processes"] == 2 and summary["steps"] == 6
    if network == "bpnet":
        train(alone, settings)
        expected, rows, _ = read(alone, read_profile_predictions)
        np.testing.assert_allclose(predictions.profiles, expected.profiles, atol=1e-4)
        np.testing.assert_allclose(predictions.log_counts, expected.log_counts, atol=1e-4)
        columns = ["step", "split", "loss", "profile_loss", "count_loss"]
        pd.testing.assert_frame_equal(found[columns], rows[columns], rtol=1e-4)
        return
    sequences = examples.table["sequence"].tolist()
    saved = load_profile_model(together.model)
    profiles, log_counts = predict_profiles(saved, sequences, device="cpu", threads=1)
    np.testing.assert_allclose(predictions.profiles, profiles, atol=1e-5)
    np.testing.assert_allclose(predictions.log_counts, log_counts, atol=1e-4)


@pytest.mark.slow
def test_processes_told_to_stop_go_on_later(tmp_path):
    """SIGTERM to torchrun, as a scheduler sends it; dropout is on, so every process's random state counts."""
    method = make_method(training={"epochs": 12, "save_minutes": 2e-3, "evaluations_per_epoch": 1})
    settings = make_settings(method=method, model=MODEL)
    unbroken, broken = make_run(tmp_path, "unbroken"), make_run(tmp_path, "broken")
    code = (
        "import json, sys; from nucleotune.training.runs import Run, Settings, train;"
        "values = json.loads(sys.argv[1]);"
        "train(Run(**values['run']), Settings(**values['settings']), processes=2)"
    )

    def start(run, python=os.environ[PYTHON]):
        request = json.dumps({"run": vars(run), "settings": vars(settings)})
        return subprocess.Popen([python, "-c", code, request], start_new_session=True)

    assert start(unbroken).wait() == 0
    process = start(broken, sys.executable)
    state, deadline = Path(broken.state) / STATE, time.monotonic() + 120
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    torchrun = subprocess.run(
        ["pgrep", "-f", "-s", str(process.pid), "torch.distributed.run"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[0]
    subprocess.run(["kill", "-TERM", torchrun], check=True)
    assert process.wait(timeout=60) != 0 and not Path(broken.predictions).exists()
    assert start(broken).wait() == 0
    (expected, *_), (found, _, summary) = read(unbroken), read(broken)
    assert summary["resumed"] and 0 < summary["resumed_at_step"] < summary["steps"]
    pd.testing.assert_frame_equal(found, expected)


def test_reason_of_a_failed_process_is_in_the_log(tmp_path, monkeypatch, forked):
    run = make_run(tmp_path, "bad", make_examples().assign(label=0))
    with (tmp_path / "log").open("w") as log, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        with pytest.raises(InputError, match="2 processes ended with status"):
            train(run, make_settings(), processes=2)
    assert "needs examples of both labels" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("at_a_time", [1, 7, 100])
def test_gradients_are_sent_in_parts(monkeypatch, at_a_time):
    """As two processes of the same gradients; what none of them has used stays without."""
    sent = []
    monkeypatch.setattr(parallel, "size", lambda: 2)
    monkeypatch.setattr(parallel, "add_up", lambda tensor: sent.append(len(tensor)) or tensor * 2)
    monkeypatch.setattr(parallel, "SENT_AT_A_TIME", at_a_time)
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (4,), (5,), (1,))]
    for number, parameter in enumerate(parameters):
        parameter.grad = torch.full_like(parameter, number) if number != 1 else None
    parallel.add_up_gradients(parameters)
    assert parameters[1].grad is None
    for number in (0, 2, 3):
        assert torch.equal(parameters[number].grad, torch.full_like(parameters[number], 2 * number))
    assert sent == {1: [4, 6, 5, 1], 7: [4, 11, 1], 100: [4, 12]}[at_a_time]


def test_as_many_processes_as_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert parallel.usable_processes(4) == 2 and parallel.usable_processes(1) == 1
    assert parallel.backend_of(2, 2) == "cpu:gloo,cuda:nccl"
    assert parallel.backend_of(2, 1) == "gloo", "NCCL refuses two processes on one GPU"


def of_classes():
    """Settings, examples by seed, and examples that cannot be trained on, with what the error says."""
    broken = make_examples().assign(label=0)
    return make_settings(), make_examples, broken, "method 'tiny method' needs examples of both"


def of_profiles():
    broken = make_counts(40).of_splits(["train", "test"])
    examples = lambda seed: make_counts(40, seed=seed)  # noqa: E731
    return (
        profile_settings(short("bpnet-tiny")),
        examples,
        broken,
        "needs examples of split 'valid'",
    )


@pytest.mark.parametrize("kind", [of_classes, of_profiles])
def test_several_in_one_process(tmp_path, caplog, kind):
    """The second of three fails; then it is mended, and the others are not trained again."""
    settings, examples, broken, message = kind()
    runs = [make_run(tmp_path, name, examples(seed)) for seed, name in enumerate("abc")]
    whole = Path(runs[1].examples).read_bytes()
    make_run(tmp_path, "b", broken)
    with caplog.at_level("INFO"), pytest.raises(InputError, match="1 of 3 trainings failed: b;"):
        train_several(runs, settings)
    assert message in caplog.text
    before = [Path(runs[i].predictions).read_bytes() for i in (0, 2)]

    Path(runs[1].examples).write_bytes(whole)
    train_several(runs, settings)
    summaries = [json.loads(Path(run.summary).read_text()) for run in runs]
    assert [s["resumed_at_step"] for s in summaries] == [
        summaries[0]["steps"],
        None,
        summaries[2]["steps"],
    ]
    assert [Path(runs[i].predictions).read_bytes() for i in (0, 2)] == before
    assert not any(Path(run.state).exists() for run in runs)

    alone = replace(make_run(tmp_path, "alone", examples(1)), examples=runs[1].examples)
    train(alone, settings)
    assert Path(alone.predictions).read_bytes() == Path(runs[1].predictions).read_bytes()


def test_any_failure_leaves_the_others_and_an_interruption_stops(tmp_path, monkeypatch, caplog):
    runs = [make_run(tmp_path, name) for name in "abc"]
    trained, failure = [], RuntimeError("CUDA out of memory")

    def fail_at_b(run, settings):
        trained.append(run.dataset)
        if run.dataset == "b":
            raise failure

    monkeypatch.setattr(runs_module, "_train", fail_at_b)
    with pytest.raises(InputError, match="1 of 3 trainings failed: b;"):
        train_several(runs, make_settings())
    assert trained == ["a", "b", "c"]
    assert "CUDA out of memory" in caplog.text and "Traceback" in caplog.text
    for failure in (SystemExit(1), KeyboardInterrupt()):
        trained.clear()
        with pytest.raises(type(failure)):
            train_several(runs, make_settings())
        assert trained == ["a", "b"]


def test_weights_are_read_once(tmp_path, monkeypatch):
    base = make_run(tmp_path, "base")
    settings = make_settings()
    train(base, settings)
    reads = []
    original = weights._read_safetensors
    monkeypatch.setattr(
        weights, "_read_safetensors", lambda path: reads.append(path) or original(path)
    )
    runs = [replace(make_run(tmp_path, name), start_from=base.model) for name in "ab"]
    train_several(runs, settings)
    assert reads == [Path(base.model) / weights.WEIGHTS]
    assert Path(runs[0].predictions).read_bytes() == Path(runs[1].predictions).read_bytes()


def test_told_to_stop_saves_first(tmp_path, monkeypatch):
    """SIGTERM in mid-training: the state holds the very step, although no evaluation and no minute was due."""
    settings = make_settings(
        method=make_method(training={"save_minutes": 1e3, "evaluations_per_epoch": 1})
    )
    run = make_run(tmp_path, "run")
    steps = []
    original = Trainer._step

    def step(self, batch):
        original(self, batch)
        steps.append(self.progress.step)
        if len(steps) == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        train(run, settings)
    assert len(steps) == 5
    assert torch.load(Path(run.state) / STATE, weights_only=True)["step"] == 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
