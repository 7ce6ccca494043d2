"""What only a GPU can show: `python -m pytest -m gpu`."""

import time

import numpy as np
import pytest
import torch
from test_attention_capture import make_classifier, make_content, make_tokenized
from test_finetune import make_method, run
from test_trainer import make_trainer

from nucleotune.attention.capture import attention_sums
from nucleotune.predict import predict
from nucleotune.training.compute import resolve_device
from nucleotune.training.trainer import Trainer

pytestmark = pytest.mark.gpu


@pytest.fixture
def gpu():
    yield resolve_device("cuda", 1)
    resolve_device("cpu", 1)


def on(device, **changes):
    trainer = make_trainer(**changes)
    learner = trainer.learner
    learner.device, learner.network = device, learner.network.to(device)
    return Trainer(learner, seed=1)


def test_a_training_says_where_it_was_and_its_model_says_the_same_on_the_cpu(tmp_path, gpu):
    result = run(tmp_path, device="cuda", method=make_method(training={"on_collapse": "keep"}))
    summary, table = result.summary, result.predictions
    assert summary["device"] == "cuda" and summary["gpu"]["name"] and summary["gpu"]["driver"]
    assert "cudnn" not in summary["gpu"]["attention"]
    from test_finetune import make_examples

    sequences = make_examples().set_index("id")["sequence"]
    records = [(name, sequences[name]) for name in table["id"]]
    again = predict(tmp_path / "run", records, device="cpu", threads=1)
    assert np.allclose(again["score"], table["score"], atol=2e-2)
    assert table["score"].nunique() > 0.95 * table["id"].nunique()


@pytest.mark.parametrize("family", ["bert", "esm", "dnabert2"])
def test_a_step_waits_for_nothing(gpu, family):
    trainer = on(gpu, family=family)
    for batch in trainer.learner.batches(1, 0):
        trainer._step(batch)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in trainer.learner.batches(1, 1):
            trainer._step(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_new_shape_costs_no_more_than_a_known_one(gpu):
    """With cuDNN's attention, half a second each."""
    trainer = on(gpu)
    batches = [np.arange(i, i + 8) for i in range(20)]
    seconds = []
    trainer._step(np.arange(8))
    for _ in range(2):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for batch in batches:
            trainer._step(batch)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    assert seconds[0] < 1.5 * seconds[1] + 0.2


def test_attention_statistics_are_those_of_the_cpu(gpu):
    tokenized = make_tokenized("bert")
    content = make_content(tokenized)
    found = [
        attention_sums(make_classifier("bert").to(device), tokenized, content, content[:, None])
        for device in ("cpu", gpu)
    ]
    for one, other in zip(*(vars(each).values() for each in found), strict=True):
        assert np.allclose(one, other, rtol=1e-5, atol=1e-6)
