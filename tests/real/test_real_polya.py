"""What the poly(A) study of `make check-real` found in yeast: real biology, so that it should be there.

Reads the results of that run, in tests/real/run or the directory that the environment variable NUCLEOTUNE_REAL_RUN
names.
"""

import os
from pathlib import Path

import pandas as pd
import pytest

RESULTS = (
    Path(os.environ.get("NUCLEOTUNE_REAL_RUN", Path(__file__).parent / "run"))
    / "results/polya/yeast_reads"
)
EXPLAINED = RESULTS / "bpnet-real/seed1/attribution"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (EXPLAINED / "order.tsv").is_file(), reason=f"no results in {RESULTS}: run check-real"
    ),
]


def test_the_network_beats_the_average_profile():
    found = pd.read_csv(RESULTS / "comparison.tsv", sep="\t").set_index("method")
    row = found.loc["bpnet-real"]
    assert row["against"] == "average-profile"
    # Of some hundred genes of one chromosome the interval of the median's difference may hold 0.
    assert row["delta_pearson_median"] > 0 and row["wilcoxon_p"] < 1e-3, row
    assert row["auprc_ci_low"] > 0 and row["loss_ci_high"] < 0, row


def test_elements_of_yeast_are_found():
    """UA-rich efficiency and A-rich positioning element, in this order and upstream of the site."""
    motifs = pd.read_csv(EXPLAINED / "motifs.tsv", sep="\t")
    motifs = motifs[motifs["sign"] == "positive"].fillna({"element": ""})
    words = motifs.groupby("element")["consensus"].apply(" ".join)
    assert "TATA" in words["efficiency"] and "AA" in words["positioning"], words
    places = motifs.groupby("element")["distance"].median()
    assert places["efficiency"] < places["positioning"] < -5, places


def test_they_lie_in_order():
    order = pd.read_csv(EXPLAINED / "order.tsv", sep="\t").set_index("test")
    row = order.loc["efficiency before positioning before site"]
    assert row["n"] > 20 and row["p"] < 0.01, row
