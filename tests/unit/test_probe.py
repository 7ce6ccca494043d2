"""Rivals of a language model that are made of it: its probe, and the same network without pre-training."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from test_finetune import make_checkpoint, make_method, stand_in
from test_finetune import make_examples as two_classes
from test_train_kinds import NAMES, make_examples, run

from nucleotune.baselines.base import probability
from nucleotune.baselines.targets import table_of
from nucleotune.errors import InputError
from nucleotune.models.load import load_model, load_pretrained
from nucleotune.models.probe import Probe
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.plugins import load_method
from nucleotune.predict import predict
from nucleotune.tasks import task_of
from nucleotune.training.batches import collate
from nucleotune.training.kinds import learner_class
from nucleotune.training.kinds.classes import scores


def probe(c_grid=(0.01, 1.0), **training):
    settings = {"micro_batch_tokens": 512, "on_collapse": "keep", "save_minutes": 10, **training}
    method = make_method(adaptation="probe", probe={"c_grid": list(c_grid)})
    return method | {"training": settings}


@pytest.mark.parametrize("kind", NAMES)
def test_a_probe_of_each_kind_learns_and_predicts_again(tmp_path, kind, training_seed):
    """Even random embeddings tell composition; what is written predicts the same elsewhere."""
    result = run(tmp_path, kind, seed=training_seed, method=probe())
    learner_class(kind).write(tmp_path / "p.parquet", result.predictions)
    found = task_of(kind).read_predictions(tmp_path / "p.parquet")
    examples = make_examples(kind)
    assert found["id"].tolist() == examples["id"].tolist()
    summary = result.summary
    assert summary["steps"] == 0 and summary["probe"]["c"] in (0.01, 1.0)
    assert summary["parameters"]["trainable"] == len(NAMES[kind]) * 33  # 32 hidden units and one
    again = predict(
        tmp_path / "run",
        examples[["id", "sequence"]].itertuples(index=False),
        device="cpu",
        threads=1,
    )
    test = found["split"] == "test"
    if kind == "classes":
        shares = again[[f"score:{name}" for name in NAMES[kind]]].to_numpy()
        np.testing.assert_allclose(shares, found[[f"score:{k}" for k in range(4)]], atol=1e-4)
        assert (found["predicted"] == found["label"])[test].mean() > 0.4  # by chance 0.25
        return
    for name in NAMES[kind]:
        column, known = (
            f"predicted:{name}",
            test & found[f"{'label' if kind == 'labels' else 'value'}:{name}"].notna(),
        )
        value = found[f"{'label' if kind == 'labels' else 'value'}:{name}"][known].astype(float)
        if kind == "labels":
            assert (found[column][known] == value).mean() > 0.65
        else:
            np.testing.assert_allclose(again[column], found[column], rtol=1e-3)
            assert np.mean((value - found[column][known]) ** 2) < 0.8 * value.var()


@pytest.mark.parametrize("name", ["dnabert-6", "dnabert-2", "nt-500m-human"])
def test_a_probe_is_a_regression_on_mean_embeddings_of_the_published_encoder(tmp_path, name):
    model, examples = stand_in(name), two_classes()
    checkpoint = make_checkpoint(tmp_path, model)
    given = {"model": model, "checkpoint": checkpoint, "labels": ("0", "1"), "examples": examples}
    result = run(tmp_path, "classes", method=probe(c_grid=[0.1]), **given)
    published, _ = load_pretrained(model, checkpoint, seed=9)
    tokenizer = make_tokenizer(model, checkpoint)
    rows = examples[examples["split"] != "pretrain"]
    tokens = tokenizer.encode(rows["id"].tolist(), rows["sequence"].tolist(), "right")
    ids, mask = collate(tokens, np.arange(len(rows)), torch.device("cpu"))
    with torch.inference_mode():
        hidden = published.eval().base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    mask = torch.ones(ids.shape) if mask is None else mask
    mean = ((hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)).double().numpy()
    train = (rows["split"] == "train").to_numpy()
    scaled = (mean - mean[train].mean(0)) / mean[train].std(0)
    expected = LogisticRegression(C=0.1, max_iter=1000).fit(scaled[train], rows["label"][train])
    found = result.predictions.set_index("id").loc[rows["id"], "score"]
    np.testing.assert_allclose(found, expected.predict_proba(scaled)[:, 1], atol=2e-3)

    assert result.summary["load"]["new"] == ["classifier.weight", "classifier.bias"]
    shutil.rmtree(checkpoint)
    loaded, description = load_model(tmp_path / "run")
    assert isinstance(loaded, Probe) and not any("pooler" in key for key in loaded.state_dict())
    assert description["base"]["hub"] == model["checkpoint"]["hub"]
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["architectures"][0].endswith("Model")
    test = rows[rows["split"] == "test"][["id", "sequence"]]
    again = predict(tmp_path / "run", test.itertuples(index=False), device="cpu", threads=1)
    np.testing.assert_allclose(again["score"], found.loc[test["id"]], atol=1e-4)


def test_random_weights_take_the_tokenizer_and_nothing_else(tmp_path):
    examples = two_classes(n=60)
    training = {"epochs": 1, "learning_rate": 1e-12, "on_collapse": "keep"}

    def trained(name, seed, **keys):
        model = stand_in(name)
        checkpoint = make_checkpoint(tmp_path / f"{name}{seed}", model, seed=seed)
        result = run(
            tmp_path,
            "classes",
            name=f"run-{name}{seed}{len(keys)}",
            method=make_method(training=training, **keys),
            model=model | {"architecture": None},
            checkpoint=checkpoint,
            examples=examples,
            labels=("0", "1"),
        )
        assert (result.summary["load"] is None) == bool(keys)
        return result.predictions["score"].to_numpy()

    random = {"weights": "random"}
    assert np.array_equal(*(trained("dnabert-6", seed, **random) for seed in (1, 2)))
    assert not np.array_equal(*(trained("dnabert-6", seed) for seed in (1, 2)))
    description = json.loads((tmp_path / "run-dnabert-611/nucleotune.json").read_text())
    assert description["base"] is None and description["method"]["weights"] == "random"
    assert (
        len(np.unique(trained("dnabert-2", 1, **random))) > 1
    )  # its tokenizer is in the checkpoint


def test_methods_that_contradict_themselves(tmp_path):
    folder = tmp_path / "methods"
    folder.mkdir()
    start = "title: X\nkind: language_model\nmodel: dnabert-6-tiny\n"
    for text, message in (
        ("adaptation: probe\ntraining: {}\n", "key 'probe' is required"),
        ("adaptation: probe\nprobe: {c_grid: [0]}\ntraining: {}\n", "probe.c_grid.0"),
        ("training: {epochs: 1}\n", "key 'training.batch_size' is required"),
        (
            "probe: {c_grid: [1]}\ntraining: {epochs: 1, batch_size: 1, learning_rate: 1}\n",
            "key 'probe' belongs to adaptation 'probe', found 'full'",
        ),
        (
            "weights: random\nstart_from: y\ntraining: {epochs: 1, batch_size: 1, learning_rate: 1}\n",
            "weights 'random' and start_from 'y' contradict each other",
        ),
    ):
        (folder / "x.yaml").write_text(start + text)
        with pytest.raises(InputError, match=message):
            load_method("x", [tmp_path])


def test_a_probe_without_rows_to_choose_by(tmp_path):
    examples = make_examples("labels")
    valid = examples["split"] == "valid"
    examples = pd.concat([examples[~valid], examples[valid].iloc[:1]])
    for name in NAMES["labels"]:
        examples.loc[examples["split"] == "valid", f"label:{name}"] = np.nan
    with pytest.raises(InputError, match="needs validation examples with known labels"):
        run(tmp_path, "labels", method=probe(), examples=examples)


def test_one_half_is_yes_whatever_the_method():
    """Language models and baselines decide alike."""
    half = {"labels": {"0": "x"}, "task": "labels"}
    decided = [
        scores(np.array([[0.3, 0.3]]))[1],
        learner_class("labels").decode(np.array([[0.0]]), half)["predicted:x"],
        probability(np.array([0.5])),
        table_of(np.array([[0.5]]), "labels", ["x"])["predicted:x"].to_numpy(),
    ]
    assert [int(one[0]) for one in decided] == [1, 1, 1, 1]
