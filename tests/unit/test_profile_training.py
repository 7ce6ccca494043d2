"""Profile models: published sizes, what they learn, what they write, how they survive, and what attribution calls."""

import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch

from nucleotune.errors import InputError
from nucleotune.evaluation.profile_intervals import compare_profiles
from nucleotune.files import write_json
from nucleotune.models.checkpoints import prepare_checkpoint
from nucleotune.models.profile import build_profile_model, load_profile_model
from nucleotune.models.profile_networks import one_hot, spread_kmers
from nucleotune.models.standins import write_standin
from nucleotune.plugins import load_model
from nucleotune.predict import predict
from nucleotune.profile_contracts import (
    ProfileExamples,
    check_profile_predictions,
    write_profile_predictions,
)
from nucleotune.schemas import read_schema, validate
from nucleotune.stages import ROOT
from nucleotune.training.fit import fit
from nucleotune.training.gates import Diverged, check_learned
from nucleotune.training.kinds.profiles import ProfileLearner, predict_profiles
from nucleotune.training.profile_loss import log_coefficients
from nucleotune.training.state import STATE
from nucleotune.training.trainer import Trainer
from nucleotune.yaml_files import read_yaml

TRACKS = ("ypd", "gal")
LENGTH = 80
SITE = np.array([12, 15, 16])  # nucleotides from the motif's first to the sites, and
SHARES = np.array([0.2, 0.5, 0.3])  # what each gets of the reads


def make_examples(n=200, length=LENGTH, seed=0):
    """TATATA at some place; reads behind it."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("ACG"), (n, length))
    counts = np.zeros((n, 2, length), dtype=int)
    for i, at in enumerate(rng.integers(5, length - 25, n)):
        letters[i, at : at + 6] = list("TATATA")
        for track, depth in enumerate((60, 30)):
            counts[i, track, at + SITE] = rng.multinomial(rng.poisson(depth), SHARES)
    table = pd.DataFrame(
        {
            "id": [f"g{i}" for i in range(n)],
            "sequence": ["".join(row) for row in letters],
            "split": np.repeat(
                ["train", "valid", "test"], [int(0.6 * n), n // 5, n - n // 5 - int(0.6 * n)]
            ),
            "group": [f"g{i}" for i in range(n)],
            "seqname": "I",
            "start": 0,
            "end": length,
            "strand": "+",
        }
    )
    return ProfileExamples(table, counts, TRACKS)


def shipped(name, **changes):
    """A method file as the workflow gives it to a training, with some values changed in its blocks."""
    path = ROOT / "config" / "methods" / f"{name}.yaml"
    method = validate(read_yaml(path), read_schema("profile_model"), path)
    for key, value in changes.items():
        method[key] = method[key] | value if isinstance(value, dict) else value
    return method


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The tiny SpeciesLM and its checkpoint."""
    folder = tmp_path_factory.mktemp("specieslm")
    model = load_model("specieslm-tiny", [ROOT / "config"])
    files = write_standin(model, folder / "published", seed=1)
    prepare_checkpoint("specieslm-tiny", model, files, folder / "checkpoint")
    return {"model": model, "checkpoint": folder / "checkpoint"}


def run(folder, method, examples=None, **arguments):
    defaults = {"model": None, "seed": 1, "threads": 1, "device": "cpu"}
    return fit(
        make_examples() if examples is None else examples,
        task="profiles",
        method=method,
        **(defaults | arguments),
        state_dir=folder / "state",
        output_dir=folder / "model",
    )


def test_published_parameter_counts(encoder):
    """Table 3 of the polyadenylation study: 110 K; 92.5 M, 2.4 M of them trained; 104 M, 13.8 M of them trained."""
    model = load_model("specieslm-downstream", [ROOT / "config"])
    # Its species token is found in the published vocabulary, which is not here; no parameter depends on it.
    without = model | {"tokenizer": model["tokenizer"] | {"species": None}}
    expected = {
        "bpnet": (111_428, 111_428),
        "specieslm-lora": (92_540_164, 2_373_892),
        "specieslm-frozen": (104_122_500, 13_847_044),
    }
    for name, counts in expected.items():
        method = shipped(name)
        with torch.device("meta"):
            built = build_profile_model(
                method, without if method["model"] else None, tracks=TRACKS, length=300, seed=0
            )
        assert tuple(built.parameters.values()) == counts, name
        assert method["model"] in (None, "specieslm-downstream")
        found = sum(p.numel() for p in built.model.network.parameters() if p.requires_grad)
        # LoRA's `bias: all` counts the biases of the language-modelling head, too, which no prediction uses.
        assert found == counts[1] - (768 + 768 + 5504 if name == "specieslm-lora" else 0)


def test_bpnet_learns_a_motif(tmp_path, training_seed):
    examples = make_examples()
    changes = {"filters": 16, "layers": 3, "profile_kernel": 15}
    method = shipped("bpnet-tiny", sizes=changes, training={"batch_size": 8})
    found = {
        "bpnet": run(tmp_path / "bpnet", method, seed=training_seed),
        "line": run(tmp_path / "line", shipped("average-profile")),
    }
    predictions = {name: {1: each.predictions} for name, each in found.items()}
    row = compare_profiles(predictions, "line", examples, resamples=100).iloc[0]
    assert row["ci_low"] > 0.5 and row["auprc_ci_low"] > 0.2 and row["loss_ci_high"] < 0
    for each in found.values():
        check_profile_predictions(each.predictions)
        assert each.predictions.table["id"].tolist() == examples.table["id"].tolist()
        assert each.predictions.profiles.shape == (200, 2, LENGTH)

    rows, summary = found["bpnet"].training_rows, found["bpnet"].summary
    assert list(rows.columns) == [
        *("step", "epoch", "split", "loss", "profile_loss", "count_loss"),
        *("learning_rate", "examples_per_second", "peak_memory_mb"),
    ]
    valid = rows[rows["split"] == "valid"]
    weighted = 0.8 * rows["profile_loss"] + 0.2 * rows["count_loss"]
    np.testing.assert_allclose(rows["loss"], weighted)
    assert summary["best_validation_loss"] == valid["loss"].min()
    assert summary["best_step"] == valid.loc[valid["loss"].idxmin(), "step"]
    assert summary["steps"] == valid["step"].iloc[-1] and not summary["resumed"]
    assert summary["examples"] == {"train": 120, "valid": 40, "test": 40}


def test_average_is_that_of_the_training_sequences(tmp_path):
    examples = make_examples(20)
    examples.counts[0, 0] = 0  # no reads: no profile
    result = run(tmp_path, shipped("average-profile"), examples)
    known = examples.counts[:12].astype(float)
    for track, genes in ((0, known[1:, 0]), (1, known[:, 1])):
        shapes = [gene / gene.sum() for gene in genes] + [np.full(LENGTH, 1 / LENGTH)]
        for profile in result.predictions.profiles[:, track]:
            np.testing.assert_allclose(profile, np.mean(shapes, axis=0), rtol=1e-5)
        totals = np.log1p(known[:, track].sum(axis=1))
        np.testing.assert_allclose(
            result.predictions.log_counts[:, track], totals.mean(), rtol=1e-6
        )
    assert result.training_rows["split"].tolist() == ["train", "valid"]
    assert result.summary["best_validation_loss"] == result.training_rows["loss"].iloc[1]


def short(name):
    """A training of one tiny method in a second."""
    sizes = {"filters": 8, "layers": 2, "profile_kernel": 9, "widths": [8]}
    return shipped(name, sizes=sizes, training={"epochs": 3, "batch_size": 16})


ENCODERS = ["specieslm-lora-tiny", "specieslm-frozen-tiny"]


@pytest.mark.parametrize("name", ["bpnet-tiny", "average-profile", *ENCODERS])
def test_model_directory_predicts_the_same(tmp_path, encoder, name):
    examples, method = make_examples(40), short(name)
    result = run(tmp_path, method, examples, **(encoder if method["model"] else {}))
    model = load_profile_model(tmp_path / "model")
    assert not model.network.training and model.tracks == TRACKS
    profiles, log_counts = predict_profiles(
        model, examples.table["sequence"].tolist(), device="cpu"
    )
    np.testing.assert_allclose(profiles, result.predictions.profiles, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(log_counts, result.predictions.log_counts, rtol=1e-4)
    assert model.description["method"] == method and model.description["seed"] == 1
    with pytest.raises(InputError, match="record 'x': 79 nt.*80 nt"):
        predict_profiles(model, ["A" * 79], ids=["x"])


def test_predictions_of_new_sequences_name_positions(tmp_path):
    trained = run(tmp_path, short("bpnet-tiny"))
    examples = make_examples()
    test = examples.table["split"] == "test"
    records = list(
        zip(examples.table.loc[test, "id"], examples.table.loc[test, "sequence"], strict=True)
    )
    found = predict(tmp_path / "model", iter(records))
    assert list(found) == ["id", "track", "position", "probability", "reads"]
    assert len(found) == len(records) * len(TRACKS) * LENGTH
    one = found[(found["id"] == records[3][0]) & (found["track"] == "gal")]
    row = trained.predictions.table["id"].tolist().index(records[3][0])
    np.testing.assert_allclose(one["probability"], trained.predictions.profiles[row, 1], rtol=1e-5)
    total = np.expm1(trained.predictions.log_counts[row, 1])
    assert one["reads"].sum() == pytest.approx(total, rel=1e-4)
    with pytest.raises(InputError, match="record 'x': 4 nt"):
        predict(tmp_path / "model", [("x", "ACGT")])


def test_directories_of_classifiers_are_refused(tmp_path):
    run(tmp_path, short("average-profile"), make_examples(20))
    write_json(tmp_path / "model" / "nucleotune.json", {"model": {}, "labels": {}})
    with pytest.raises(InputError, match="a classifier, not a model of profiles"):
        load_profile_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["bpnet-tiny", *ENCODERS])
def test_attribution_finds_its_entries(tmp_path, encoder, name):
    examples, method = make_examples(20), short(name)
    run(tmp_path, method, examples, **(encoder if method["model"] else {}))
    model = load_profile_model(tmp_path / "model")
    sequences = examples.table["sequence"].tolist()[:3]
    with torch.no_grad():
        logits, log_counts = model.network(model.inputs(sequences))
    assert logits.shape == (3, 2, LENGTH) and log_counts.shape == (3, 2)
    if method["model"] is None:
        assert torch.equal(model.inputs(sequences), one_hot(sequences))
        return
    embeddings = model.network.encoder.get_input_embeddings()(model.inputs(sequences))
    assert embeddings.shape == (3, 1 + 1 + LENGTH - 5 + 1, 64)


def test_frozen_encoder_keeps_its_weights(tmp_path, encoder):
    examples = make_examples(40)
    start = build_profile_model(
        short("specieslm-frozen-tiny"),
        encoder["model"],
        tracks=TRACKS,
        length=LENGTH,
        seed=1,
        checkpoint=encoder["checkpoint"],
    ).model.network
    for name, same in (("specieslm-frozen-tiny", True), ("specieslm-lora-tiny", False)):
        run(tmp_path / name, short(name), examples, **encoder)
        trained = load_profile_model(tmp_path / name / "model").network
        query = "encoder.layer.0.attention.self.query.weight"
        before, after = (each.encoder.state_dict()[query] for each in (start, trained))
        assert torch.equal(before, after) == same


def test_faithful_predicts_kmers(tmp_path, encoder):
    examples, method = make_examples(40), short("specieslm-frozen-tiny") | {"faithful": True}
    result = run(tmp_path, method, examples, **encoder)
    assert result.predictions.profiles.shape == (40, 2, LENGTH - 5)
    assert result.summary["positions"] == LENGTH - 5
    model = load_profile_model(tmp_path / "model")
    ids = model.inputs(examples.table["sequence"].tolist()[:2])
    with torch.no_grad():
        states = model.network.encoder(input_ids=ids).last_hidden_state
        hidden = model.network.hidden(input_ids=ids)
    assert torch.equal(hidden, states[:, 2:-1])  # [CLS], species and [SEP] are no k-mers


@pytest.mark.parametrize(("kmers", "k"), [(5, 3), (2, 6), (7, 1)])
def test_nucleotides_get_the_mean_of_their_kmers(kmers, k):
    states = torch.randn(2, kmers, 3)
    found = spread_kmers(states, k)
    assert found.shape == (2, kmers + k - 1, 3)
    for p in range(kmers + k - 1):
        covering = [j for j in range(kmers) if j <= p < j + k]
        assert torch.allclose(found[:, p], states[:, covering].mean(1), atol=1e-6)


def test_one_hot():
    found = one_hot(["ACGTN", "TTTTT"])
    assert found.shape == (2, 4, 5)
    assert torch.equal(found[0], torch.cat([torch.eye(4), torch.zeros(4, 1)], dim=1))
    assert found[1, 3].sum() == 5 and found[1].sum() == 5


@pytest.mark.parametrize("name", ["bpnet-tiny", *ENCODERS])
def test_equals_after_resume(tmp_path, encoder, name, monkeypatch):
    """A SIGTERM in the middle of an epoch; the process is asked to end, and the next call ends as if nothing was."""
    examples, method = make_examples(60), short(name)
    arguments = encoder if method["model"] else {}
    whole = run(tmp_path / "whole", method, examples, **arguments)

    step = Trainer._step

    def interrupted(trainer, batch):
        step(trainer, batch)
        if trainer.progress.step == 3:  # the first of three steps of the second epoch
            os.kill(os.getpid(), signal.SIGTERM)

    class Told(Exception):
        pass

    def note(number, frame):
        raise Told

    usual = signal.signal(signal.SIGTERM, note)
    monkeypatch.setattr(Trainer, "_step", interrupted)
    try:
        with pytest.raises(Told):
            run(tmp_path / "broken", method, examples, **arguments)
    finally:
        signal.signal(signal.SIGTERM, usual)
        monkeypatch.undo()
    assert (tmp_path / "broken" / "state" / STATE).is_file()
    assert not (tmp_path / "broken" / "model").exists()

    torch.manual_seed(99)
    resumed = run(tmp_path / "broken", method, examples, **arguments)
    assert resumed.summary["resumed_at_step"] == 4
    for folder, result in (("whole", whole), ("broken", resumed)):
        write_profile_predictions(tmp_path / folder / "predictions", result.predictions)
    assert (tmp_path / "whole/predictions").read_bytes() == (
        tmp_path / "broken/predictions"
    ).read_bytes()
    losses = ["step", "split", "loss", "profile_loss", "count_loss"]
    pd.testing.assert_frame_equal(whole.training_rows[losses], resumed.training_rows[losses])


def test_state_of_other_counts_is_not_resumed(tmp_path):
    examples, method = make_examples(40), short("bpnet-tiny")
    method["training"]["save_minutes"] = 1e-9
    run(tmp_path, method, examples)
    examples.counts[0, 0, 0] += 1
    assert not run(tmp_path, method, examples).summary["resumed"]
    assert run(tmp_path, method, examples).summary["resumed"]


def test_early_stop_keeps_the_best_weights(tmp_path):
    examples = make_examples(40)
    method = short("bpnet-tiny")
    method["training"] |= {"epochs": 40, "patience": 2, "learning_rate": 0.05}
    result = run(tmp_path, method, examples)
    valid = result.training_rows.query("split == 'valid'")["loss"].tolist()
    best = int(np.argmin(valid))
    assert result.summary["stopped_early"] and len(valid) == best + 3 < 40
    part = examples.table["split"] == "valid"
    profiles = result.predictions.profiles[part].astype(float)
    rest = -(examples.counts[part] * np.log(profiles)).sum(axis=2).mean()
    coefficient = log_coefficients(torch.from_numpy(examples.counts[part])).mean()
    expected = result.training_rows.query("split == 'valid'")["profile_loss"].iloc[best]
    assert rest - coefficient.item() == pytest.approx(expected, rel=1e-4)


def test_divergence_is_an_error(tmp_path):
    method = short("bpnet-tiny")
    method["training"]["learning_rate"] = 1e30
    with pytest.raises(Diverged, match="Lower training.learning_rate"):
        run(tmp_path, method, make_examples(40))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "encoder_conv"}, "needs a `model` and an `adaptation`"),
        ({"faithful": True}, "it has none"),
    ],
)
def test_methods_that_contradict_themselves(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, short("bpnet-tiny") | change, make_examples(20))


def test_models_that_cannot_read_all_positions(tmp_path, encoder):
    model = encoder["model"] | {"max_tokens": 40}
    with pytest.raises(InputError, match="reads 40 tokens, too few for 80 nt"):
        run(
            tmp_path,
            short("specieslm-frozen-tiny"),
            make_examples(20),
            **(encoder | {"model": model}),
        )
    other = model | {"tokenizer": {"kind": "single"}}
    with pytest.raises(InputError, match="overlapping k-mers"):
        run(tmp_path, short("specieslm-frozen-tiny"), make_examples(20), model=other)


def test_no_validation_sequences(tmp_path):
    examples = make_examples(20).of_splits(["train", "test"])
    with pytest.raises(InputError, match="needs examples of split 'valid'"):
        run(tmp_path, short("bpnet-tiny"), examples)


@pytest.mark.parametrize(("loss", "learnt_nothing"), [(9.9, False), (10.0, True), (99.0, True)])
def test_a_model_no_better_than_a_flat_profile_is_marked(loss, learnt_nothing, caplog):
    assert check_learned(loss, 10.0) == learnt_nothing
    assert ("learnt nothing" in caplog.text) == learnt_nothing


def test_a_loss_without_measure_stops(tmp_path):
    method = short("bpnet-tiny")
    method["training"] |= {"learning_rate": 5, "epochs": 2}
    with pytest.raises(Diverged, match="training diverged: best validation loss .* a flat profile"):
        run(tmp_path, method, make_examples(40))
    assert not (tmp_path / "model").exists()


def test_the_loss_of_a_flat_profile():
    examples = make_examples(4)
    examples.table["split"] = ["train", "valid", "test", "test"]
    examples.counts[:2] = 0
    examples.counts[0, :, :3] = [1, 1, 2]
    examples.counts[1, :, 5] = 3
    method, device = short("bpnet-tiny"), torch.device("cpu")
    learner = ProfileLearner(examples, method=method, model=None, seed=1, device=device)
    # Sequence 1 is judged: 3 reads at one place of many, and log 5 expected where log 4 is right.
    expected = 0.8 * 3 * np.log(LENGTH) + 0.2 * (np.log(5) - np.log(4)) ** 2
    assert learner.flat_loss() == pytest.approx(expected)
