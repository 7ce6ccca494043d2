"""The training loop's arithmetic."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from nucleotune.errors import InputError
from nucleotune.models.adapters import add_lora, freeze_encoder
from nucleotune.models.load import build_classifier
from nucleotune.sequence.kmers import encode_kmers
from nucleotune.training import batches
from nucleotune.training import trainer as trainer_module
from nucleotune.training.compute import forward, predict_logits, resolve_device
from nucleotune.training.memory import TokenBudget
from nucleotune.training.trainer import (
    Progress,
    Tally,
    Trainer,
    learning_rate,
    parameter_groups,
)

CPU = torch.device("cpu")
MODEL = {
    "title": "tiny",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 128,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 128,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    },
    "parameters": None,
}
TRAINING = {
    "epochs": 3,
    "max_steps": None,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "weight_decay": 0.01,
    "warmup_share": 0.0,
    "warmup_steps": None,
    "max_gradient_norm": 1e9,
    "evaluations_per_epoch": 1,
    "patience": 10,
    "micro_batch_tokens": 10_000,
    "save_minutes": 10,
    "on_collapse": "stop",
}


@pytest.fixture(autouse=True)
def one_thread():
    resolve_device("cpu", 1)


def make_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    sequences = ["".join(rng.choice(list("ACGT"), rng.integers(5, 126))) for _ in range(n)]
    return encode_kmers(list(map(str, range(n))), sequences, k=3), rng.integers(0, 2, n)


def make_trainer(**changes):
    tokenized, labels = make_data()
    return Trainer(
        build_classifier(MODEL, seed=1),
        tokenized,
        labels,
        train=np.arange(30),
        valid=np.arange(30, 40),
        training=TRAINING | changes,
        seed=1,
        device=CPU,
    )


@pytest.mark.parametrize("warmup", [0, 1, 10, 100])
def test_learning_rate(warmup):
    rates = [learning_rate(step, steps=100, warmup=warmup, peak=2.0) for step in range(1, 101)]
    assert max(rates) == 2.0 or warmup == 0
    assert all(0 < rate <= 2.0 for rate in rates)
    rise, fall = np.diff(rates)[: max(0, warmup - 1)], np.diff(rates)[warmup:]
    assert np.allclose(rise, 2.0 / max(1, warmup)) and np.allclose(fall, -2.0 / (101 - warmup))
    if warmup < 100:
        assert rates[-1] == pytest.approx(2.0 / (101 - warmup))


def test_weight_decay_spares_biases_and_layer_norms():
    classifier = build_classifier(MODEL, seed=1)
    names = {id(p): name for name, p in classifier.named_parameters()}
    decayed, spared = (
        {names[id(p)] for p in group["params"]} for group in parameter_groups(classifier, 0.01)
    )
    assert spared == {n for n in names.values() if n.endswith("bias") or "LayerNorm" in n}
    assert decayed | spared == set(names.values())
    adapted = add_lora(classifier, ["attention.self.query"], rank=2, alpha=2, dropout=0.0, seed=1)
    assert sum(len(group["params"]) for group in parameter_groups(adapted, 0.01)) == 2 * 2


def test_frozen_weights_have_no_gradient_and_no_place_in_the_state():
    tokenized, labels = make_data()
    trainer = Trainer(
        freeze_encoder(build_classifier(MODEL, seed=1)),
        tokenized,
        labels,
        train=np.arange(30),
        valid=np.arange(30, 40),
        training=TRAINING,
        seed=1,
        device=CPU,
    )
    trainer.run(lambda state: None)
    head = {f"{n}.{k}" for n in ("bert.pooler.dense", "classifier") for k in ("weight", "bias")}
    assert set(trainer.state()["weights"]) == head
    assert all(p.grad is None for n, p in trainer.classifier.named_parameters() if n not in head)


def test_accumulated_gradient_is_that_of_the_batch_mean(monkeypatch):
    """Micro-batches of unequal size against one padded forward pass of the whole batch."""
    trainer = make_trainer()
    batch = np.arange(8)
    lengths = trainer.tokenized.lengths
    assert len({len(part) for part in batches.micro_batches(batch, lengths, 10_000)}) > 1

    reference = build_classifier(MODEL, seed=1)
    logits, _ = forward(reference, trainer.tokenized, batch, CPU)
    loss = cross_entropy(logits, torch.from_numpy(trainer.labels[batch]))
    loss.backward()

    monkeypatch.setattr(trainer.optimizer, "step", lambda: None)
    monkeypatch.setattr(trainer.optimizer, "zero_grad", lambda: None)
    trainer._step(batch)
    trainer.progress.step += 1
    tally, _ = trainer._tally(told_to_stop=False)
    assert tally.loss / 8 == pytest.approx(loss.item(), rel=1e-5)
    assert tally.examples == 8 and tally.tokens == lengths[:8].sum()
    for own, expected in zip(trainer.classifier.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(own.grad, expected.grad, atol=1e-6)


def test_gradient_is_clipped(monkeypatch):
    trainer = make_trainer(max_gradient_norm=1e-4)
    monkeypatch.setattr(trainer.optimizer, "zero_grad", lambda: None)
    trainer._step(np.arange(8))
    norm = torch.stack([p.grad.norm() for p in trainer.classifier.parameters()]).norm()
    assert norm.item() == pytest.approx(1e-4, rel=1e-3)


def test_predictions_do_not_depend_on_batching():
    tokenized, _ = make_data()
    classifier = build_classifier(MODEL, seed=1)
    order = np.random.default_rng(1).permutation(40)[:25]
    small, large = (
        predict_logits(classifier, tokenized, order, device=CPU, budget=TokenBudget(tokens))
        for tokens in (128, 100_000)
    )
    alone = [
        forward(classifier, tokenized, np.array([i]), CPU)[0].detach().numpy()[0] for i in order
    ]
    assert np.allclose(small, large, atol=1e-5) and np.allclose(small, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(1, [4, 8, 12]), (2, [2, 4, 6, 8, 10, 12]), (3, [2, 3, 4, 6, 7, 8, 10, 11, 12])],
)
def test_evaluations_per_epoch(share, expected):
    trainer = make_trainer(
        evaluations_per_epoch=share
    )  # 30 examples in batches of 8: 4 steps an epoch
    due = []
    for step in range(1, 13):
        trainer.progress.step = step
        due += [step] * trainer._evaluation_due()
    assert due == expected


def test_saves_at_every_evaluation_and_reports_progress(caplog):
    caplog.set_level("INFO")
    saved = []
    trainer = make_trainer()
    trainer.run(saved.append)
    assert [state["step"] for state in saved] == [4, 8, 12]
    assert "step 12/12: training loss" in caplog.text
    trainer.progress.total.seconds = 1.0
    trainer._log(Tally(loss=8.0, examples=8), Tally(examples=40, seconds=0.5))
    assert "step 12/12: loss 1.0000, 80.0 examples/s, at most 0:00 min left" in caplog.text


def test_total_padding_is_bounded():
    trainer = make_trainer()
    trainer.run(lambda state: None)
    total = trainer.progress.total
    assert total.examples == 90 and total.tokens == 3 * trainer.tokenized.lengths[:30].sum()
    assert 0 < total.padding_share <= batches.MAX_PADDING


def test_progress_survives_a_round_trip():
    from dataclasses import asdict

    progress = Progress(step=3, rows=[{"step": 3}], total=Tally(loss=1.5, examples=2))
    assert Progress.from_dict(asdict(progress)) == progress


def test_device_defaults(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device(None, 1) == CPU
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


def out_of_memory_above(trainer, tokens):
    """Let the classifier behave like a GPU that has room for micro-batches of so many tokens."""
    original, sizes = trainer.classifier.forward, []

    def limited(input_ids, **inputs):
        sizes.append(input_ids.numel())
        if input_ids.numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory (pretended)")
        return original(input_ids=input_ids, **inputs)

    trainer.classifier.forward = limited
    return sizes


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_batch(caplog):
    """The whole curve is that of a run whose micro-batches were small from the beginning."""
    small, large = make_trainer(micro_batch_tokens=300), make_trainer(micro_batch_tokens=1200)
    sizes = out_of_memory_above(large, 300)
    for trainer in (small, large):
        trainer.run(lambda state: None)
    assert large.budget.tokens == 300 and max(sizes) > 300
    assert caplog.text.count("out of GPU memory") == 2
    for rows in zip(small.progress.rows, large.progress.rows, strict=True):
        for column in ("step", "loss", "accuracy", "learning_rate"):
            assert rows[0][column] == rows[1][column]
    assert large.progress.total.examples == 3 * 30
    assert large.state()["processes"][0]["micro_batch_tokens"] == 300


def test_out_of_memory_in_evaluation():
    trainer = make_trainer()
    out_of_memory_above(trainer, 200)
    logits = predict_logits(
        trainer.classifier, trainer.tokenized, np.arange(40), device=CPU, budget=trainer.budget
    )
    assert trainer.budget.tokens <= 200 and np.isfinite(logits).all()


def test_out_of_memory_with_a_single_example():
    trainer = make_trainer()
    out_of_memory_above(trainer, 20)
    with pytest.raises(InputError, match="a single example of .* tokens. Ask for a GPU"):
        trainer.run(lambda state: None)


def test_rare_looks_change_nothing_but_the_log(monkeypatch):
    """What a GPU run does: several steps between two looks at the results."""
    often, rarely = make_trainer(), make_trainer()
    often.run(lambda state: None)
    monkeypatch.setitem(trainer_module.LOOK_EVERY, "cpu", 3)
    rarely.run(lambda state: None)
    assert rarely.progress.total.examples == often.progress.total.examples == 90
    for rows in zip(often.progress.rows, rarely.progress.rows, strict=True):
        assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-12)
        assert rows[0]["accuracy"] == rows[1]["accuracy"]
