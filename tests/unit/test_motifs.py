"""Patterns beside known elements, their places, their order, and the figures of all that."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from nucleotune.attribution.meme import read_motifs
from nucleotune.attribution.motifs import (
    composition,
    match_patterns,
    motif_table,
    observed_sites,
    seqlet_places,
)
from nucleotune.attribution.onehot import one_hot
from nucleotune.attribution.patterns import Patterns, read_patterns
from nucleotune.attribution.spacing import TESTS, order_of_elements
from nucleotune.reporting.attribution import (
    Motifs,
    Places,
    Track,
    elements_figure,
    information,
    motif_figure,
)
from nucleotune.sequence.alphabet import BASES

ELEMENTS = Path(__file__).parents[2] / "resources" / "motifs" / "polya.meme"
UNIFORM = np.full(4, 0.25)

#: What `words.gains_of_words` gives.
WORDS = pd.DataFrame(
    [["positioning", -30, -20, 9, 0.9, 0.7, 1.0], ["positioning", 0, 10, 9, 0.5, 0.3, 0.7]],
    columns=["element", "begin", "end", "n", "share", "ci_low", "ci_high"],
)

#: About what lies behind the stop codons of yeast.
AT_RICH = np.array([0.37, 0.13, 0.13, 0.37])


def matrix(letters, share=0.94, before=3, after=3):
    """Shares (width, 4) of a word with even positions around it."""
    core = np.full((len(letters), 4), (1 - share) / 3)
    core[np.arange(len(letters)), [BASES.index(letter) for letter in letters]] = share
    even = np.full((1, 4), 0.25)
    return np.concatenate([even.repeat(before, 0), core, even.repeat(after, 0)])


def make_patterns(words, seqlets):
    """Patterns of these words, 3 even positions on both sides of each; seqlets: (pattern number, example, start)."""
    names = [f"positive_{i}" for i in range(len(words))]
    ppm = {name: matrix(word) for name, word in zip(names, words, strict=True)}
    table = pd.DataFrame(
        {
            "pattern": names,
            "sign": "positive",
            "seqlets": [sum(i == j for j, *_ in seqlets) for i in range(len(words))],
            "consensus": words,
            "core_start": 3,
            "core_end": [3 + len(word) for word in words],
            "contribution": 1.0,
        }
    )
    members = pd.DataFrame(
        [(names[i], example, start, start + 12) for i, example, start in seqlets],
        columns=["pattern", "example", "start", "end"],
    ).assign(is_revcomp=False, contribution=1.0)
    cwm = {name: (shares - 0.25) / 2 for name, shares in ppm.items()}
    return Patterns(table, members, ppm, cwm)


def test_elements_of_the_paper():
    """Table 2 of the study, with T for U."""
    elements = read_motifs(ELEMENTS)
    words = {name: "".join(BASES[i] for i in rows.argmax(1)) for name, rows in elements.items()}
    by_element = {}
    for name, word in words.items():
        by_element.setdefault(name.split(".")[0], []).append(word)
    assert by_element["efficiency"] == ["TATATA", "TTTATA", "TATGTA"]
    assert by_element["positioning"] == ["AATAAA", "AAAAAA", "TATAAA"]
    assert elements["site.1"][0] == pytest.approx([0.03, 0.47, 0.03, 0.47])
    assert set(by_element) == {"efficiency", "positioning", "site", "flank"}


def test_patterns_are_matched():
    words = ["TATATA", "AATAAA", "GCGCCG", "TTTTTT"]
    patterns = make_patterns(words, [])
    matches = match_patterns(patterns, read_motifs(ELEMENTS), UNIFORM)
    assert matches["motif"].tolist()[:2] == ["efficiency.1", "positioning.1"]
    assert matches["element"].tolist() == ["efficiency", "positioning", "", "flank"]
    assert (matches["p"] <= matches["q"]).all() and matches["q"].between(0, 1).all()
    assert matches["q"][2] > 0.5 > 0.05 > matches["q"][[0, 1, 3]].max()
    # All motifs are six wide and begin with the core, three positions into the pattern.
    assert matches["centre"].tolist() == [5.5] * 4
    assert matches.equals(match_patterns(patterns, read_motifs(ELEMENTS), UNIFORM))


def of_words(words, background, share=0.9, flank=2):
    """Patterns of words with columns of background beside them, all of it core."""
    patterns = make_patterns(words, [])
    for name, word in zip(patterns.ppm, words, strict=True):
        beside = np.tile(background, (flank, 1))
        core = np.tile(background * (1 - share), (len(word), 1))
        core[np.arange(len(word)), [BASES.index(letter) for letter in word]] += share
        patterns.ppm[name] = np.concatenate([beside, core, beside])
    ends = [len(word) + 2 * flank for word in words]
    return replace(patterns, table=patterns.table.assign(core_start=0, core_end=ends))


def test_elements_of_sequences_rich_in_a_and_t():
    """TATATA and AATAAA are found with columns beside them that say nothing, and in longer repeats; poly(T) is none."""
    words = ["TATATA", "AATAAA", "TATATATATATA", "TTTTTTTT", "CGTCGC", "GCAGTC"]
    matches = match_patterns(of_words(words, AT_RICH), read_motifs(ELEMENTS), AT_RICH)
    expected = ["efficiency", "positioning", "efficiency", "flank", "", ""]
    assert matches["element"].tolist() == expected


def test_random_patterns_are_rarely_matched():
    """Known elements are rich in A and T, as are the patterns: somewhat more than the nominal 10 %."""
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(list(BASES), size=8, p=AT_RICH)) for _ in range(100)]
    matches = match_patterns(of_words(words, AT_RICH, flank=0), read_motifs(ELEMENTS), AT_RICH)
    assert 0.04 <= (matches["p"] <= 0.1).mean() <= 0.2
    assert (matches["p"] <= 0.01).mean() <= 0.03


def test_motif_within_a_core():
    """The middle of the motif counts, not that of the core; in AT-rich sequences the match says less."""
    patterns = make_patterns(["GCAATAAA"], [])
    elements = {"positioning.1": read_motifs(ELEMENTS)["positioning.1"]}
    found = match_patterns(patterns, elements, UNIFORM)
    assert found["centre"][0] == 3 + 2 + 2.5
    rich = match_patterns(patterns, elements, np.array([0.4, 0.1, 0.1, 0.4]))
    assert rich["p"][0] > 3 * found["p"][0]


def test_no_pattern(tmp_path):
    h5py.File(tmp_path / "empty.h5", "w").close()
    empty, sites = read_patterns(tmp_path / "empty.h5"), np.array([3, 4])
    matches = match_patterns(empty, read_motifs(ELEMENTS), UNIFORM)
    places = seqlet_places(empty, matches, sites)
    table = motif_table(empty, matches, places)
    assert table.empty and places.empty and "distance_q1" in table
    assert (order_of_elements(places, sites, seed=0)["n"] == 0).all()


def test_composition_and_sites():
    assert composition(one_hot(["AACG", "NNAT"])) == pytest.approx([0.5, 1 / 6, 1 / 6, 1 / 6])
    counts = np.zeros((3, 2, 6), dtype=int)
    counts[0, 0, 4], counts[0, 1, 4], counts[0, 0, 1] = 2, 2, 3
    counts[1, :, 2] = counts[1, :, 5] = 1
    assert observed_sites(counts).tolist() == [4, 2, -1]


@pytest.fixture(scope="module")
def study():
    """40 sequences: efficiency element 35 nt, positioning element 20 nt before the site, which varies."""
    generator = np.random.default_rng(0)
    sites = generator.integers(60, 200, size=40)
    seqlets = []
    for i, site in enumerate(sites):
        # Motifs' middles are 5.5 nt into their seqlets.
        seqlets += [(0, i, int(site) - 35 - 5), (1, i, int(site) - 20 - 5)]
    sites[5] = -1
    patterns = make_patterns(["TATATA", "AATAAA"], seqlets)
    matches = match_patterns(patterns, read_motifs(ELEMENTS), UNIFORM)
    return patterns, matches, seqlet_places(patterns, matches, sites), sites


def test_table_of_motifs(study):
    patterns, matches, places, sites = study
    table = motif_table(patterns, matches, places, order=("positioning", "efficiency"))
    assert table["element"].tolist() == ["positioning", "efficiency"]
    assert table["distance"].tolist() == [-19.5, -34.5]
    assert table[["distance_q1", "distance_q3"]].to_numpy().tolist() == [[-19.5] * 2, [-34.5] * 2]
    assert table["seqlets"].tolist() == [40, 40]
    assert places["distance"].isna().sum() == 2


def test_order_of_elements(study):
    *_, places, sites = study
    table = order_of_elements(places, sites, seed=0, permutations=200).set_index("test")
    assert table.index.tolist() == list(TESTS)
    assert (table["n"] == 39).all() and (table["share"] == 1).all()
    assert table["p"].to_numpy() == pytest.approx(1 / 201)
    assert (table["control"] < 0.7).all() and (table["control_low"] <= table["control"]).all()


def test_order_that_means_nothing():
    """Elements whose positions are those of all sequences, whatever the site: as often in order as the control."""
    generator = np.random.default_rng(1)
    places = pd.DataFrame(
        {
            "sign": "positive",
            "element": ["efficiency", "positioning"] * 60,
            "example": np.repeat(np.arange(60), 2),
            "position": generator.integers(0, 200, 120).astype(float),
            "contribution": 1.0,
        }
    )
    sites = generator.integers(0, 200, 60)
    table = order_of_elements(places, sites, seed=0, permutations=300)
    assert (table["p"] > 0.02).all()
    assert table["control"].to_numpy() == pytest.approx(table["share"].to_numpy(), abs=0.15)


def test_the_strongest_seqlet_counts():
    places = pd.DataFrame(
        [
            ("efficiency", 0, 10.0, 1.0),
            ("efficiency", 0, 90.0, 0.5),
            ("positioning", 0, 50.0, 0.2),
            ("positioning", 0, 5.0, 0.1),
            ("efficiency", 1, 80.0, 3.0),
            ("efficiency", 1, 10.0, 1.0),
            ("positioning", 1, 50.0, 1.0),
            ("", 1, 1.0, 9.0),
            ("positioning", 2, 50.0, 1.0),
        ],
        columns=["element", "example", "position", "contribution"],
    ).assign(sign="positive")
    sites = np.array([70, 70, 90])
    table = order_of_elements(places, sites, seed=0, permutations=10).set_index("test")
    assert table.loc["efficiency before positioning", ["n", "share"]].tolist() == [2, 0.5]
    assert table.loc["positioning before site", ["n", "share"]].tolist() == [3, 1.0]
    near = table.loc["positioning 10 to 30 nt before site"]
    assert near["share"] == pytest.approx(2 / 3)
    nothing = order_of_elements(places, np.full(3, -1), seed=0, permutations=10)
    assert (nothing["n"] == 0).all() and nothing["share"].isna().all()
    without = places[places["element"] == ""]
    assert (order_of_elements(without, sites, seed=0)["n"] == 0).all()


def test_negative_patterns_are_no_elements(tmp_path):
    """An A-rich pattern that speaks against a site lies after it, and contributes more than the true element."""
    rows = [
        row
        for i in range(30)
        for row in (("positive", i, 60.0 + i, 0.5), ("negative", i, 190.0, -0.9))
    ]
    places = pd.DataFrame(rows, columns=["sign", "example", "position", "contribution"])
    places = places.assign(element="positioning", distance=places["position"] - 80)
    sites = 80 + np.arange(30)
    order = order_of_elements(places, sites, seed=0, permutations=50).set_index("test")
    assert (
        order.loc[[test for test in TESTS if test.startswith("positioning")], "share"] == 1
    ).all()
    shown = [Places("a", places, WORDS, order.reset_index())]
    track = Track("b", "ACGT" * 5, np.ones(20))
    elements_figure([track], shown, 300, tmp_path / "all.svg")
    assert "positioning, 30 seqlets" in (tmp_path / "all.svg").read_text()


def test_information():
    shares = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0, 0, 0.5]], dtype=float)
    assert information(shares, UNIFORM) == pytest.approx([2, 0, 1])
    rich = np.array([0.5, 0.0, 0.0, 0.5]) + 1e-9
    assert information(shares, rich)[[0, 2]] == pytest.approx([1, 0], abs=1e-6)


def test_figures(study, tmp_path):
    patterns, matches, places, sites = study
    table = motif_table(patterns, matches, places)
    run = Motifs("BPNet", table, patterns.ppm, patterns.cwm, UNIFORM)
    empty = run._replace(title="another", table=table[:0])
    order = order_of_elements(places, sites, seed=0, permutations=20)
    nothing = order_of_elements(places[:0], sites, seed=0, permutations=20)
    shown = [
        Places("BPNet", places, WORDS, order),
        Places("another", places[:0], WORDS[:0], nothing),
    ]
    track = Track(
        "gene A, DeepLIFT",
        "ACGTTGCATN" * 4,
        np.sin(np.arange(40)),
        begin=100,
        site=120,
        seqlets=[(105, 117, "positive_0")],
    )
    for name in ("a", "b"):
        motif_figure([run, empty], tmp_path / f"motif_{name}.svg")
        rows = [track, track._replace(seqlets=())]
        elements_figure(rows, shown, 300, tmp_path / f"elements_{name}.svg")
    for kind in ("motif", "elements"):
        first, second = ((tmp_path / f"{kind}_{name}.svg").read_bytes() for name in "ab")
        assert first == second and len(first) > 10_000
        assert (tmp_path / f"{kind}_a.png").stat().st_size > 5_000
