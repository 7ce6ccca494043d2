"""AUROC on real RBPs, from the results that `make check-real` has just written.

Floors lie below what a logistic regression on k-mers reaches there, above what composition alone does.
"""

import json

import pytest
from conftest import ROOT

RESULTS = ROOT / "tests/real/run/results/rbp"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not RESULTS.is_dir(), reason="`make check-real` has not run"),
]


def auroc(dataset, method):
    metrics = json.loads((RESULTS / dataset / method / "metrics.json").read_text())
    return metrics["splits"]["test"]["auroc"]


@pytest.mark.parametrize(("dataset", "floor"), [("tial1_TIAL1", 0.70), ("eclip_HNRNPK", 0.80)])
def test_k_mers_tell_bound_from_unbound(dataset, floor):
    found = auroc(dataset, "rbp-tfidf")
    assert found["value"] >= floor and found["ci_low"] > auroc(dataset, "gc")["value"]


@pytest.mark.parametrize("method", ["graphprot", "ideeps", "hocnnlb"])
def test_published_baselines_are_better_than_chance(method):
    """On 6,000 test rows an interval above one half is no accident."""
    assert auroc("tial1_TIAL1", method)["ci_low"] > 0.55


def test_the_authors_own_test_rows_are_all_there():
    card = json.loads((RESULTS / "tial1_TIAL1/card.json").read_text())
    assert card["splits"]["test"] == {"negative": 3000, "positive": 3000}
