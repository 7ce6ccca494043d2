"""Contributions of known words by distance to the site: against a slow reference, and on a planted effect."""

import numpy as np
import pytest
from scipy.stats import binomtest

from nucleotune.attribution.contributions import DEEPLIFT, Explained
from nucleotune.attribution.onehot import one_hot
from nucleotune.attribution.words import FIRST, LAST, WIDTH, covered, gains_of_words

LENGTH = 200


def motif(word: str) -> np.ndarray:
    """Shares of a motif; Y is C or T."""
    rows = {"A": [1, 0, 0, 0], "C": [0, 1, 0, 0], "T": [0, 0, 0, 1], "Y": [0, 0.5, 0, 0.5]}
    return 0.88 * np.array([rows[letter] for letter in word], dtype=float) + 0.03


MOTIFS = {"a.1": motif("AATAAA"), "a.2": motif("TATAAA"), "b.1": motif("YAAA")}
WORDS = {"a": ("AATAAA", "TATAAA"), "b": ("CAAA", "TAAA")}


def explained(sequences: list[str], actual: np.ndarray, sites: np.ndarray) -> Explained:
    n, length = actual.shape
    return Explained(
        DEEPLIFT,
        np.array([str(i) for i in range(n)]),
        one_hot(sequences),
        np.zeros((n, length, 4), dtype=np.float32),
        actual.astype(np.float32),
        *(np.zeros(n),) * 2,
        mutated=np.zeros(0, dtype=np.int64),
        effects=np.zeros((0, length, 4), dtype=np.float32),
        sites=sites,
    )


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("AAACGTTT"), LENGTH)) for _ in range(60)]
    sites = rng.integers(80, 150, len(sequences))
    sites[:3] = -1
    return sequences, rng.normal(size=(len(sequences), LENGTH)), sites


def slow_cover(sequence: str, words: tuple[str, ...]) -> set[int]:
    found = set()
    for word in words:
        for begin in range(len(sequence) - len(word) + 1):
            if sequence[begin : begin + len(word)] == word:
                found |= set(range(begin, begin + len(word)))
    return found


def test_equal_to_a_slow_reference(drawn):
    sequences, actual, sites = drawn
    expected = {}
    for element, words in WORDS.items():
        covers = [slow_cover(sequence, words) for sequence in sequences]
        for begin in range(FIRST, LAST, WIDTH):
            higher = []
            for cover, values, site in zip(covers, actual.astype(np.float32), sites, strict=True):
                places = range(max(site + begin, 0), max(min(site + begin + WIDTH, LENGTH), 0))
                inside = [values[i] for i in places if i in cover]
                outside = [values[i] for i in places if i not in cover]
                if site >= 0 and inside and outside:
                    higher.append(np.mean(inside) > np.mean(outside))
            if higher:
                expected[element, begin] = (len(higher), np.mean(higher))
    table = gains_of_words(explained(sequences, actual, sites), MOTIFS)
    assert (table["end"] - table["begin"] == WIDTH).all()
    found = {
        (row.element, row.begin): (row.n, pytest.approx(row.share)) for row in table.itertuples()
    }
    assert expected == found and len(found) > 20
    one = table.iloc[5]
    interval = binomtest(round(one["share"] * one["n"]), one["n"]).proportion_ci(method="wilson")
    assert (one["ci_low"], one["ci_high"]) == pytest.approx(tuple(interval))


def test_a_planted_effect_is_seen_where_it_is(drawn):
    sequences, actual, sites = drawn
    for row, (sequence, site) in enumerate(zip(sequences, sites, strict=True)):
        for place in slow_cover(sequence, WORDS["b"]):
            actual[row, place] += 3 * (-30 <= place - site < -10)
    table = gains_of_words(explained(sequences, actual, sites), MOTIFS)
    table = table[table["element"] == "b"].set_index("begin")
    assert (table.loc[[-30, -20], "ci_low"] > 0.6).all()
    assert table["share"].drop([-30, -20]).max() < 0.8


def test_covered_nucleotides():
    found = covered(one_hot(["GGTAAAGGCAAAA", "GGGGGGGGGGGGG"]), [MOTIFS["b.1"]])
    assert "".join("x" if one else "." for one in found[0]) == "..xxxx..xxxx."
    assert not found[1].any()
    assert not covered(one_hot(["TAA"]), [MOTIFS["b.1"]]).any()


def test_without_sites_or_motifs_the_table_is_empty(drawn):
    sequences, actual, sites = drawn
    for of, motifs in ((np.full_like(sites, -1), MOTIFS), (sites, {})):
        table = gains_of_words(explained(sequences, actual, of), motifs)
        assert table.empty and table.columns[0] == "element"
