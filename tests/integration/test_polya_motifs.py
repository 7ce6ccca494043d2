"""The default run's BPNet rests on what was planted in the toy yeast, and modisco finds it.

The same bars for other seeds, threads and instruction sets: `benchmarks/robustness.py`.
"""

import bars
import pandas as pd
import pytest

from nucleotune.attribution.contributions import read_contributions

pytestmark = pytest.mark.slow

RESULTS = "results/polya/toy-yeast/bpnet-tiny/seed1/attribution"


@pytest.fixture
def read(default_run):
    """Reads a table of the explained model."""
    return lambda name: pd.read_csv(default_run / RESULTS / f"{name}.tsv", sep="\t")


def test_planted_elements_stand_out(default_run):
    (path,) = default_run.glob("resources/simulated/**/polya_elements.tsv")
    explained = read_contributions(default_run / RESULTS / "contributions.npz")
    bars.elements_stand_out(bars.contributions_of_elements(explained, pd.read_csv(path, sep="\t")))


def test_planted_motifs_are_found(read):
    bars.motifs_are_found(read("motifs"))


def test_order_of_elements_is_tested(read):
    bars.order_is_found(read("order"))


def test_words_contribute_where_they_were_planted(read):
    bars.words_contribute(read("words"))


def test_tables_and_figures(default_run):
    for name in ("polya_motifs", "polya_order", "polya_attribution"):
        assert (default_run / f"results/tables/{name}.html").stat().st_size > 1000
    for name in ("polya_figure7", "polya_figure8"):
        assert (default_run / f"results/figures/{name}.svg").stat().st_size > 10_000
