"""The answer of a study in one sentence: who is ahead, and where nobody can say."""

import pandas as pd
import pytest

from nucleotune.evaluation.over_sets import compare_over_sets
from nucleotune.reporting.answer import Contest, answer, predicts_one_class
from nucleotune.studies.polya import tables as polya
from nucleotune.studies.rbp import tables as rbp


def contest(where="Toy", difference=-0.05, p=0.01, **more):
    interval = difference - 0.01, difference + 0.01
    return Contest(
        where, "BERT", "SVM", "AUROC", 0.85 + difference, 0.85, difference, *interval, p, **more
    )


@pytest.mark.parametrize(
    ("difference", "p", "collapsed", "verdict"),
    [
        (0.05, 0.01, (), "the language model is ahead"),
        (-0.05, 0.01, (), "the language model is behind"),
        (0.05, 0.051, (), "no difference shown"),
        (0.05, float("nan"), (), "no difference shown"),
        (-0.35, 0.001, ("BERT",), "not comparable, BERT predicts one class"),
        (0, 0.001, ("BERT", "SVM"), "not comparable, BERT and SVM predict one class"),
    ],
)
def test_one_contest(difference, p, collapsed, verdict):
    sentence = answer([contest(difference=difference, p=p, collapsed=collapsed)])
    assert sentence.endswith(f": {verdict}.")
    assert sentence.startswith("Toy: best language model BERT, best baseline SVM, AUROC ")


def test_the_numbers_of_one_contest():
    assert answer([contest()]) == (
        "Toy: best language model BERT, best baseline SVM, AUROC 0.800 against 0.850, difference -0.050"
        " (-0.060 to -0.040), p = 0.01: the language model is behind."
    )
    bare = contest()._replace(low=None, high=None, remark="ahead on 0 of 1 proteins")
    assert "difference -0.050, p = 0.01: the language model is behind, ahead on 0" in answer([bare])


def test_several_contests_and_many():
    few = answer([contest("Human"), contest("Mouse", 0.02)])
    assert few.startswith("Human: ") and "; Mouse: " in few and few.count(".") > 1
    many = [
        *(contest(str(i), 0.1) for i in range(3)),
        contest("worse", -0.2),
        contest("same", 0.01, 0.4),
        contest("one class", -0.4, collapsed=("BERT",)),
    ]
    assert answer(many) == (
        "Best language model against best baseline on 6 data sets: ahead on 3, behind on 1, no difference shown on 1,"
        " not comparable (one predicts one class) on 1; difference of AUROC -0.400 to +0.100."
    )
    assert answer([]) == "No language model was compared with a baseline in this run."


def test_one_class_is_what_the_metrics_say():
    part = {"auroc": {"value": 0.5}}
    assert not predicts_one_class({"seeds": [1, 2], "splits": {"test": part}})
    part["auroc"]["one_class"] = 1
    assert not predicts_one_class({"seeds": [1, 2], "splits": {"test": part}})
    assert predicts_one_class({"seeds": [1], "splits": {"test": part}})


METHODS = [
    {"name": "bert", "title": "BERT", "kind": "language_model"},
    {"name": "svm", "title": "SVM", "kind": "baseline"},
]


def measured(auroc, **more):
    part = {
        "auroc": {"value": auroc, "ci_low": auroc - 0.1, "ci_high": auroc + 0.1, **more},
        "mcc": {"value": 0.5, "ci_low": 0.4, "ci_high": 0.6, **more},
    }
    return {"n_test": 40, "seeds": [1], "splits": {"valid": part, "test": part}}


def comparison(difference, p):
    row = ["bert", "svm", difference, difference - 0.1, difference + 0.1, p]
    columns = ["method", "against", "delta_auroc", "ci_low", "ci_high", "p_holm"]
    return pd.DataFrame([row], columns=columns)


def test_many_proteins_are_one_contest():
    values = {"a": (0.9, 0.8), "b": (0.9, 0.7), "c": (0.6, 0.7)}
    metrics = {
        name: {"bert": measured(model), "svm": measured(other)}
        for name, (model, other) in values.items()
    }
    metrics["c"]["bert"] = measured(0.6, one_class=1)
    datasets = [{"name": name, "title": name.upper()} for name in values]
    drawn = {"resamples": 200, "confidence": 0.95, "seed": 1}
    (found,) = rbp.headlines(metrics, {}, datasets, METHODS, bootstrap=drawn)
    one = found["contest"]
    table = pd.DataFrame(values.values(), columns=["BERT", "SVM"])
    expected = compare_over_sets(table, "BERT", **drawn).iloc[0]
    assert one.difference == pytest.approx(0.2 / 3)
    assert (one.low, one.high, one.p) == tuple(expected[["ci_low", "ci_high", "p"]])
    assert one.verdict == "no difference shown", "three proteins cannot show one"
    assert one.remark == "ahead on 2 of 3 proteins, predicts one class on 1"
    single = [datasets[0]]
    (found,) = rbp.headlines(
        {"a": metrics["a"]}, {"a": comparison(0.1, 0.002)}, single, METHODS, bootstrap=drawn
    )
    assert found["contest"].verdict == "ahead" and found["contest"].where == "A"


def test_profile_models_against_the_average_profile():
    part = {
        "loss": {"value": 3.0},
        "auprc": {"value": 0.4},
        "pearson_median": {"value": 0.6, "ci_low": 0.5, "ci_high": 0.7},
    }
    found = {"n_test": 9, "seeds": [1], "splits": {"valid": part, "test": part}}
    row = ["bpnet", "average", 0.25, 0.2, 0.3, 0.01]
    columns = ["method", "against", "delta_pearson_median", "ci_low", "ci_high", "p_holm"]
    methods = [{"name": name, "title": name.title()} for name in ("bpnet", "average")]
    (headline,) = polya.headlines(
        {"yeast": {"bpnet": found}},
        {"yeast": pd.DataFrame([row], columns=columns)},
        [{"name": "yeast", "title": "Yeast"}],
        methods,
    )
    assert answer([headline["contest"]]) == (
        "Yeast: best profile model Bpnet, best baseline Average, median correlation 0.600 against 0.350,"
        " difference +0.250 (+0.200 to +0.300), p = 0.01: the profile model is ahead."
    )
