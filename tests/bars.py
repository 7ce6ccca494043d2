"""What a BPNet trained on the toy yeast must show, asked by tests and by `benchmarks/robustness.py`.

Bars stand where every training passes: on any CPU, with any number of threads, from any seed.
"""

import numpy as np
import pandas as pd

from nucleotune.attribution.contributions import Explained

#: Elements of a site, in their order.
ELEMENTS = ("efficiency", "positioning", "cleavage")

#: Element of a word and where its windows begin, nt from the site: where the toy plants it.
PLACES = {"efficiency": (-50, -40), "positioning": (-20,), "site": (0,)}


def planted_names(explained: Explained, planted: pd.DataFrame) -> np.ndarray:
    """The planted element at each nucleotide, "" for none, with ", alone" where it belongs to no site.

    object (n, L); `planted` is the toy's polya_elements.tsv.
    """
    numbers = {name: i for i, name in enumerate(explained.ids)}
    names = np.full(explained.actual.shape, "", dtype=object)
    for one in planted[planted["gene_id"].isin(numbers)].itertuples():
        places = slice(one.position, one.position + len(one.sequence))
        alone = np.isnan(one.site)
        names[numbers[one.gene_id], places] = f"{one.element}, alone" if alone else one.element
    return names


def contributions_of_elements(explained: Explained, planted: pd.DataFrame) -> pd.DataFrame:
    """How much more a site's elements contribute than other places (`others`), and than elements alone (`alone`).

    A row an element; `effects`: how much more substitutions in it change the target than elsewhere.
    """
    names = planted_names(explained, planted)
    effects, of_mutated = abs(explained.mutation_effects()), names[explained.mutated]

    def size(name: str) -> float:
        return abs(explained.actual[names == name]).mean()

    rows = {
        name: {
            "others": size(name) / size(""),
            "alone": size(name) / size(f"{name}, alone"),
            "effects": effects[of_mutated == name].mean() / effects[of_mutated == ""].mean(),
        }
        for name in ELEMENTS
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def elements_stand_out(ratios: pd.DataFrame) -> None:
    """Elements of a site contribute more than twice what other places do, and half as much again as elements alone."""
    assert (ratios[["others", "effects"]] > 2).all(axis=None), ratios
    assert (ratios["alone"] > 1.5).all(), ratios


def motifs_are_found(motifs: pd.DataFrame) -> None:
    """MoDISco makes a motif of each planted element, in the order in which they were planted."""
    assert {"efficiency", "positioning"} <= set(motifs["element"]), motifs
    words = motifs["consensus"].tolist()
    for core in ("AATAAA", "TATA"):
        assert any(core in word for word in words), (core, words)
    # TCAA in its T-rich flanks is about as like the known site as the known flank.
    site = motifs[motifs["consensus"].str.contains("TCAA")]
    assert len(site) and set(site["element"]) <= {"site", "flank"}, motifs
    assert (site["distance"].abs() <= 5).all(), motifs
    places = motifs.groupby("element")["distance"].median()
    assert places["efficiency"] < places["positioning"] < 0, motifs


def order_is_found(order: pd.DataFrame) -> None:
    """More sequences have the elements in order than of elements shuffled among sequences."""
    assert (order["n"] > 20).all(), order
    assert (order["p"] < 0.01).all() and (order["share"] > order["control_high"]).all(), order


def words_contribute(words: pd.DataFrame) -> None:
    """At the distance of their sites, and no more than what lies beside them downstream."""
    table = words.set_index(["element", "begin"])
    for element, begins in PLACES.items():
        for begin in begins:
            assert table.loc[(element, begin), "ci_low"] > 0.6, words
        downstream = table.loc[element].loc[20:]
        assert (downstream["share"] * downstream["n"]).sum() / downstream["n"].sum() < 0.75, words
