"""Baselines that serve every kind of labels: three classes, labels and numbers with missing values, two classes."""

import os
import subprocess

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from forks import PYTHON
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from nucleotune.baselines import MODULES, find_baseline, fit_predict
from nucleotune.baselines.base import Labelled
from nucleotune.errors import InputError
from nucleotune.files import read_json
from nucleotune.plan import EVERY_KIND, check_baselines
from nucleotune.predict import predict
from nucleotune.tasks import task_of

OPTIONS = {
    "tfidf": {"ngram_ranges": [[2, 4]], "c_grid": [1.0, 100.0]},
    "onehot": {"c_grid": [0.1, 1.0]},
    "cnn": {
        **{"filters": 16, "kernel": 7, "epochs": 7, "patience": 2, "batch_size": 16},
        **{"learning_rate": 1e-2, "threads": 1},
    },
    "boosted": {
        **{"kmer": 3, "rounds": 60, "patience": 20, "learning_rate": 0.2, "leaves": 7},
        "threads": 1,
    },
}
NAMES = {
    "two": ["no", "yes"],
    "classes": ["none", "first", "second"],
    "labels": ["one", "two words"],
    "numbers": ["strength", "half"],
}
LEARNERS = ("tfidf", "onehot", "cnn", "boosted", "dinucleotide")
PREDICT = """
import sys
import pandas as pd
from nucleotune.predict import predict
rows = pd.read_parquet(sys.argv[1])
for directory in sys.argv[2:]:
    table = predict(directory, zip(rows["id"], rows["sequence"]), threads=1)
    table.to_parquet(f"{directory}.parquet")
"""


def kind_of(case: str) -> str:
    return "classes" if case == "two" else case


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    """Runs of AC and of GT at fixed places: easy by composition and by position alike."""
    rng = np.random.default_rng(5)
    n = 300
    first, second = rng.integers(0, 2, n), rng.integers(0, 2, n)
    sequences = []
    for one, two in zip(first, second, strict=True):
        letters = rng.choice(list("ACGT"), 48)
        letters[8:20] = list("AC" * 6) if one else letters[8:20]
        letters[26:38] = list("GT" * 6) if two else letters[26:38]
        sequences.append("".join(letters))
    rows = pd.DataFrame({"id": [f"s{i}" for i in range(n)], "sequence": sequences})
    rows["split"] = ["train"] * 200 + ["valid"] * 50 + ["test"] * 50
    rows["group"] = rows["id"]
    rows["first"], rows["second"] = first, second
    return rows


def of_case(case: str, rows: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    first, second = rows["first"].to_numpy(), rows["second"].to_numpy()
    if case == "two":
        return rows.assign(label=first)
    if case == "classes":
        kept = ~((first == 1) & (second == 1))
        return rows.assign(label=first + 2 * second)[kept].reset_index(drop=True)
    if case == "labels":
        columns = {"label:one": first.astype(float), "label:two words": second.astype(float)}
    else:
        noise = rng.normal(0, 0.1, len(rows))
        columns = {"value:strength": 100 + 5.0 * first + noise, "value:half": second - 0.5 * first}
    missing = {
        name: np.where(rng.random(len(rows)) < 0.2, np.nan, v) for name, v in columns.items()
    }
    return rows.assign(**missing)


def run(baseline, case, rows, **more):
    return fit_predict(
        baseline,
        of_case(case, rows),
        train_splits=["train"],
        options=OPTIONS.get(baseline, {}),
        seed=1,
        labels=NAMES[case],
        kind=kind_of(case),
        **more,
    )


@pytest.fixture(scope="module")
def fitted(examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rivals")
    found = {}
    for case in NAMES:
        for baseline in (*LEARNERS, "majority", "gc", "length"):
            directory = folder / f"{case}-{baseline}"
            found[case, baseline] = run(baseline, case, examples, output_dir=directory)
    return folder, found


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("baseline", [*LEARNERS, "majority"])
def test_learns_each_kind(fitted, examples, tmp_path, baseline, case):
    predictions, info = fitted[1][case, baseline]
    task_of(kind_of(case)).write_predictions(tmp_path / "p.parquet", predictions)
    rows = of_case(case, examples)
    assert predictions["id"].tolist() == rows.loc[rows["split"] != "train", "id"].tolist()
    assert (
        info["predicted_rows"] == rows.query("split != 'train'")["split"].value_counts().to_dict()
    )
    if baseline == "majority":
        return
    if kind_of(case) == "classes":
        assert (predictions["label"] == predictions["predicted"]).mean() > 0.9
    for name in NAMES[case] if case in ("labels", "numbers") else ():
        truth = predictions[f"{'label' if case == 'labels' else 'value'}:{name}"]
        known, guess = truth.notna(), predictions[f"predicted:{name}"]
        assert 0 < known.sum() < len(truth) and guess.notna().all()
        if case == "labels":
            assert (truth[known] == guess[known]).mean() > 0.9
        else:
            assert np.corrcoef(truth[known], guess[known])[0, 1] > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("case", NAMES)
def test_another_process_gets_the_same_scores(fitted, examples, case):
    folder, found = fitted
    rows = of_case(case, examples).query("split != 'train'")
    rows.to_parquet(folder / f"{case}.parquet")
    baselines = [name for which, name in found if which == case]
    directories = [folder / f"{case}-{name}" for name in baselines]
    command = [os.environ[PYTHON], "-c", PREDICT, folder / f"{case}.parquet", *directories]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, directory in zip(baselines, directories, strict=True):
        again, first = pd.read_parquet(f"{directory}.parquet"), found[case, name][0]
        if case == "classes":
            classes = np.array(NAMES[case], dtype=object)
            renamed = {f"score:{k}": f"score:{one}" for k, one in enumerate(classes)}
            first = first.rename(columns=renamed)
            assert again["predicted"].tolist() == classes[first["predicted"]].tolist()
            again = again.drop(columns="predicted")
        columns = [c for c in again if c.startswith(("score", "predicted"))]
        assert columns
        for column in columns:
            np.testing.assert_allclose(
                again[column], first[column], atol=1e-6 if name == "cnn" else 0
            )
        empty = predict(directory, [])
        assert set(again) <= set(empty) and empty.empty
        description = read_json(directory / "nucleotune.json")
        assert description.get("task", "classes") == kind_of(case)
        assert description["labels"] == NAMES[case]


def test_majority_is_constant_and_flagged(fitted, examples, tmp_path):
    for case in NAMES:
        predictions, _ = fitted[1][case, "majority"]
        told = [c for c in predictions if c.startswith(("score", "predicted"))]
        assert (predictions[told].nunique() == 1).all()
    rows = of_case("numbers", examples)
    means = rows.query("split == 'train'")["value:strength"].mean()
    predictions, _ = fitted[1]["numbers", "majority"]
    np.testing.assert_allclose(predictions["predicted:strength"], means)
    task = task_of("numbers")
    task.write_examples(tmp_path / "e.parquet", rows.drop(columns=["first", "second"]))
    task.write_predictions(tmp_path / "p.parquet", predictions)
    metrics = task.evaluate(
        tmp_path / "e.parquet",
        {1: tmp_path / "p.parquet"},
        bootstrap={"resamples": 20, "confidence": 0.95, "seed": 1},
        source="majority",
    )
    assert "constant" in str(metrics)


def test_tfidf_is_scikit_learn(fitted, examples):
    text = TfidfVectorizer(analyzer="char", lowercase=False, ngram_range=(2, 4), dtype=np.float32)
    rows = of_case("classes", examples)
    train, rest = rows[rows["split"] == "train"], rows[rows["split"] != "train"]
    x, x_rest = text.fit_transform(train["sequence"]), text.transform(rest["sequence"])
    predictions, info = fitted[1]["classes", "tfidf"]
    model = LogisticRegression(C=info["C"], max_iter=1_000, class_weight="balanced")
    model.fit(x, train["label"])
    np.testing.assert_allclose(
        predictions[["score:0", "score:1", "score:2"]], model.predict_proba(x_rest), atol=1e-6
    )
    assert -0.5 < info["valid_log_likelihood"] < 0
    rows = of_case("numbers", examples)
    train, rest = rows[rows["split"] == "train"], rows[rows["split"] != "train"]
    predictions, info = fitted[1]["numbers", "tfidf"]
    known = train[train["value:strength"].notna()]
    x = text.fit_transform(train["sequence"])[train["value:strength"].notna().to_numpy()]
    model = Ridge(alpha=1 / info["C"]).fit(x, known["value:strength"])
    np.testing.assert_allclose(
        predictions["predicted:strength"],
        model.predict(text.transform(rest["sequence"])),
        rtol=1e-6,
    )
    assert 0.5 < info["valid_r2"] <= 1


@pytest.mark.parametrize("baseline", ["cnn", "boosted"])
def test_same_seed_same_predictions(fitted, examples, baseline):
    for case in ("classes", "numbers"):
        again, _ = run(baseline, case, examples)
        pd.testing.assert_frame_equal(again, fitted[1][case, baseline][0], check_exact=True)


def test_cnn_reads_any_length_alike(examples):
    """A score is the same whatever other sequences it is computed with."""
    rng = np.random.default_rng(1)
    rows = of_case("numbers", examples)
    rows["sequence"] = [s[: rng.integers(2, 49)] for s in rows["sequence"]]
    options = {**OPTIONS["cnn"], "epochs": 1}
    train = rows[rows["split"] == "train"].sequence.tolist()
    fitted, _ = find_baseline("cnn").general(
        Labelled(train, rows.loc[rows["split"] == "train", ["value:half"]].to_numpy()),
        Labelled([], np.empty((0, 1))),
        options,
        1,
        "numbers",
        1,
    )
    together = fitted(train[:20])
    alone = np.concatenate([fitted([one]) for one in train[:20]])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.isfinite(together).all()


def test_cnn_sees_where_a_motif_lies_and_reads_other_lengths(examples):
    """One motif in every sequence, in class 1 elsewhere: composition says nothing. Places go along with the length."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 300)
    letters = rng.choice(list("ACT"), (300, 64))
    for row, label in zip(letters, labels, strict=True):
        row[28 + 8 * label :][:4] = list("GGTG")
    sequences = ["".join(row) for row in letters]
    rows, rest = Labelled(sequences[:200], labels[:200]), Labelled(sequences[200:], labels[200:])
    fitted, _ = find_baseline("cnn").fit(rows, rest, OPTIONS["cnn"], 1)
    assert ((fitted.score(rest.sequences) >= 0.5) == rest.labels).mean() > 0.9
    longer = [sequence + "A" for sequence in rest.sequences]
    assert np.corrcoef(fitted.score(longer), fitted.score(rest.sequences))[0, 1] > 0.9


def test_classes_of_few_rows_are_named_too(examples):
    """Of unequal classes with little to tell them apart, TF-IDF does not name the commonest alone."""
    rows = of_case("classes", examples)
    rng = np.random.default_rng(1)
    labels = rng.choice(3, len(rows), p=[0.6, 0.2, 0.2])
    weak = ["A" * k + s[: 48 - k] for k, s in zip(labels, rows["sequence"], strict=True)]
    rows = rows.assign(label=labels, sequence=weak)
    predictions, _ = run("tfidf", "classes", rows)
    assert set(predictions["predicted"]) == {0, 1, 2}


def test_classes_and_labels_that_training_lacks(examples):
    rows = of_case("classes", examples)
    rows = rows[(rows["split"] != "train") | (rows["label"] != 1)].reset_index(drop=True)
    labels = of_case("labels", examples)
    labels.loc[(labels["split"] == "train") & labels["label:one"].notna(), "label:one"] = 1.0
    for baseline in (*LEARNERS, "majority"):
        more = {"train_splits": ["train"], "options": OPTIONS.get(baseline, {}), "seed": 1}
        predictions, _ = fit_predict(
            baseline, rows, labels=NAMES["classes"], kind="classes", **more
        )
        scored = predictions["score:1"]
        assert np.isfinite(scored).all() and scored.max() < 0.5
        predictions, _ = fit_predict(
            baseline, labels, labels=NAMES["labels"], kind="labels", **more
        )
        assert predictions["predicted:one"].mean() > 0.9
    labels["label:one"] = labels["label:one"].where(labels["split"] != "train")
    with pytest.raises(InputError, match="no row in which 'one' is known"):
        fit_predict("gc", labels, labels=NAMES["labels"], kind="labels", **more)


def test_a_choice_needs_validation_rows(examples):
    rows = of_case("numbers", examples)
    with pytest.raises(InputError, match="numbers that differ in split 'valid'"):
        run("tfidf", "numbers", rows[rows["split"] != "valid"])
    with pytest.raises(InputError, match="numbers that differ in split 'valid'"):
        run("onehot", "numbers", rows[rows["split"] != "valid"])


def test_baselines_of_two_classes_are_refused_elsewhere(examples):
    with pytest.raises(InputError, match="plek: learns two classes only, these .* 3 classes"):
        run("plek", "classes", examples)
    methods = {"a": {"baseline": "tfidf"}, "b": {"baseline": "cpc2"}, "model": {}}
    check_baselines("task: mine", "classes", 2, methods, methods)
    check_baselines("task: mine", "numbers", 1, ["a", "model"], methods)
    for kind, parts, said in (("classes", 3, "3 classes"), ("labels", 2, "kind 'labels'")):
        with pytest.raises(InputError, match=f"task: mine has labels of {said}, but method 'b'"):
            check_baselines("task: mine", kind, parts, methods, methods)


def test_the_plan_knows_which_serve_every_kind():
    general = [name for name in MODULES if find_baseline(name).general is not None]
    assert sorted(general) == sorted({*EVERY_KIND, "biotype"})
