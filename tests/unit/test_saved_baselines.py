"""Every baseline saves a model directory, and another process gets the very scores of its predictions from it."""

import json
import os
import subprocess

import numpy as np
import pandas as pd
import pytest
import test_baselines
from conftest import ROOT
from forks import PYTHON
from safetensors.numpy import load_file, save_file

from nucleotune.baselines import MODULES, find_baseline, fit_predict, predict_baseline
from nucleotune.errors import InputError
from nucleotune.files import read_json
from nucleotune.predict import predict

LENGTH = 60
NETWORKS = ("mdeep", "ideeps", "hocnnlb", "cnn")
ONE_LENGTH = ("graphprot", "ideeps", "hocnnlb", "onehot")
OPTIONS = {
    **test_baselines.OPTIONS,
    "mdeep": {
        "max_length": 280,
        **dict.fromkeys(("orf", "kmers", "convolution", "fusion"), {"epochs": 1, "batch_size": 16}),
    },
    "lncfinder_structure": {**test_baselines.SVM_OPTIONS, "max_fold": 100, "threads": 1},
    "graphprot": {
        **{"radius": 1, "distance": 4, "bitsize": 14, "sequence_only": False, "abstraction": 3},
        **{"epochs": 3, "lambda": 1e-3, "threads": 1},
    },
    "majority": {},
    "onehot": {"c_grid": [1.0]},
    "cnn": {
        **{"filters": 8, "kernel": 5, "epochs": 1, "patience": 1, "batch_size": 16},
        **{"learning_rate": 1e-3, "threads": 1},
    },
    "boosted": {
        **{"kmer": 2, "rounds": 5, "patience": 5, "learning_rate": 0.1, "leaves": 4},
        "threads": 1,
    },
    "ideeps": {"epochs": 2, "batch_size": 16, "patience": 2, "threads": 1},
    "hocnnlb": {
        **{"filters": 8, "kernel": 6, "pool": 2, "dense": 8},
        **{"epochs": 1, "batch_size": 16},
    },
}
# As a user's machine would: the sequences from a file, the scores into one.
PREDICT = """
import sys
import pandas as pd
from nucleotune.baselines import predict_baseline
from nucleotune.files import read_json
rows = pd.read_parquet(sys.argv[1])
for directory, column in zip(sys.argv[2::2], sys.argv[3::2]):
    table = predict_baseline(directory, read_json(f"{directory}/nucleotune.json"), rows["id"], rows[column])
    table.to_parquet(f"{directory}.parquet")
"""


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    n = 90
    labels = np.arange(n) % 2
    rows = {"id": [f"t{i}" for i in range(n)], "label": labels}
    rows["sequence"] = [test_baselines.transcript(rng, coding=label == 0)[:400] for label in labels]
    rows["short"] = [sequence[20 : 20 + LENGTH] for sequence in rows["sequence"]]
    rows["split"] = ["train"] * 60 + ["valid"] * 14 + ["test"] * 16
    rows["gene_biotype"] = [("protein_coding", "lncRNA")[label] for label in labels]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def saved(examples, tmp_path_factory):
    """Of each baseline its model directory, the predictions of the fit, and those of another process."""
    folder = tmp_path_factory.mktemp("models")
    fitted, arguments = {}, []
    for name, method in {name: find_baseline(name) for name in MODULES}.items():
        short = name in ONE_LENGTH
        rows = examples.assign(sequence=examples["short"]) if short else examples
        fitted[name], _ = fit_predict(
            name,
            rows,
            train_splits=["train"],
            options=OPTIONS[name],
            seed=1,
            labels=["mRNA", "lncRNA"],
            output_dir=folder / name,
        )
        arguments += [folder / name, "short" if short else method.column]
    scored = examples[examples["split"] != "train"]
    scored.to_parquet(folder / "rows.parquet")
    command = [os.environ[PYTHON], "-c", PREDICT, folder / "rows.parquet", *arguments]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    again = {name: pd.read_parquet(folder / f"{name}.parquet") for name in MODULES}
    return folder, fitted, again


@pytest.mark.slow
@pytest.mark.parametrize("baseline", MODULES)
def test_another_process_gets_the_scores_of_the_fit(saved, baseline):
    folder, fitted, again = saved
    assert list(again[baseline]) == ["id", "score", "predicted", "truncated"]
    assert again[baseline]["id"].tolist() == fitted[baseline]["id"].tolist()
    found, expected = again[baseline]["score"], fitted[baseline]["score"]
    if baseline in NETWORKS:
        np.testing.assert_allclose(found, expected, atol=1e-6)
    else:
        np.testing.assert_array_equal(found, expected)
    assert (again[baseline]["predicted"] == fitted[baseline]["predicted"]).all()
    assert len(set(expected)) > 1 or baseline == "majority"
    description = read_json(folder / baseline / "nucleotune.json")
    assert description["labels"] == ["mRNA", "lncRNA"] and description["baseline"] == baseline
    assert {path.name for path in (folder / baseline).iterdir()} == {
        "nucleotune.json",
        "model.safetensors",
    }


def test_only_what_is_not_read_is_truncated(saved, examples):
    """lncRNA_Mdeep's convolution reads 280 nt here; all others read all."""
    lengths = examples.loc[examples["split"] != "train", "sequence"].str.len()
    assert (saved[2]["mdeep"]["truncated"].to_numpy() == (lengths > 280).to_numpy()).all()
    assert (lengths > 280).sum() > 0
    assert not any(saved[2][name]["truncated"].any() for name in MODULES if name != "mdeep")


def test_predict_reads_them_as_it_reads_language_models(saved, examples):
    folder, fitted, _ = saved
    rows = examples[examples["split"] != "train"]
    found = predict(folder / "tfidf", zip(rows["id"], rows["sequence"], strict=True), threads=1)
    assert found["score"].tolist() == fitted["tfidf"]["score"].tolist()
    assert predict(folder / "cpc2", []).empty
    with pytest.raises(InputError, match="'gene_biotype' of the examples, which a FASTA"):
        predict(folder / "biotype", [("a", "ACGT")])
    with pytest.raises(InputError, match="record 'b' has 61 nt; hocnnlb in .* takes .* of 60 nt"):
        predict(folder / "hocnnlb", [("a", "A" * 60), ("b", "A" * 61)])


def test_broken_directories_are_named(saved, tmp_path):
    folder, _, _ = saved
    description = read_json(folder / "gc/nucleotune.json")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"model\.safetensors: broken file"):
        predict_baseline(tmp_path, description, ["a"], ["ACGT"])
    (tmp_path / "model.safetensors").write_bytes((folder / "gc/model.safetensors").read_bytes())
    with pytest.raises(InputError, match="no 'idf' there|no 'terms' there|no 'ngram_range' there"):
        predict_baseline(tmp_path, {**description, "baseline": "tfidf"}, ["a"], ["ACGT"])
    with pytest.raises(InputError, match="holds baseline 'new'; this version knows cpc2, plek"):
        predict_baseline(tmp_path, {**description, "baseline": "new"}, ["a"], ["ACGT"])
    arrays = load_file(folder / "gc/model.safetensors")
    for change, message in (
        (lambda array: array * np.nan, "record 'a': the score of gc is not a finite number"),
        (lambda array: np.concatenate([array, array], axis=-1), "does not fit together"),
    ):
        changed = arrays | {"coefficients": change(arrays["coefficients"])}
        save_file(changed, tmp_path / "model.safetensors")
        with pytest.raises(InputError, match=message):
            predict_baseline(tmp_path, description, ["a"], ["ACGT"])


def test_a_run_without_a_model_says_where_it_is(tmp_path):
    run = tmp_path / "cpc2-original/seed1"
    run.mkdir(parents=True)
    (run / "fit.json").write_text(json.dumps({"baseline": "cpc2", "mode": "original"}))
    for path in (run, run / "model"):
        with pytest.raises(InputError, match=r"installed tool .* \(mode: original\)"):
            predict(path, [("a", "ACGT")])
    (run / "fit.json").write_text(json.dumps({"baseline": "gc"}))
    (run / "model").mkdir()
    (run / "model/nucleotune.json").write_text("{}")
    with pytest.raises(InputError, match="the directory of a run; its model is .*seed1/model"):
        predict(run, [("a", "ACGT")])
