"""The training loop's arithmetic."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from nucleotune.errors import InputError
from nucleotune.models.adapters import add_lora
from nucleotune.models.heads import ConvHead
from nucleotune.models.load import build_classifier
from nucleotune.profile_contracts import ProfileExamples
from nucleotune.sequence.kmers import encode_kmers
from nucleotune.sequence.token_windows import undivided
from nucleotune.training import batches
from nucleotune.training import trainer as trainer_module
from nucleotune.training.compute import forward, predict_logits, resolve_device
from nucleotune.training.kinds.classes import ClassLearner
from nucleotune.training.kinds.profiles import ProfileLearner
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
}
PROFILES = {
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "patience": 10,
    "profile_weight": 0.8,
    "count_weight": 0.2,
    "save_minutes": 10,
}
METHOD = {
    "title": "tiny method",
    "train_splits": ["train"],
    "adaptation": "full",
    "lora": {"rank": 2, "alpha": 2, "dropout": 0.0},
    "view": "transcript",
    "truncation": "right",
}
SPLIT = ["train"] * 30 + ["valid"] * 10


@pytest.fixture(autouse=True)
def one_thread():
    resolve_device("cpu", 1)


def make_examples(n=40, seed=0):
    rng = np.random.default_rng(seed)
    sequences = ["".join(rng.choice(list("ACGT"), rng.integers(5, 126))) for _ in range(n)]
    ids, labels = list(map(str, range(n))), rng.integers(0, 2, n)
    columns = {"id": ids, "sequence": sequences, "label": labels, "split": SPLIT, "group": ids}
    return pd.DataFrame(columns)


def make_trainer(adaptation="full", family="bert", **changes):
    """A classifier."""
    method = METHOD | {"adaptation": adaptation, "training": TRAINING | changes}
    model = MODEL | {"family": family, "max_tokens": 127}  # ESM has one position less
    if family == "dnabert2":
        sizes = MODEL["architecture"].items()
        model["architecture"] = {k: v for k, v in sizes if k != "max_position_embeddings"}
    learner = ClassLearner(make_examples(), method=method, model=model, seed=1, device=CPU)
    return Trainer(learner, seed=1)


def make_profile_trainer(network=None, **changes):
    """BPNet, or another network on one-hot sequences."""
    rng = np.random.default_rng(1)
    ids = list(map(str, range(40)))
    table = pd.DataFrame({"id": ids, "split": SPLIT, "group": ids, "seqname": "I", "strand": "+"})
    table["sequence"] = ["".join(rng.choice(list("ACGT"), 20)) for _ in ids]
    examples = ProfileExamples(
        table.assign(start=0, end=20), rng.poisson(2.0, (40, 2, 20)), ("ypd", "gal")
    )
    sizes = {"filters": 8, "layers": 2, "first_kernel": 3, "profile_kernel": 5}
    method = {"title": "tiny", "network": "bpnet", "adaptation": None, "faithful": False}
    method |= {"sizes": sizes, "training": PROFILES | changes}
    learner = ProfileLearner(examples, method=method, model=None, seed=1, device=CPU)
    learner.network = network or learner.network
    return Trainer(learner, seed=1)


KINDS = pytest.mark.parametrize("make", [make_trainer, make_profile_trainer])


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
    trainer = make_trainer("frozen")
    trainer.run(lambda state: None)
    head = {f"{n}.{k}" for n in ("bert.pooler.dense", "classifier") for k in ("weight", "bias")}
    assert set(trainer.state()["best"]) == head
    assert all(
        p.grad is None for n, p in trainer.learner.network.named_parameters() if n not in head
    )


def test_accumulated_gradient_is_that_of_the_batch_mean(monkeypatch):
    """Micro-batches of unequal size against one padded forward pass of the whole batch."""
    trainer = make_trainer()
    batch = np.arange(8)
    lengths = trainer.learner.windows.lengths
    assert len({len(part) for part in batches.micro_batches(batch, lengths, 10_000)}) > 1

    reference = build_classifier(MODEL, seed=1)
    logits = forward(reference, trainer.learner.windows, batch, CPU)
    loss = cross_entropy(logits, torch.from_numpy(trainer.learner.targets[batch]))
    loss.backward()

    monkeypatch.setattr(trainer.optimizer, "step", lambda: None)
    monkeypatch.setattr(trainer.optimizer, "zero_grad", lambda: None)
    trainer._step(batch)
    trainer.progress.step += 1
    tally, _ = trainer._tally(told_to_stop=False)
    assert tally.sums["loss"] / 8 == pytest.approx(loss.item(), rel=1e-5)
    assert tally.examples == 8 and tally.tokens == lengths[:8].sum()
    for own, expected in zip(
        trainer.learner.network.parameters(), reference.parameters(), strict=True
    ):
        assert torch.allclose(own.grad, expected.grad, atol=1e-6)


@KINDS
def test_gradient_is_clipped_where_a_method_asks(monkeypatch, make):
    norms = []
    for limit in (1e-4, None):
        trainer = make(max_gradient_norm=limit)
        monkeypatch.setattr(trainer.optimizer, "zero_grad", lambda: None)
        trainer._step(np.arange(8))
        norms.append(torch.stack([p.grad.norm() for p in trainer.trained.values()]).norm().item())
    assert norms[0] == pytest.approx(1e-4, rel=1e-3) and norms[1] > 1e-3


@KINDS
def test_most_steps(make):
    trainer = make(max_steps=6)
    trainer.run(lambda state: None)
    assert [row["step"] for row in trainer.progress.rows] == [4, 4, 6, 6]


def test_predictions_do_not_depend_on_batching():
    examples = make_examples()
    tokenized = encode_kmers(examples["id"].tolist(), examples["sequence"].tolist(), k=3)
    classifier = build_classifier(MODEL, seed=1)
    order = np.random.default_rng(1).permutation(40)[:25]
    small, large = (
        predict_logits(
            classifier, undivided(tokenized), order, device=CPU, budget=TokenBudget(tokens)
        )
        for tokens in (128, 100_000)
    )
    alone = [forward(classifier, tokenized, np.array([i]), CPU).detach().numpy()[0] for i in order]
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


@KINDS
def test_saves_by_time_and_at_the_end_and_reports_progress(caplog, make):
    """No evaluation makes a state; the last one holds what is left to do: the best weights, for predictions."""
    caplog.set_level("INFO")
    saved, often = [], []
    trainer = make()
    trainer.run(saved.append)
    make(save_minutes=1e-9).run(often.append)
    assert [state["step"] for state in saved] == [12]
    assert [state["step"] for state in often] == list(range(1, 13))
    assert set(often[10]) - set(saved[0]) == {"weights", "optimizer"}
    assert "step 12/12: training loss" in caplog.text
    sums = dict.fromkeys(trainer.learner.parts, 8.0)
    trainer._log(Tally(sums, examples=8), Tally(examples=40, seconds=0.5))
    assert "step 12/12: loss 1.0000, 80.0 examples/s, at most 0:00 min left" in caplog.text


def test_total_padding_is_bounded():
    trainer = make_trainer()
    trainer.run(lambda state: None)
    total = trainer.progress.total
    assert total.examples == 90 and total.tokens == 3 * trainer.learner.windows.lengths[:30].sum()
    assert 0 < total.padding_share <= batches.MAX_PADDING


def test_progress_survives_a_round_trip():
    from dataclasses import asdict

    progress = Progress(step=3, rows=[{"step": 3}], total=Tally({"loss": 1.5}, examples=2))
    assert Progress.from_dict(asdict(progress)) == progress


def test_device_defaults(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device(None, 1) == CPU
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


def out_of_memory_above(trainer, tokens):
    """Let the network behave like a GPU that has room for micro-batches of so many tokens."""
    network, sizes = trainer.learner.network, []
    original = network.forward

    def limited(*args, **inputs):
        (first,) = args or [inputs["input_ids"]]
        size = first.numel() if first.ndim == 2 else len(first) * first.shape[-1]
        sizes.append(size)
        if size > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory (pretended)")
        return original(*args, **inputs)

    network.forward = limited
    return sizes


@pytest.mark.parametrize(
    ("make", "begin", "room"), [(make_trainer, 1200, 300), (make_profile_trainer, 160, 40)]
)
def test_out_of_memory_halves_the_micro_batch_and_keeps_the_batch(caplog, make, begin, room):
    """The whole curve is that of a run whose micro-batches were small from the beginning."""
    whole, small, large = make(), make(), make()
    small.learner.budget.tokens, large.learner.budget.tokens = room, begin
    sizes = out_of_memory_above(large, room)
    for trainer in (whole, small, large):
        trainer.run(lambda state: None)
    assert large.learner.budget.tokens == room and max(sizes) > room
    assert caplog.text.count("out of GPU memory") == 2
    timed = ("examples_per_second", "padding_share", "peak_memory_mb")
    for expected, halved, at_once in zip(
        small.progress.rows, large.progress.rows, whole.progress.rows, strict=True
    ):
        for column in expected.keys() - timed:
            assert expected[column] == halved[column]
        assert halved["loss"] == pytest.approx(at_once["loss"], rel=1e-4)
    assert large.progress.total.examples == 3 * 30
    assert large.state()["processes"][0]["micro_batch_tokens"] == room


class Pooled(ConvHead):
    """A head with batch normalisation on (batch, channels, positions)."""

    def forward(self, signal):
        return super().forward(signal.transpose(1, 2))


def test_running_means_know_nothing_of_attempts_that_did_not_fit():
    """Each part of a batch is normalised by itself, and counted once."""
    torch.manual_seed(2)
    weights = Pooled(4, widths=(8,)).state_dict()
    trainers = []
    for begin in (40, 160):
        trainer = make_profile_trainer(Pooled(4, widths=(8,)))
        trainer.learner.network.load_state_dict(weights)
        trainer.learner.budget.tokens = begin
        trainers.append(trainer)
    small, large = trainers
    normalise, calls = large.learner.network.blocks[1].forward, []

    def full(signal):  # behind the normalisation: its means have moved by then
        calls.append(len(signal))
        found = normalise(signal)
        if len(signal) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory (pretended)")
        return found

    large.learner.network.blocks[1].forward = full
    for trainer in trainers:
        trainer._step(np.arange(8))
    assert calls == [8, 4, 2, 2, 2, 2]
    for name, buffer in small.learner.network.named_buffers():
        assert torch.equal(buffer, large.learner.network.get_buffer(name)), name
    assert large.learner.network.blocks[1].num_batches_tracked == 4


def test_out_of_memory_in_evaluation():
    trainer = make_trainer()
    out_of_memory_above(trainer, 200)
    logits = predict_logits(
        trainer.learner.network,
        trainer.learner.windows,
        np.arange(40),
        device=CPU,
        budget=trainer.learner.budget,
    )
    assert trainer.learner.budget.tokens <= 200 and np.isfinite(logits).all()


def test_out_of_memory_with_a_single_example():
    trainer = make_trainer()
    out_of_memory_above(trainer, 20)
    with pytest.raises(InputError, match="a single example of .* tokens. Ask for a GPU"):
        trainer.run(lambda state: None)


def test_the_moments_are_there_before_the_first_step():
    """And are those that AdamW makes for itself: the same training, to the last bit."""
    trainer, plain = make_trainer(), make_trainer()
    assert len(trainer.optimizer.state) == len(trainer.trained)
    plain.optimizer.state.clear()
    for one in (trainer, plain):
        one._step(np.arange(8))
    ours, theirs = (one.optimizer.state_dict()["state"] for one in (trainer, plain))
    assert ours.keys() == theirs.keys()
    for number, moments in theirs.items():
        for name, values in moments.items():
            assert torch.equal(ours[number][name], values)
            assert ours[number][name].dtype == values.dtype
            assert ours[number][name].stride() == values.stride()


class Waits(TorchDispatchMode):
    """Counts what would make the CPU wait for a GPU: numbers read back, and sizes that depend on values."""

    #: And copies into ordinary memory, which a CPU cannot tell from others.
    WAITING = ("_local_scalar_dense", "is_nonzero", "nonzero", "equal", "masked_select", "unique")

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name.startswith(self.WAITING):
            self.found.append(name)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", ["bert", "esm", "dnabert2"])
def test_a_step_on_padded_batches_waits_for_nothing(family):
    trainer = make_trainer(family=family)
    batch = trainer.learner.batches(1, 0)[0]
    sizes = trainer.learner.sizes[batch]
    assert len(set(sizes.tolist())) > 1, "padded"
    trainer._step(batch)
    with Waits() as waits:
        trainer._step(batch)
    assert not waits.found
    trainer.progress.step += 2
    with Waits() as waits:
        trainer._tally(told_to_stop=False)
    assert waits.found, "the look at the results, every few steps"


def test_a_step_on_profiles_waits_for_nothing():
    trainer = make_profile_trainer(max_gradient_norm=1.0)
    trainer._step(np.arange(8))
    with Waits() as waits:
        trainer._step(np.arange(8))
    assert not waits.found


@KINDS
def test_rare_looks_change_nothing_but_the_log(monkeypatch, make):
    """What a GPU run does: several steps between two looks at the results."""
    often, rarely = make(), make()
    often.run(lambda state: None)
    monkeypatch.setitem(trainer_module.LOOK_EVERY, "cpu", 3)
    rarely.run(lambda state: None)
    assert rarely.progress.total.examples == often.progress.total.examples == 90
    for rows in zip(often.progress.rows, rarely.progress.rows, strict=True):
        assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-12)
