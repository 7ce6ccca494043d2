"""A small BPNet trained on the toy yeast rests on what was planted there, and modisco finds it."""

import numpy as np
import pandas as pd
import pytest
from conftest import snakemake

from nucleotune.attribution.contributions import read_contributions

pytestmark = pytest.mark.slow

ELEMENTS = ("efficiency", "positioning", "cleavage")
RESULTS = "results/polya/toy-yeast/bpnet-tiny/seed1/attribution"

CONFIG = """
studies: [polya]
polya:
  methods: [bpnet-tiny, average-profile]
  attribution: {methods: [bpnet-tiny], max_sequences: 150, mutagenesis: 30}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motifs")
    (folder / "own.yaml").write_text(CONFIG)
    targets = (
        "polya_motifs",
        "polya_figure8",
        "polya_order",
        "results/tables/polya_attribution.html",
    )
    snakemake(folder, *targets, "--configfile", str(folder / "own.yaml"))
    return folder


def test_planted_elements_stand_out(run):
    """Elements of a site have more than twice the contributions of other places, and of elements that stand alone."""
    explained = read_contributions(run / RESULTS / "contributions.npz")
    (path,) = run.glob("resources/simulated/**/polya_elements.tsv")
    numbers = {name: i for i, name in enumerate(explained.ids)}
    planted = pd.read_csv(path, sep="\t")
    planted = planted[planted["gene_id"].isin(numbers)]
    names = np.full(explained.actual.shape, "", dtype=object)
    for one in planted.itertuples():
        places = slice(one.position, one.position + len(one.sequence))
        alone = np.isnan(one.site)
        names[numbers[one.gene_id], places] = f"{one.element}, alone" if alone else one.element
    sizes = {name: abs(explained.actual[names == name]).mean() for name in np.unique(names)}
    effects, of_mutated = abs(explained.mutation_effects()), names[explained.mutated]
    for name in ELEMENTS:
        assert sizes[name] > 2 * sizes[""], sizes
        assert sizes[name] > 2 * sizes[f"{name}, alone"], sizes
        assert effects[of_mutated == name].mean() > 2 * effects[of_mutated == ""].mean()


def test_planted_motifs_are_found(run):
    motifs = pd.read_csv(run / RESULTS / "motifs.tsv", sep="\t")
    words = motifs["consensus"].tolist()
    found = [any(core in word for word in words) for core in ("AATAAA", "TATA", "TTTCAA")]
    assert sum(found) >= 2, words
    assert {"efficiency", "positioning"} <= set(motifs["element"])
    places = motifs.set_index("element")["distance"]
    assert places["efficiency"] < places["positioning"] < 0


def test_order_of_elements_is_tested(run):
    order = pd.read_csv(run / RESULTS / "order.tsv", sep="\t").set_index("test")
    assert (order["n"] > 20).all(), order["n"]
    assert (order["p"] < 0.01).all() and (order["share"] > order["control_high"]).all()


def test_words_contribute_where_they_were_planted(run):
    """At the distance of their sites, and no more than what lies beside them downstream."""
    words = pd.read_csv(run / RESULTS / "words.tsv", sep="\t").set_index(["element", "begin"])
    for element, begins in (("efficiency", (-50, -40)), ("positioning", (-20,)), ("site", (-10,))):
        for begin in begins:
            assert words.loc[(element, begin), "ci_low"] > 0.6, words
        downstream = words.loc[element].loc[20:]
        assert (downstream["share"] * downstream["n"]).sum() / downstream["n"].sum() < 0.75


def test_tables_and_figures(run):
    for name in ("polya_motifs", "polya_order", "polya_attribution"):
        assert (run / f"results/tables/{name}.html").stat().st_size > 1000
    for name in ("polya_figure7", "polya_figure8"):
        assert (run / f"results/figures/{name}.svg").stat().st_size > 10_000
