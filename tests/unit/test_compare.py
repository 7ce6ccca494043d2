"""Motif matches: chances against all random motifs, one by one."""

from itertools import product

import numpy as np
import pytest

from nucleotune.attribution.compare import any_of, match
from nucleotune.sequence.alphabet import BASES

RICH = np.array([0.4, 0.1, 0.15, 0.35])


def word(letters, share=0.91):
    rows = np.full((len(letters), 4), (1 - share) / 3)
    rows[np.arange(len(letters)), [BASES.index(letter) for letter in letters]] = share
    return rows


def distance(pattern, motif):
    return np.linalg.norm(pattern - motif, axis=1).sum()


def best(pattern, motif):
    """The least distance over all places within the pattern."""
    width = len(motif)
    places = range(len(pattern) - width + 1)
    return min(distance(pattern[begin : begin + width], motif) for begin in places)


def chance(letters):
    return np.prod([RICH[BASES.index(letter)] for letter in letters])


@pytest.mark.parametrize("letters", ["TATA", "GAAA"])
@pytest.mark.parametrize("length", [4, 7])
def test_chance_is_that_of_all_motifs(letters, length):
    """The share of all 256 words, by composition, whose best alignment is as good."""
    generator = np.random.default_rng(0)
    pattern, motif = generator.dirichlet([0.4] * 4, size=length), word(letters)
    own = best(pattern, motif)
    expected = sum(
        chance(other)
        for other in map("".join, product(BASES, repeat=4))
        if best(pattern, word(other)) <= own + 1e-9
    )
    found = match(pattern, slice(0, length), [motif], RICH)
    assert found.p == pytest.approx(expected)
    assert distance(pattern[found.begin : found.begin + 4], motif) == own


def test_variants_are_one_element():
    """In a random element both variants change alike, and the better one counts."""
    pattern = word("TTGC", 0.8)
    expected = 0.0
    for letters in map("".join, product(BASES, repeat=4)):
        # TATC beside TACC: where the first's third letter T is exchanged for C, the second's C becomes T.
        third = {letters[2]: "C", "T": letters[2]}.get("C", "C") if letters[2] != "C" else "T"
        variants = [letters, letters[:2] + third + letters[3]]
        if min(distance(pattern, word(one)) for one in variants) <= distance(pattern, word("TATC")):
            expected += chance(letters)
    found = match(pattern, slice(0, 4), [word("TATC"), word("TACC")], RICH)
    assert (found.motif, found.begin) == (0, 0)
    assert found.p == pytest.approx(expected)
    assert match(word("TACC"), slice(0, 4), [word("TATC"), word("TACC")], RICH).motif == 1


def test_best_of_several_alignments():
    """Flanks cost little: overlapping places within a wider core are no independent chances."""
    pattern = np.concatenate([word("GG", 0.7), word("AATA", 0.8), word("CC", 0.7)])
    found = match(pattern, slice(0, 8), [word("AATA")], RICH)
    alone = match(pattern[2:6], slice(0, 4), [word("AATA")], RICH)
    assert found.begin == 2 and alone.begin == 0
    assert alone.p == pytest.approx(0.4**3 * 0.35)
    assert alone.p <= found.p < 2 * alone.p


def test_a_wider_motif_covers_the_core():
    """The columns beside the core count where a motif reaches out of it; beside the pattern is background."""
    pattern = word("TTTCAAATTT", 0.8)
    whole = match(pattern, slice(3, 6), [word("TTTCAAATTT")], RICH)
    narrow = match(pattern[3:6], slice(0, 3), [word("TTTCAAATTT")], RICH)
    assert whole.begin == 0 and narrow.begin == -3
    assert 0 < whole.p < narrow.p / 100


def test_variants_of_two_widths():
    variants = [word("CAAA"), word("TTTCAAATTT")]
    found = match(word("TTTCAAATTT", 0.8), slice(0, 10), variants, RICH)
    alone = match(word("TTTCAAATTT", 0.8), slice(0, 10), variants[1:], RICH)
    assert found.motif == 1 and found.p == pytest.approx(any_of(alone.p, 2))


def test_columns_of_two_letters():
    motif = np.array([[0.03, 0.47, 0.03, 0.47], *word("AA")])
    for letters in ("CAA", "TAA"):
        assert match(word(letters), slice(0, 3), [motif], RICH).p < 0.2
    assert match(word("GAA"), slice(0, 3), [motif], RICH).p > 0.15
