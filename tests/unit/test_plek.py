"""PLEK's features against the authors' tool 1.2, run on our own sequences."""

import random
from itertools import product

import numpy as np
import pytest

from nucleotune.baselines.plek import N_FEATURES, features

WORDS = ["".join(letters) for k in range(1, 6) for letters in product("AGCT", repeat=k)]


def noise(seed: int, length: int, gc: float) -> str:
    at, gc = (1 - gc) / 2, gc / 2
    return "".join(random.Random(seed).choices("ACGT", [at, gc, gc, at], k=length))


WITH_N = """
TGCCTGCTACCGCCTATCACCCTTTGGATTCTCCGACACACGAACTGCGCTATCGCTGTCATGGAAGTACNAGGGAGGGCCGCTGCGTACAGCAAC
ACGCCCAACCCNGAGATTCCAAACTACTACTGGGTGGGAGGCGAGGACNCCCATGACGTGGACCTGACGCCGGGGCAGGTCACGTNCGCAGAAACG
GCATCAGATATCGAACAGGCCCAACCNGTGCCCATGATCCCCCGGTTAGCGAGGGCCTCCATTNAGACAATGCCAAAGGCTACAGTACCTGAGAAA
ATCANCCGGATCTCCACAGTTTTATGGGGAGGGAAGGGGGGNACCGTGGACAGCCTAGAAGTGTTAACCAGGAACTGGNCCGTGTTGAACGGCCAG
CACCTCAACGTTGGTTCCANCACCTCCATCGCCGCAGGGCAGACAACTAAGAATGANGACTGCCTGTAACTGTTGGTATTTTGTCAGATTCGTNGT
TGACGCGACGTATTTCAGCCTCAAAATATTGACCNTTCGTGAAGGTCGCGCTTATGGATAGACAGCGATGANGGCCCATATCCTACCACAAATGTC
TTTTCATTGATCNTTTTTATATTTCACAGGAAATAAGTATCGATCCATGNTTACCCTTTCTCGTGGATAATTATGCA
"""
WITH_POLY_A = """
ATGCCGCCACTAGCGGCCACGGTATTAGAGGTGAAGTCGCCTGTTTTACAACGGACACGAGAGACATGCTACGACAAGTTTAACCGGAAGCTAGTG
CTTGGCGTCAAGGGACTCGGCAGCGGTGAGCGTGGTGAGGCGGACGTACAAGCTTTTGGTGTAATCGTTATAATAAATCTCGGAAACCTGCTGAAG
TGCCCGCCCGCTTCGGGGTGCGAGGACTTACCGCCTTTCGATCACAATATAGGCTTCACTGCTCTCCGGGACTCTGCGTGA
"""
SEQUENCES = {
    "short": noise(1000, 220, 0.30),
    "long": noise(1008, 4800, 0.50),
    "with_n": WITH_N.replace("\n", ""),
    "poly_a": WITH_POLY_A.replace("\n", "") + "A" * 300,
}

# Number of words present, the printed values' sum, and some values by the tool's feature number.
GOLDEN = {
    "short": (
        336,
        1.332031284,
        {1: 0.001296165, 2: 0.000372869, 3: 0.000568182, 4: 0.001669034, 5: 0.001712329,
         6: 0.000428082, 12: 0.000499429, 20: 0.002711187, 21: 0.002580275, 40: 0.000573394,
         84: 0.004587156, 85: 0.004608295, 100: 0.003456221, 340: 0.008064516, 341: 0.009259259,
         389: 0.018518519, 536: 0.023148148, 1352: 0.018518519, 1364: 0.013888889},
    ),
    "long": (
        1357,
        1.332031131,
        {1: 0.000969238, 2: 0.000953776, 3: 0.001011556, 4: 0.00097168, 5: 0.00091816,
         6: 0.000892113, 12: 0.000976766, 20: 0.000911648, 21: 0.00097697, 40: 0.000989996,
         84: 0.000924865, 85: 0.001302898, 100: 0.000938086, 211: 0.001302898, 340: 0.000938086,
         341: 0.001668057, 483: 0.002919099, 500: 0.001251043, 519: 0.002710592,
         1100: 0.001668057, 1218: 0.002919099, 1364: 0.000417014},
    ),
    "with_n": (
        732,
        1.178678396,
        {1: 0.000969085, 2: 0.000963103, 3: 0.001022923, 4: 0.000855427, 5: 0.00086273,
         6: 0.000838765, 12: 0.000718942, 20: 0.00091066, 21: 0.000864055, 40: 0.001056068,
         84: 0.00124808, 85: 0.000769231, 100: 0.000384615, 211: 0.000384615, 340: 0.001923077,
         413: 0.004622496, 500: 0.001540832, 666: 0.004622496, 765: 0.006163328,
         1364: 0.001540832},
    ),
    "poly_a": (
        493,
        1.332031129,
        {1: 0.002467823, 2: 0.000552192, 3: 0.000463569, 4: 0.000422666, 5: 0.008604677,
         6: 0.000464379, 12: 0.000464379, 20: 0.000437063, 21: 0.032946585, 40: 0.000109457,
         84: 0.000656743, 85: 0.130701754, 340: 0.000877193, 341: 0.521968366, 713: 0.005272408,
         1007: 0.005272408},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_tool(name):
    present, total, values = GOLDEN[name]
    row = features([SEQUENCES[name]])[0]
    assert np.count_nonzero(row) == present
    measured = [row[number - 1] for number in values]
    np.testing.assert_allclose(measured, list(values.values()), rtol=0, atol=1e-9)
    # 1,364 printed values, each rounded to nine digits.
    assert row.sum() == pytest.approx(total, abs=present * 5e-10)


def reference_features(sequence: str) -> list[float]:
    """Every window of every word, compared as text."""
    row = []
    for word in WORDS:
        k = len(word)
        windows = len(sequence) - k + 1
        count = sum(sequence[i : i + k] == word for i in range(windows))
        row.append(count / windows / 4 ** (5 - k) if count else 0.0)
    return row


def test_equals_reference():
    rng = np.random.default_rng(5)
    sequences = ["A", "N", "ACG", "TTTTT", "NNNNNN", "ACGTN" * 4]
    sequences += ["".join(rng.choice(list("ACGTN"), n)) for n in rng.integers(1, 120, 15)]
    table = features(sequences)
    assert table.shape == (len(sequences), N_FEATURES) == (len(sequences), len(WORDS))
    expected = [reference_features(sequence) for sequence in sequences]
    np.testing.assert_allclose(table, expected, rtol=1e-14, atol=0)


def test_transcripts_below_the_tools_minimum_are_not_dropped():
    assert features(["ACGT" * 30])[0].sum() > 0
