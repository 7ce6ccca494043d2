"""Kinds of label from file to file: contracts, metrics.json, comparison.tsv."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from nucleotune.contracts import write_not_run
from nucleotune.errors import InputError
from nucleotune.tasks import KINDS, compared, metric_titles, task_of
from nucleotune.tasks.base import check_values

BOOTSTRAP = {"resamples": 60, "confidence": 0.95, "seed": 1}
N = 90
CLASSES, LABELS, TARGETS = ("mRNA", "lncRNA", "tRNA"), ("nucleus", "high, salt"), ("half life", "x")


def frame():
    """Ids, sequences, splits (a third each) and groups of three neighbours."""
    splits = np.repeat(["train", "valid", "test"], N // 3)
    groups = [f"g{i // 3}" for i in range(N)]
    return pd.DataFrame(
        {"id": [f"r{i}" for i in range(N)], "sequence": "ACGT", "split": splits, "group": groups}
    )


def truth(kind, classes=3):
    rng, table = np.random.default_rng(5), frame()
    if kind == "classes":
        return table.assign(label=np.arange(N) * 7 % classes)
    for name in LABELS if kind == "labels" else TARGETS:
        values = rng.integers(0, 2, N) if kind == "labels" else rng.normal(50, 10, N)
        column = f"{'label' if kind == 'labels' else 'value'}:{name}"
        table[column] = pd.Series(values, dtype=float).where(rng.random(N) > 0.1)
    return table.assign(source="mine")


def predicted(kind, noise, seed=0, classes=3):
    """Predictions of a method: the less noise, the better."""
    rng, examples = np.random.default_rng(seed), truth(kind, classes)
    table = examples[["id", "split"]].copy()
    if kind == "classes":
        table["label"] = examples["label"]
        logits = np.eye(classes)[table["label"]] + noise * rng.normal(size=(N, classes))
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table["predicted"] = scores.argmax(axis=1)
        if classes == 2:
            return table.assign(score=scores[:, 1])
        return table.assign(**{f"score:{k}": scores[:, k] for k in range(classes)})
    for name in LABELS if kind == "labels" else TARGETS:
        if kind == "labels":
            known = table[f"label:{name}"] = examples[f"label:{name}"]
            table[f"score:{name}"] = known.fillna(0.5) + noise * rng.normal(size=N)
            table[f"predicted:{name}"] = (table[f"score:{name}"] > 0.7).astype(int)
        else:
            known = table[f"value:{name}"] = examples[f"value:{name}"]
            table[f"predicted:{name}"] = known.fillna(50) + 10 * noise * rng.normal(size=N)
    return table


def write(folder, kind, classes=3, **methods):
    """Paths of examples and of predictions by method and seed."""
    task, paths = task_of(kind), {}
    own = {"classes": classes} if kind == "classes" else {}
    task.write_examples(folder / "examples.parquet", truth(kind, classes), **own)
    for method, noises in methods.items():
        for seed, noise in enumerate(noises, 1):
            path = folder / f"{method}{seed}.parquet"
            task.write_predictions(path, predicted(kind, noise, seed, classes))
            paths.setdefault(method, {})[seed] = path
    return folder / "examples.parquet", paths


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_files_come_back_as_written(tmp_path, kind):
    task = task_of(kind)
    examples, paths = write(tmp_path, kind, model=[0.5])
    pd.testing.assert_frame_equal(
        task.read_examples(examples), truth(kind), check_dtype=False, check_like=True
    )
    given = predicted(kind, 0.5, 1)
    found = task.read_predictions(paths["model"][1], splits=["test"])
    expected = given[given["split"] == "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_like=True)
    before = examples.read_bytes()
    write(tmp_path, kind, model=[0.5])
    assert examples.read_bytes() == before


def test_types_in_files(tmp_path):
    write(tmp_path, "labels", model=[0.5])
    schema = pq.read_schema(tmp_path / "examples.parquet")
    assert str(schema.field("label:nucleus").type) == "int8"
    assert pq.read_table(tmp_path / "examples.parquet")["label:nucleus"].null_count > 0
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "model1.parquet")}
    assert types["score:nucleus"] == "double" and types["predicted:nucleus"] == "int8"
    write(tmp_path, "classes", model=[0.5])
    columns = pq.read_schema(tmp_path / "model1.parquet").names
    assert columns == ["id", "split", "label", "predicted", "score:0", "score:1", "score:2"]


@pytest.mark.parametrize(
    "kind, column, value, message",
    [
        ("classes", "label", 3, "'label' must hold whole numbers from 0 to 2 only"),
        ("labels", "label:nucleus", 2, "record 'r4': label:nucleus must be 0, 1 or missing"),
        ("labels", "sequence", "ACGU", "record 'r4': sequence"),
        ("numbers", "value:x", np.inf, "record 'r4': value:x must be a finite number or missing"),
        ("numbers", "id", "r3", "id 'r3' occurs more than once"),
    ],
)
def test_broken_examples_are_not_written(tmp_path, kind, column, value, message):
    table = truth(kind)
    table.loc[4, column] = value
    own = {"classes": 3} if kind == "classes" else {}
    with pytest.raises(InputError, match=rf"e\.parquet: .*{message}"):
        task_of(kind).write_examples(tmp_path / "e.parquet", table, **own)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind, column, value, message",
    [
        ("classes", "predicted", 3, "'predicted' must hold whole numbers"),
        ("classes", "score:1", np.nan, "record 'r4': score:1 is not finite"),
        ("labels", "score:nucleus", np.nan, "record 'r4': score:nucleus is not finite"),
        ("labels", "predicted:nucleus", np.nan, "record 'r4': predicted:nucleus must be 0 or 1"),
        ("numbers", "predicted:x", np.inf, "record 'r4': predicted:x is not finite"),
    ],
)
def test_broken_predictions_are_not_written(tmp_path, kind, column, value, message):
    table = predicted(kind, 0.5)
    table[column] = table[column].astype(float)
    table.loc[4, column] = value
    with pytest.raises(InputError, match=message):
        task_of(kind).write_predictions(tmp_path / "p.parquet", table)


@pytest.mark.parametrize("kind, missing", [("classes", "score:1"), ("labels", "score:nucleus")])
def test_a_missing_column_is_named(tmp_path, kind, missing):
    with pytest.raises(InputError, match=missing):
        task_of(kind).write_predictions(
            tmp_path / "p.parquet", predicted(kind, 0.5).drop(columns=missing)
        )


def test_columns_without_names_or_values_are_refused(tmp_path):
    with pytest.raises(InputError, match="no column value:<name>"):
        task_of("numbers").write_examples(tmp_path / "e", frame())
    with pytest.raises(InputError, match="'value:y' has no value"):
        task_of("numbers").write_examples(
            tmp_path / "e", truth("numbers").assign(**{"value:y": None})
        )
    words = pd.DataFrame({"id": ["a", "b"], "value:x": ["1.5", "high"]})
    with pytest.raises(InputError, match="record 'b': value:x must be a number"):
        check_values(words, "value:x", "table", "a number", np.isfinite)


@pytest.mark.parametrize("kind, names", [("classes", CLASSES), ("labels", None), ("numbers", None)])
def test_metrics_json(tmp_path, kind, names):
    examples, paths = write(tmp_path, kind, model=[0.3, 0.4])
    found = task_of(kind).evaluate(
        examples, paths["model"], bootstrap=BOOTSTRAP, source="mine", names=names
    )
    json.dumps(found, allow_nan=False)
    assert (found["n_test"], found["seeds"]) == (N // 3, [1, 2])
    titles = metric_titles(kind, 3)
    assert list(found["splits"]["test"]) == list(titles) and found["main_metric"] in titles
    for entry in found["splits"]["test"].values():
        assert entry["ci_low"] <= entry["value"] <= entry["ci_high"] and "seed_sd" in entry
    assert found["splits"]["train"][found["main_metric"]]["ci_low"] is None
    listed, own = {"classes": ("classes", CLASSES), "labels": ("labels", LABELS)}.get(
        kind, ("targets", TARGETS)
    )
    assert tuple(found[listed]) == tuple(own) == tuple(found["parts"]["test"])
    for part in found["parts"]["test"].values():
        assert 0 < part["n"] <= N // 3
    if kind == "classes":
        assert list(found["confusion"]) == ["train", "valid", "test"]
        counts = np.array(found["confusion"]["test"]["2"])
        assert counts.sum() == N // 3 and np.trace(counts) > N / 6


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_comparison(tmp_path, kind):
    task = task_of(kind)
    examples, paths = write(tmp_path, kind, model=[0.2, 0.3], good=[1.0], poor=[3.0])
    write_not_run(tmp_path / "none.parquet", "RNAfold is not installed")
    paths["none"] = {1: tmp_path / "none.parquet"}
    found = task.compare(examples, paths, against=["good", "poor", "none"], bootstrap=BOOTSTRAP)
    assert found["method"].tolist() == ["model", "poor"] and set(found["against"]) == {"good"}
    main = compared(kind, 3)[0]
    model, poor = found[f"delta_{main}"]
    assert model > 0 > poor and found["ci_low"][0] > 0
    assert found["p_holm"].between(found["p"], 1).all()
    assert ("mcnemar_p" in found) == (kind == "classes")
    other = list(metric_titles(kind, 3))[-1]
    asked = {"main_metric": other, "pairs": [("model", "poor"), ("model", "none")]}
    found = task.compare(examples, paths, against=["good", "poor"], bootstrap=BOOTSTRAP, **asked)
    assert list(found)[2:7] == [f"delta_{other}", "ci_low", "ci_high", "p", "p_holm"]
    assert len(found) == 3 and found.iloc[2][["method", "against"]].tolist() == ["model", "poor"]
    with pytest.raises(InputError, match="main metric 'beauty'; expected one of"):
        task.compare(examples, paths, against=[], bootstrap=BOOTSTRAP, main_metric="beauty")


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_method_that_did_not_run_says_why(tmp_path, kind):
    write_not_run(tmp_path / "none.parquet", "RNAfold is not installed")
    found = task_of(kind).evaluate(
        "unread", {1: tmp_path / "none.parquet"}, bootstrap=BOOTSTRAP, source="mine"
    )
    assert found == {
        "not_run": "RNAfold is not installed",
        "n_test": None,
        "seeds": [],
        "splits": {},
    }
    with pytest.raises(InputError, match="not run: RNAfold"):
        task_of(kind).read_predictions(tmp_path / "none.parquet")


def test_cut_offs_of_two_classes_are_stated(tmp_path):
    examples, paths = write(tmp_path, "classes", 2, model=[0.4], other=[0.6])
    asked = {"bootstrap": BOOTSTRAP, "names": ["no", "yes"], "threshold": "validation"}
    task = task_of("classes")
    found = task.evaluate(examples, paths["model"], source="mine", chosen_by="f1", **asked)
    cut_off = found["threshold"].pop("cut_offs")["label"]["1"]
    assert found["threshold"] == {"chosen_on": "valid", "by": "f1"}
    test = predicted("classes", 0.4, 1, 2).query("split == 'test'")
    accuracy = ((test["score"] >= cut_off) == test["label"]).mean()
    assert found["splits"]["test"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert found["classes"] == ["no", "yes"] and "parts" not in found
    assert len(task.compare(examples, paths, against=["other"], **asked)) == 1
    with pytest.raises(InputError, match="threshold 'test'"):
        task.evaluate(examples, paths["model"], source="x", **asked | {"threshold": "test"})


def test_cut_offs_of_labels(tmp_path):
    examples, paths = write(tmp_path, "labels", model=[0.4, 0.5])
    asked = {"bootstrap": BOOTSTRAP, "source": "mine"}
    own = task_of("labels").evaluate(examples, paths["model"], **asked)
    found = task_of("labels").evaluate(examples, paths["model"], threshold="validation", **asked)
    assert set(found["threshold"]["cut_offs"]) == set(LABELS)
    assert set(found["threshold"]["cut_offs"]["nucleus"]) == {"1", "2"}
    first, second = own["splits"]["test"], found["splits"]["test"]
    assert first["macro_auroc"] == second["macro_auroc"] and first["macro_f1"] != second["macro_f1"]
    with pytest.raises(InputError, match="two classes or several labels"):
        examples, paths = write(tmp_path, "numbers", model=[1.0])
        task_of("numbers").evaluate(examples, paths["model"], threshold="validation", **asked)


def test_what_is_unknown_is_null_with_the_reason(tmp_path):
    task = task_of("numbers")
    examples, paths = write(tmp_path, "numbers", model=[0.5])
    flat = predicted("numbers", 0.5).assign(**{"predicted:x": 3.0})
    flat.loc[flat["split"] == "test", "value:half life"] = np.nan
    task.write_predictions(paths["model"][1], flat)
    found = task.evaluate(examples, paths["model"], bootstrap=BOOTSTRAP, source="mine")
    parts = found["parts"]["test"]
    assert parts["half life"]["n"] == 0
    assert parts["half life"]["rmse"]["reason"] == "no row has this value"
    flagged = {"value": 0.0, "ci_low": None, "ci_high": None, "constant": 1}
    assert parts["x"]["pearson"] == flagged
    assert "constant" not in found["splits"]["test"]["pearson"], "the other target varies"
    task, rare = task_of("labels"), predicted("labels", 0.5)
    rare.loc[rare["split"] == "test", "label:nucleus"] = 0
    examples, paths = write(tmp_path, "labels", model=[0.5])
    task.write_predictions(paths["model"][1], rare)
    parts = task.evaluate(examples, paths["model"], bootstrap=BOOTSTRAP, source="mine")["parts"]
    assert parts["test"]["nucleus"]["auroc"]["reason"] == "no row has this label"


def test_classes_of_another_number_are_refused(tmp_path):
    examples, paths = write(tmp_path, "classes", 4, model=[0.5])
    with pytest.raises(InputError, match="mine: predictions of 4 classes; expected 3"):
        task_of("classes").evaluate(
            examples, paths["model"], bootstrap=BOOTSTRAP, source="mine", names=CLASSES
        )
    examples, paths = write(tmp_path, "numbers", model=[0.5])
    with pytest.raises(InputError, match="mine: columns value:<name> of half life, x; expected x"):
        task_of("numbers").evaluate(
            examples, paths["model"], bootstrap=BOOTSTRAP, source="mine", names=["x"]
        )


def test_the_snakefile_may_ask_for_names_of_metrics():
    code = "import sys, nucleotune.tasks; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    for kind in KINDS[:3]:
        for parts in (2, 3):
            assert set(compared(kind, parts)) <= set(metric_titles(kind, parts))
