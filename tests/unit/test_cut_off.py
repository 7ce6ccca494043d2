"""Cut-offs are as good as any on validation rows, and no other row has a say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from nucleotune.evaluation.cut_off import Columns, best_cut_off, decide_anew

FUNCTIONS = {"mcc": matthews_corrcoef, "f1": f1_score}
COLUMNS = Columns("label", "score", "predicted")


@pytest.mark.parametrize("by", FUNCTIONS)
@pytest.mark.parametrize("decimals", [6, 1])
def test_no_other_cut_off_is_better(by, decimals):
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels = np.arange(40) % 4 == 0
        scores = (rng.normal(size=40) + labels).round(decimals)
        cut_off = best_cut_off(labels, scores, by)
        each = {one: FUNCTIONS[by](labels, scores >= one) for one in np.unique(scores)}
        assert FUNCTIONS[by](labels, scores >= cut_off) == pytest.approx(max(each.values()))


def test_it_stands_half_way_and_survives_neighbouring_floats():
    assert best_cut_off(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(
        0.4
    )
    near = np.array([0.5, np.nextafter(0.5, 1)])
    assert best_cut_off(np.array([0, 1]), near) == near[1]
    assert best_cut_off(np.array([1, 0]), np.array([0.2, 0.9]), "f1") == 0.2, "all are called"
    assert best_cut_off(np.array([1, 0]), np.array([0.2, 0.9])) is None, "none is above chance"
    with pytest.raises(ValueError, match="both labels"):
        best_cut_off(np.array([1, 1]), near)
    with pytest.raises(ValueError, match="'auroc'"):
        best_cut_off(np.array([0, 1]), near, "auroc")


@pytest.mark.parametrize("by", FUNCTIONS)
def test_one_score_for_all_leaves_the_decision(by):
    constant = table([0, 1, 1]).assign(score=0.1)
    decided, chosen = decide_anew({1: constant}, {"": COLUMNS}, by)
    assert chosen == {"": {"1": None}} and not decided[1]["predicted"].any()


def table(test_labels):
    return pd.DataFrame(
        {
            "id": list("abcdefg"),
            "split": ["valid"] * 4 + ["test"] * 3,
            "label": [0, 0, 1, 1, *test_labels],
            "score": [0.1, 0.2, 0.6, 0.9, 0.3, 0.45, 0.8],
            "predicted": 0,
        }
    )


def test_test_rows_choose_nothing():
    for labels in ([0, 1, 1], [1, 1, 0]):
        given = table(labels)
        decided, chosen = decide_anew({7: given}, {"": COLUMNS}, "mcc")
        assert chosen == {"": {"7": pytest.approx(0.4)}}
        assert decided[7]["predicted"].tolist() == [0, 0, 1, 1, 0, 1, 1]
        assert not given["predicted"].any(), "the table given is left alone"


def test_unknown_labels_choose_nothing_and_one_label_leaves_the_decision():
    given = table([0, 1, 1]).assign(label=[0, 0, np.nan, 1, 0, 1, 1])
    assert decide_anew({1: given}, {"": COLUMNS}, "mcc")[1] == {"": {"1": pytest.approx(0.55)}}
    given["label"] = [0, 0, np.nan, 0, 0, 1, 1]
    decided, chosen = decide_anew({1: given}, {"": COLUMNS}, "mcc")
    assert chosen == {"": {"1": None}} and not decided[1]["predicted"].any()
