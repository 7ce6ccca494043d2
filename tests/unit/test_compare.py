"""Motif matches: exact chances against all random motifs, one by one."""

from itertools import product

import numpy as np
import pytest

from nucleotune.attribution.compare import STEP, match, read_motifs
from nucleotune.attribution.onehot import BASES

RICH = np.array([0.4, 0.1, 0.15, 0.35])


def word(letters, share=0.91):
    rows = np.full((len(letters), 4), (1 - share) / 3)
    rows[np.arange(len(letters)), [BASES.index(letter) for letter in letters]] = share
    return rows


def steps(pattern, motif):
    """Sum of rounded distances of two matrices of one width."""
    return np.rint(np.linalg.norm(pattern - motif, axis=1) / STEP).sum()


@pytest.mark.parametrize("letters", ["TATA", "GAAA"])
def test_chance_is_that_of_all_motifs(letters):
    """4 columns, one alignment: the share of all 256 words, by composition, that are as near."""
    generator = np.random.default_rng(0)
    pattern, motif = generator.dirichlet([0.4] * 4, size=4), word(letters)
    own = steps(pattern, motif)
    expected = sum(
        np.prod([RICH[BASES.index(letter)] for letter in other])
        for other in map("".join, product(BASES, repeat=4))
        if steps(pattern, word(other)) <= own
    )
    found = match(pattern, slice(0, 4), motif, RICH)
    assert found.begin == 0
    assert found.p == pytest.approx(expected)


def test_best_of_several_alignments():
    """Within a wider core: Sidak's rule over three places."""
    pattern = np.concatenate([word("G", 0.7), word("AATA", 0.8), word("C", 0.7)])
    found = match(pattern, slice(0, 6), word("AATA"), RICH)
    alone = match(pattern[1:5], slice(0, 4), word("AATA"), RICH)
    assert found.begin == 1 and alone.begin == 0
    assert alone.p == pytest.approx(0.4**3 * 0.35)
    assert found.p == pytest.approx(1 - (1 - alone.p) ** 3)


def test_a_wider_motif_covers_the_core():
    """The columns beside the core count where a motif reaches out of it, and those that the pattern has not do not."""
    pattern = word("TTTCAAATTT", 0.8)
    whole = match(pattern, slice(3, 6), word("TTTCAAATTT"), RICH)
    narrow = match(pattern[3:6], slice(0, 3), word("TTTCAAATTT"), RICH)
    assert whole.begin == 0 and narrow.begin == -3
    assert whole.p < narrow.p / 100


def test_columns_of_two_letters():
    motif = np.array([[0.03, 0.47, 0.03, 0.47], *word("AA")])
    for letters in ("CAA", "TAA"):
        assert match(word(letters), slice(0, 3), motif, RICH).p < 0.2
    assert match(word("GAA"), slice(0, 3), motif, RICH).p > 0.15


def test_rna_and_names(tmp_path):
    path = tmp_path / "rna.meme"
    path.write_text(
        "MEME version 4\n\nALPHABET= ACGU\n\nMOTIF M1_0.6 UGU\n"
        "letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n0 0 0 1\n0.1 0.2 0.3 0.4\n\n"
        "MOTIF b\nletter-probability matrix: alength= 4 w= 1\n 1 0 0 0\nURL x\n"
    )
    motifs = read_motifs(path)
    assert list(motifs) == ["M1_0.6", "b"]
    assert motifs["M1_0.6"].tolist() == [[0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4]]
