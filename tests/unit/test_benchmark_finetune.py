"""The fine-tuning benchmark: both of its sides run, agree, leave no memory behind, and its arithmetic is right."""

import importlib.util
import json
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nucleotune.training.compute import resolve_device

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "finetune.py"
STEPS, WARMUP, BATCH = 2, 1, 4


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("benchmark_finetune", SCRIPT)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.WARMUP, module.SMALL_BATCH = WARMUP, BATCH
    yield module
    resolve_device("cpu", 1)


def make_job(bench, name):
    device = resolve_device("cpu", 1)
    return bench.make_job(
        bench.CASES[name], small=True, steps=STEPS, pad_to_model=False, device=device
    )


@pytest.mark.parametrize("name", ["rbp", "promoters", "lncrna", "nt-lora"])
def test_sides_agree(bench, name):
    job = make_job(bench, name)
    expected = {"rbp": 101, "promoters": 297, "nt-lora": 51}
    assert job.pad_to == expected.get(name, job.tokenized.lengths.max())
    loss, gradient = bench.differences(job)
    assert loss <= 1e-5 and gradient <= 1e-3


def test_disagreement_is_seen(bench, monkeypatch, tmp_path):
    job = make_job(bench, "rbp")
    other = replace(job, labels=1 - job.labels)
    monkeypatch.setitem(bench.SIDES, "plain", lambda _, *rest: bench.train_plain(other, *rest))
    loss, gradient = bench.differences(job)
    assert loss > 1e-5 and gradient > 1e-3
    monkeypatch.setattr(bench, "make_job", lambda *_, **__: job)
    path = tmp_path / "results.json"
    arguments = ["--case", "rbp", "--device", "cpu", "--threads", "1", "--repeats", "1"]
    assert bench.main([*arguments, "--json", str(path)]) == 2
    report = json.loads(path.read_text())
    assert report["disagree"] == ["rbp"] and len(report["cases"]) == 1, "measured all the same"


@pytest.mark.parametrize("side", ["ours", "plain"])
def test_a_side_leaves_nothing_behind(bench, side):
    job = make_job(bench, "rbp")
    classifier = job.classifier()
    clock, weight = bench.Clock(job), weakref.ref(next(classifier.parameters()))
    bench.train(side, job, classifier, WARMUP + STEPS, clock)
    assert clock.count == WARMUP + STEPS and clock.seconds > 0 and clock.peak_mb > 0
    del classifier
    bench.release(job.device)
    assert weight() is None


@pytest.mark.parametrize("name", ["lncrna", "nt-lora"])
def test_useful_work(bench, name):
    job = make_job(bench, name)
    lengths = job.tokenized.lengths[job.order[WARMUP * BATCH :]]
    assert len(lengths) == len(job.timed) == STEPS * BATCH
    # Two layers of four 64 x 64 matrices and two of 64 x 128 with their biases, two LayerNorms.
    frozen, trained = 0, 2 * (4 * 65 * 64 + 65 * 128 + 129 * 64 + 4 * 64)
    if name == "nt-lora":
        # One LayerNorm behind the last layer; rank 8 on every matrix.
        frozen, trained = trained + 2 * 64, 2 * 8 * (4 * 128 + 2 * 192)
    expected = sum((6 * trained + 4 * frozen) * n + 12 * 64 * 2 * n * n for n in map(int, lengths))
    assert bench.useful_work(job) == pytest.approx(expected, rel=1e-12)


def test_padded_examples_are_the_job_in_its_order(bench):
    job = make_job(bench, "lncrna")
    padded = bench.PaddedExamples(job)
    assert len(padded) == len(job.order) and sorted(job.order) == list(range(len(job.order)))
    for row, i in enumerate(job.order):
        begin, end = job.tokenized.offsets[i : i + 2]
        example = {key: tensor.numpy() for key, tensor in padded[row].items()}
        kept = example["input_ids"][example["attention_mask"] == 1]
        assert np.array_equal(kept, job.tokenized.tokens[begin:end])
        assert example["input_ids"].shape == (job.pad_to,) and example["labels"] == job.labels[i]


def test_each_repeat_has_sequences_of_its_own(bench):
    device = resolve_device("cpu", 1)
    settings = {"small": True, "steps": STEPS, "pad_to_model": False, "device": device}
    one, two = (bench.make_job(bench.CASES["lncrna"], **settings, seed=seed) for seed in (1, 2))
    assert one.tokenized.lengths.tolist() != two.tokenized.lengths.tolist()


@pytest.mark.slow
def test_report_and_exit_status(bench, tmp_path, capsys):
    path = tmp_path / "results.json"
    arguments = ["--case", "lncrna", "--device", "cpu", "--threads", "1", "--repeats", "1"]
    status = bench.main([*arguments, "--steps", str(STEPS), "--json", str(path)])
    report = json.loads(path.read_text())
    (case,) = report["cases"]
    ours, plain = case["ours"], case["plain"]
    assert case["ratio"] == pytest.approx(
        ours["examples_per_second"] / plain["examples_per_second"]
    )
    assert ours["padding_share"] < plain["padding_share"] and ours["peak_memory_mb"] > 0
    missed = case["ratio"] < bench.TARGETS_CPU_SMALL["lncrna"]["ratio"]
    assert status == int(missed) and report["missed"] == missed * ["lncrna: ratio"]
    assert "target ratio 1.5" in capsys.readouterr().out
