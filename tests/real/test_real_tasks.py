"""Tables of one's own, from the results that `make check-real` has just written: splice sites and reads of yeast genes.

Both are read as any user's file, by `tests/real/tasks/`. `REFERENCES` were measured with scikit-learn on another random
split of the same splice sites.
"""

import json

import numpy as np
import pytest
from conftest import ROOT

RESULTS = ROOT / "tests/real/run/results/task"
EXPLAINED = RESULTS / "splice/cnn/seed1/attribution"
REFERENCES = {"tfidf": 0.21, "onehot": 0.50}  # MCC
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not RESULTS.is_dir(), reason="`make check-real` has not run"),
]


def measured(dataset, method, metric):
    metrics = json.loads((RESULTS / dataset / method / "metrics.json").read_text())
    return metrics["splits"]["test"][metric]


def test_a_fifth_of_the_splice_sites_is_held_out():
    card = json.loads((RESULTS / "splice/card.json").read_text())
    assert sum(card["splits"]["test"].values()) == pytest.approx(
        0.2 * sum(sum(part.values()) for part in card["splits"].values()), abs=5
    )


@pytest.mark.parametrize("reference", list(REFERENCES))
def test_the_network_beats_motifs_anywhere_and_weights_of_places_on_splice_sites(reference):
    network = measured("splice", "cnn", "mcc")
    rival = measured("splice", reference, "mcc")
    assert network["ci_low"] > rival["value"] and network["ci_low"] > REFERENCES[reference]
    assert rival["ci_low"] > 0


def test_sequences_behind_the_stop_codon_tell_of_the_reads_of_yeast_genes():
    assert measured("yeast-reads", "tfidf", "pearson")["ci_low"] > 0


@pytest.mark.parametrize(("site", "places"), [("acceptor", {198, 199}), ("donor", {200, 201})])
def test_the_network_looks_at_ag_before_and_gt_behind_the_splice_site(site, places):
    with np.load(EXPLAINED / site / "contributions.npz") as file:
        means = file["actual"].mean(axis=0)
    highest = np.argsort(-means)[:4].tolist()
    assert places <= set(highest), (highest, means[highest])
