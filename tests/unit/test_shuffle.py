"""Shuffles keep what they promise, and reach everything they may reach equally often."""

from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest

from nucleotune.sequence.shuffle import SHUFFLES, dinucleotide, mononucleotide, shuffle_sequences

SEQUENCES = [
    "".join(np.random.default_rng(n).choice(list("ACGTN"), n, p=[0.3, 0.2, 0.2, 0.28, 0.02]))
    for n in range(0, 400, 13)
]


def pairs(sequence):
    return Counter(pairwise(sequence))


@pytest.mark.parametrize("kept", SHUFFLES)
def test_letters_are_kept_and_order_is_not(kept):
    shuffled = shuffle_sequences(SEQUENCES, kept, seed=3)
    assert [Counter(one) for one in shuffled] == [Counter(one) for one in SEQUENCES]
    assert all(a != b for a, b in zip(shuffled, SEQUENCES, strict=True) if len(a) > 20)


def test_dinucleotides_are_kept_by_one_shuffle_only():
    long = SEQUENCES[-10:]
    after = shuffle_sequences(long, "dinucleotide", seed=3)
    assert [pairs(one) for one in after] == [pairs(one) for one in long]
    assert [one[0] + one[-1] for one in after] == [one[0] + one[-1] for one in long]
    assert [pairs(one) for one in shuffle_sequences(long, "mononucleotide", seed=3)] != [
        pairs(one) for one in long
    ]


@pytest.mark.parametrize("sequence", ["ACGTACAGA", "AACATACGA", "ACATCATTA"])
@pytest.mark.parametrize("shuffle", [mononucleotide, dinucleotide])
def test_every_allowed_order_is_equally_likely(shuffle, sequence):
    """The slow reference lists all orders; chi-square of 200 draws for each, six standard deviations wide."""
    allowed = {"".join(order) for order in permutations(sequence)}
    if shuffle is dinucleotide:
        allowed = {one for one in allowed if pairs(one) == pairs(sequence)}
        assert len(allowed) > 5
    draws = 20 * len(allowed) if shuffle is mononucleotide else 200 * len(allowed)
    generator = np.random.default_rng(1)
    found = Counter(shuffle(sequence, generator) for _ in range(draws))
    assert set(found) <= allowed
    counts = np.array([found[one] for one in allowed])
    expected = draws / len(allowed)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    freedom = len(allowed) - 1
    assert abs(chi2 - freedom) < 6 * np.sqrt(2 * freedom)


def test_long_runs_do_not_stall_the_walk():
    """The only way out of each run is one step in hundreds."""
    sequence = "A" * 700 + "C" * 700 + "G" * 700 + "T"
    assert dinucleotide(sequence, np.random.default_rng(0)) == sequence


def test_same_seed_same_sequences():
    first, again, other = (shuffle_sequences(SEQUENCES, "dinucleotide", seed) for seed in (1, 1, 2))
    assert first == again != other
