"""What pre-training is worth, in words; which methods tell of it, and what they count as."""

import numpy as np
import pandas as pd

from nucleotune.config import load_run
from nucleotune.plan import describe_methods, pretraining_pairs
from nucleotune.plan.run import Run
from nucleotune.reporting.headlines import headlines
from nucleotune.reporting.pretraining import pretraining
from nucleotune.studies.registry import STUDIES
from nucleotune.studies.task.products import described

METHODS = [
    {"name": "bert", "title": "BERT", "kind": "language_model"},
    {"name": "bert-random", "title": "BERT, random", "kind": "control"},
    {"name": "svm", "title": "SVM", "kind": "baseline"},
]


def table(difference, p, metric="auroc"):
    """comparison.tsv: the model and its control against the baseline, then against each other."""
    rows = [
        ("bert", "svm", 0.3, 0.001),
        ("bert-random", "svm", 0.3, 0.001),
        ("bert", "bert-random", difference, p),
    ]
    return pd.DataFrame(
        [
            {
                "method": a,
                "against": b,
                f"delta_{metric}": d,
                "ci_low": d - 0.01,
                "ci_high": d + 0.01,
                "p_holm": q,
            }
            for a, b, d, q in rows
        ]
    )


def said(*tables):
    names = [f"d{i}" for i in range(len(tables))]
    datasets = [{"name": name, "title": name.upper()} for name in names]
    return pretraining(dict(zip(names, tables, strict=True)), datasets, METHODS)


def test_one_pair():
    assert said(table(0.05, 0.004)) == (
        "D0: pre-training is worth +0.050 of AUROC (+0.040 to +0.060, p = 0.004) to BERT: it helps."
    )
    assert said(table(-0.05, 0.004)).endswith("it harms.")
    assert said(table(0.05, 0.2)).endswith("no difference shown.")
    assert said(table(-0.05, 0.004, "rmse")).endswith("it helps."), "less is better"


def test_many_pairs_and_none():
    many = [table(0.1, 0.01)] * 3 + [table(-0.1, 0.01), table(0.01, 0.9), table(np.nan, np.nan)]
    assert said(*many) == (
        "Pre-training, in 5 comparisons of a model with the same network from random weights: better in 3, worse in 1,"
        " no difference shown in 1; difference of AUROC -0.100 to +0.100."
    )
    assert said(table(0.1, 0.01).iloc[:2]) == said() == ""


def test_a_control_is_neither_the_model_nor_the_baseline():
    """The control has the best validation AUROC of all, and yet the contest is between BERT and the SVM."""
    values = {"bert": 0.8, "bert-random": 0.9, "svm": 0.6}
    metrics = {
        name: {
            "splits": {part: {"auroc": {"value": value}} for part in ("valid", "test")},
            **{"n_test": 10, "seeds": [1]},
        }
        for name, value in values.items()
    }
    (found,) = headlines(
        {"d": metrics}, {"d": table(0.05, 0.004)}, [{"name": "d", "title": "D"}], METHODS
    )
    assert (found["method"], found["baseline"]) == ("BERT", "SVM")


def a_run(methods):
    loaded = load_run({"studies": ["task"], "task": {"tasks": ["toy-classes"], "methods": methods}})
    return Run.of(loaded, STUDIES)


def test_pairs_of_a_run_and_groups_of_its_tables():
    asked = [
        "gc",
        "dnabert-6-tiny-random",
        "tfidf",
        "dnabert-6-tiny-probe",
        "dnabert-6-tiny",
        "dnabert-3-random",
    ]
    run = a_run(asked)
    pair = ("dnabert-6-tiny", "dnabert-6-tiny-random")
    assert pretraining_pairs(asked, run.methods) == [pair], "a probe is another way to train"
    assert run.compared("task", "toy-classes")["pairs"] == [pair]
    assert "dnabert-3" in run.checkpoints, "which has the tokenizer and the sizes"
    kinds = {one["name"]: one["kind"] for one in describe_methods(asked, run.methods)}
    assert kinds["dnabert-6-tiny-random"] == "control"
    assert kinds["dnabert-6-tiny-probe"] == "language_model"
    order = [one["name"] for one in described(run)["methods"]]
    assert order == [
        "dnabert-6-tiny",
        "dnabert-6-tiny-probe",
        "dnabert-6-tiny-random",
        "dnabert-3-random",
        "tfidf",
        "gc",
    ]
    without = a_run(["tfidf", "dnabert-6-tiny"])
    assert "pairs" not in without.compared("task", "toy-classes"), "nothing of old runs changes"


def test_tables_of_runs_without_baselines():
    names = [
        one.name for one in a_run(["dnabert-6-tiny", "dnabert-6-tiny-random"]).products["task"]
    ]
    assert "task_comparison" in names
    assert "task_comparison" not in [
        one.name for one in a_run(["dnabert-6-tiny-random"]).products["task"]
    ]
