"""What the poly(A) study of `make check-real` found in yeast: real biology, so that it should be there.

Reads the results of that run, in tests/real/run or the directory that the environment variable NUCLEOTUNE_REAL_RUN
names. A training on so few genes differs from machine to machine as from seed to seed; what is asked here held for
every seed tried (1 to 4).
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from nucleotune.attribution.compare import read_motifs
from nucleotune.attribution.contributions import Explained, read_contributions
from nucleotune.attribution.motifs import element_of
from nucleotune.attribution.onehot import BASES
from nucleotune.attribution.patterns import consensus

RESULTS = (
    Path(os.environ.get("NUCLEOTUNE_REAL_RUN", Path(__file__).parent / "run"))
    / "results/polya/yeast_reads"
)
EXPLAINED = RESULTS / "bpnet-real/seed1/attribution"
MOTIFS = Path(__file__).parents[2] / "resources/motifs/polya.meme"

#: nt from the site to the begin of a word: where the element lies in yeast, and downstream, where it does not.
EFFICIENCY, POSITIONING, DOWNSTREAM = range(-60, -30), range(-30, -12), range(20, 80)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (EXPLAINED / "order.tsv").is_file(), reason=f"no results in {RESULTS}: run check-real"
    ),
]


@pytest.fixture(scope="module")
def explained():
    return read_contributions(EXPLAINED / "contributions.npz")


def test_the_network_beats_the_average_profile():
    found = pd.read_csv(RESULTS / "comparison.tsv", sep="\t").set_index("method")
    row = found.loc["bpnet-real"]
    assert row["against"] == "average-profile"
    assert row["auprc_ci_low"] > 0, row
    # The loss is not asked for: a few genes with most of the reads make it up. Of a hundred genes of one chromosome the
    # interval of the median's difference may hold 0, but not in its middle.
    assert row["ci_low"] + row["ci_high"] > 0 and row["wilcoxon_p"] < 0.01, row


def test_modisco_finds_the_efficiency_element_upstream_and_the_flanks_around_the_site():
    motifs = pd.read_csv(EXPLAINED / "motifs.tsv", sep="\t").fillna({"element": ""})
    motifs = motifs[motifs["sign"] == "positive"]
    efficiency = motifs[
        (motifs["element"] == "efficiency") & motifs["consensus"].str.contains("TATA")
    ]
    assert efficiency["distance"].between(-60, -20).any(), motifs
    assert motifs.loc[motifs["element"] == "flank", "distance"].abs().min() < 10, motifs


def test_known_elements_contribute_where_they_lie(explained):
    """UA-rich efficiency and A-rich positioning elements, in this order and upstream of the site, without MoDISco."""
    for element, place in (("efficiency", EFFICIENCY), ("positioning", POSITIONING)):
        there = gain_of_words(explained, element, place)
        elsewhere = gain_of_words(explained, element, DOWNSTREAM)
        message = (
            f"{element}: {there.mean():.2f} of {len(there)}, downstream {elsewhere.mean():.2f}"
        )
        chance = binomtest(int(there.sum()), len(there), alternative="greater")
        assert there.mean() > 0.65 and chance.pvalue < 1e-3, message
        assert there.mean() > elsewhere.mean() + 0.1, message


def gain_of_words(explained: Explained, element: str, place: range) -> np.ndarray:
    """Of each sequence with both in `place`: do the element's words contribute more, on the mean, than all others?"""
    motifs = read_motifs(MOTIFS)
    words = {consensus(ppm) for name, ppm in motifs.items() if element_of(name) == element}
    (width,) = {len(word) for word in words}
    gains = []
    for onehot, actual, site in zip(
        explained.sequences, explained.actual, explained.sites, strict=True
    ):
        letters = "".join(BASES[base] for base in onehot.argmax(axis=0))
        begins = [at for at in (site + k for k in place) if 0 <= at <= len(letters) - width]
        inside = np.array([letters[at : at + width] in words for at in begins], dtype=bool)
        values = np.array([actual[at : at + width].mean() for at in begins])
        if inside.any() and not inside.all():
            gains.append(values[inside].mean() > values[~inside].mean())
    return np.array(gains)
