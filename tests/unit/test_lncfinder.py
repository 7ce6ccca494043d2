"""LncFinder's features against the authors' R package 1.1.6 on our own sequences, and against a slow reference."""

import random
from collections import Counter
from itertools import product
from math import log

import numpy as np
import pandas as pd
import pytest

from nucleotune.baselines import fit_predict, lncfinder
from nucleotune.baselines.lncfinder_distance import NO_LETTER, count_words, log_distances
from nucleotune.baselines.svm import SampleScaler, fit_svm
from nucleotune.errors import InputError
from nucleotune.sequence.eiip import eiip_features
from nucleotune.sequence.orf import longest_orf
from nucleotune.sequence.structure import Fold, fold_sequences


def noise(seed: int, length: int, gc: float) -> str:
    at, gc = (1 - gc) / 2, gc / 2
    return "".join(random.Random(seed).choices("ACGT", [at, gc, gc, at], k=length))


SEQUENCES = {
    "at_rich": noise(1000, 220, 0.30),
    "long": noise(1007, 3200, 0.45),
    "prime_length": (
        "TGTGGGTCGGCGAGCGCGCTCCCGGTCAAGTGTCAAGACGAGACTCGGCCCACCATGGAGACAACGCGGGTGCTCAACAAACCAAACCGGATACCGAGG"
        "GCGCTTTTAATCTTCGTCTAGAATCAAGACCGCATGTTCCAGTAAGTACTCGGGCTTCCCACGGCTAACCTCTGTGCCTTTATGATTAAGAATTTTGAAA"
    ),
    "short": "TCAACGCATGACTAATAAGTAGCGCTAGCT",
}

# The tool's ORF.Max.Len, ORF.Max.Cov, Signal.Peak, SNR, Signal.Min, Signal.Q1, Signal.Q2, Signal.Max.
GOLDEN = {
    "at_rich": (
        *(72, 0.327272727272727, 0.114848086595389, 0.0323948727670356),
        *(0.0980037220237359, 0.114848086595389, 0.128367794137539, 0.204397553760459),
    ),
    "long": (
        *(216, 0.0675, 4.94331072758837, 0.104100097479862),
        *(3.21485705130948, 3.7042620622433, 4.43872364341255, 11.0020120994283),
    ),
    "prime_length": (
        *(66, 0.331658291457286, 0.316283045620583, 0.109861800833555),
        *(0.240113694246586, 0.263365237986351, 0.350067701696474, 0.751965042762264),
    ),
    "short": (
        *(15, 0.5, 0.037108891378018, 0.0827979875092861),
        *(0.037108891378018, 0.037108891378018, 0.037108891378018, 0.03924361),
    ),
}

# Structure, MFE and UP.PCT that the tool worked with and gave; RNAfold's defaults.
GOLDEN_FOLDS = {
    "at_rich": (
        "..........(((((.....((((.((((((....))))))))))............((((.(((.(((((((((((..(((...)))..)))....))))))))..))).)))).."
        "....((((((((.........))))))))))))).((((((((..(((((.....((((................))))....)))))..)))))))).....",
        *(-27.2, 0.0958904109589041),
    ),
    "prime_length": (
        ".(((((..(((((((((.(((((((((.(((.((.....)).))).)((((.(..((....))..).))))..............))))).....))).))))))......."
        "..((((.......))))........(((((....))).))))).)))))(((..........)))......................",
        *(-50.0, 0.116161616161616),
    ),
    "short": ("....(((...(((....))).)))......", -3.1, 0.137931034482759),
}

HEXAMERS = ["".join(word) for word in product("ACGT", repeat=6)]
UNPAIRED_WORDS = ["".join(word) for word in product("acguD", repeat=4)]
PAIRED_WORDS = ["".join(word) for word in product("acguACGU", repeat=3)]


@pytest.mark.parametrize("name", GOLDEN)
def test_orf_and_spectrum_equal_the_tool(name):
    row = lncfinder.features([SEQUENCES[name]], np.ones((2, 4096)) / 4096)[0]
    np.testing.assert_allclose(row[[0, 1, *range(5, 11)]], GOLDEN[name], rtol=1e-12)


@pytest.mark.parametrize("name", GOLDEN_FOLDS)
def test_fold_and_its_features_equal_the_tool(name):
    dot_bracket, mfe, share = GOLDEN_FOLDS[name]
    folds = fold_sequences([SEQUENCES[name]])
    assert folds == [Fold(dot_bracket, mfe)]
    reference = lncfinder.StructureReference(np.ones((2, 625)) / 625, np.ones((2, 512)) / 512)
    row = lncfinder.structure_features([SEQUENCES[name]], folds, reference)[0]
    np.testing.assert_allclose(row[[6, 7]], [mfe, share], rtol=1e-12)


def test_distance_by_hand():
    codes = np.array([0, 0, 1, 0, 0, NO_LETTER, 1], dtype=np.uint8)
    begins, ends = np.array([0, 3, 5, 5]), np.array([3, 6, 6, 7])
    references = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
    distances, totals = log_distances(codes, begins, ends, references, alphabet=2, k=1, step=1)
    assert totals.tolist() == [3, 2, 0, 1]
    expected = [
        # Both words shared; then one shared and one that the reference lacks.
        [(log(4 / 3) + log(2 / 3)) / 3, (log(2 / 3) + 1) / 3, (log(8 / 3) + log(4 / 9)) / 3],
        # Only the first word is there: the second counts where the reference has it, and where it lacks it.
        [(log(2) - 1) / 2, (log(1) + 1) / 2, (log(4) - 1) / 2],
        [0, 0, 0],
        # None of the reference's words.
        [log(2) - 1, 0 - 1 + 1, log(4 / 3) - 1],
    ]
    np.testing.assert_allclose(distances, expected, rtol=1e-14, atol=1e-15)


def words(text: str, k: int, step: int, known: list[str]) -> Counter:
    found = (text[i : i + k] for i in range(0, len(text) - k + 1, step))
    return Counter(word for word in found if word in set(known))


def reference_distances(counts: Counter, known: list[str], frequencies: np.ndarray) -> list[float]:
    """Word by word, to lncRNAs and to mRNAs, and the ratio."""
    result = []
    for reference in frequencies:
        total = 0.0
        for word, frequency in zip(known, reference, strict=True):
            if frequency == 0:
                total += 1
            elif counts[word] == 0:
                total -= 1
            else:
                total += log(counts[word] / counts.total() / frequency)
        result.append(total / counts.total())
    return [*result, result[0] / result[1]]


def reference_features(sequence: str, hexamers: np.ndarray) -> list[float]:
    orf = longest_orf(sequence)
    counts = words(sequence[orf.start : orf.end], 6, 3, HEXAMERS)
    if counts.total() < 3:
        counts = words(sequence, 6, 3, HEXAMERS)
    potentials = {"A": 0.126, "C": 0.134, "G": 0.0806, "T": 0.1335, "N": 0.0}
    power = np.abs(np.fft.fft([potentials[letter] for letter in sequence])) ** 2
    third = round(len(sequence) / 3)
    peak = max(power[third - 3 : third + 2])
    inner = sorted(power[1:-1], reverse=True)
    top = inner[: round(len(inner) / 10)]
    return [
        *(orf.end - orf.start, (orf.end - orf.start) / len(sequence)),
        *reference_distances(counts, HEXAMERS, hexamers),
        *(peak, peak / (sum(power) / len(power))),
        *np.quantile(top, [0, 0.25, 0.5, 1]),
    ]


def reference_structure_features(sequence: str, fold: Fold, reference) -> list[float]:
    bases = sequence.replace("T", "U").lower()
    signs = list(zip(bases, fold.dot_bracket, strict=True))
    unpaired = "".join("D" if sign == "." else base for base, sign in signs)
    paired = "".join(base if sign == "." else base.upper() for base, sign in signs)
    shape = "".join("U" if sign == "." else "P" for _, sign in signs)
    return [
        *reference_distances(
            words(unpaired, 4, 1, UNPAIRED_WORDS), UNPAIRED_WORDS, reference.unpaired
        ),
        *reference_distances(words(paired, 3, 1, PAIRED_WORDS), PAIRED_WORDS, reference.paired),
        fold.mfe,
        shape.count("UP") / (len(shape) - 1),
    ]


def frequencies(rng: np.random.Generator, n: int) -> np.ndarray:
    """Two tables of `n` frequencies, a third of them 0."""
    table = rng.random((2, n)) * (rng.random((2, n)) > 1 / 3)
    return table / table.sum(axis=1, keepdims=True)


def test_equals_reference():
    rng = np.random.default_rng(5)
    sequences = ["".join(rng.choice(list("ACGT"), n)) for n in rng.integers(30, 400, 15)]
    sequences += ["".join(rng.choice(list("ACGTN"), n)) for n in rng.integers(60, 200, 5)]
    # No ATG; an ORF of two hexamers, and one of three.
    sequences += ["CCA" * 30, "CATGCCCTAA" + "C" * 50, "CATGCCCGCCTAA" + "C" * 50]
    hexamers = frequencies(rng, 4096)
    table = lncfinder.features(sequences, hexamers)
    assert table.shape == (len(sequences), len(lncfinder.FEATURES))
    expected = [reference_features(sequence, hexamers) for sequence in sequences]
    # A spectrum without power at a frequency is 0 but for rounding.
    np.testing.assert_allclose(table, expected, rtol=1e-10, atol=1e-20)


def test_structure_equals_reference():
    rng = np.random.default_rng(6)
    sequences = ["".join(rng.choice(list("ACGT"), n)) for n in rng.integers(20, 90, 12)]
    sequences.append("GGGGNNNAAAANNCCCCAN")
    folds = fold_sequences(sequences)
    reference = lncfinder.StructureReference(frequencies(rng, 625), frequencies(rng, 512))
    table = lncfinder.structure_features(sequences, folds, reference)
    assert table.shape == (len(sequences), len(lncfinder.STRUCTURE_FEATURES))
    expected = [
        reference_structure_features(sequence, fold, reference)
        for sequence, fold in zip(sequences, folds, strict=True)
    ]
    np.testing.assert_allclose(table, expected, rtol=1e-10)
    assert (table[:, 6] < 0).sum() > 8, "too few of them fold"


@pytest.mark.parametrize("sequence", ["A", "AC", "N", "NNNNNNNNNN", "ATG", "ACGTA"])
def test_very_short_transcripts_have_finite_features(sequence):
    table = lncfinder.features([sequence], np.ones((2, 4096)) / 4096)
    assert np.isfinite(table).all()
    assert (table[:, 2:5] == 0).all()
    reference = lncfinder.StructureReference(np.ones((2, 625)) / 625, np.ones((2, 512)) / 512)
    folds = fold_sequences([sequence])
    assert np.isfinite(lncfinder.structure_features([sequence], folds, reference)).all()


def test_spectrum_of_a_period_of_three_peaks_at_a_third():
    periodic, mixed = eiip_features(["GCC" * 100, noise(1, 300, 0.5)])
    assert periodic[1] > 20 * mixed[1]


def test_hexamer_frequencies_read_lncrnas_whole_and_mrnas_in_their_orf():
    mrna = "CCATGGCCGCCGCCTAACCCCCC"
    lncrna = "AAAAAATTTCCC"
    # An ORF under 12 nt and none at all add nothing.
    sequences = [mrna, lncrna, "CATGCCCTAACC", "CCCCCCCCCCCC"]
    table = lncfinder.hexamer_frequencies(sequences, np.array([0, 1, 0, 0]))
    found = [
        {word: frequency for word, frequency in zip(HEXAMERS, row, strict=True) if frequency}
        for row in table
    ]
    assert found == [
        pytest.approx({"AAAAAA": 1 / 3, "AAATTT": 1 / 3, "TTTCCC": 1 / 3}),
        pytest.approx({"ATGGCC": 0.25, "GCCGCC": 0.5, "GCCTAA": 0.25}),
    ]


def test_structure_frequencies_by_hand():
    # acguD: DGDC and so on; the classes in the order lncRNA, mRNA.
    folds = [Fold("(..)", 0.0), Fold("....", 0.0)]
    unpaired, paired = lncfinder.structure_frequencies(
        ["GAAC", "ACGT"], folds, labels=np.array([1, 0])
    )
    for table, known, expected in (
        (unpaired, UNPAIRED_WORDS, [{"gDDc": 1.0}, {"DDDD": 1.0}]),
        (paired, PAIRED_WORDS, [{"Gaa": 0.5, "aaC": 0.5}, {"acg": 0.5, "cgu": 0.5}]),
    ):
        assert [
            {word: frequency for word, frequency in zip(known, row, strict=True) if frequency}
            for row in table
        ] == expected


def test_words_are_counted_once_a_window():
    codes = np.array([0, 1, 1, 0, 1, NO_LETTER, 1, 1], dtype=np.uint8)
    counts = count_words(codes, np.array([0, 3]), np.array([5, 8]), alphabet=2, k=2, step=1)
    # 01 11 10 01 in the first window, 01 11 in the second, whose other two words hold no letter.
    assert counts.tolist() == [0, 3, 1, 2]


@pytest.mark.parametrize(
    ("labels", "name"), [([1, 1], "mRNA"), ([0, 0], "lncRNA"), ([0, 1], "lncRNA")]
)
def test_a_class_without_words_is_refused(labels, name):
    sequences = ["ATGGCCGCCGCCTAA", "ATGGCCGCCGCCTAA" if labels != [0, 1] else "ACG"]
    with pytest.raises(InputError, match=f"class {name}"):
        lncfinder.hexamer_frequencies(sequences, np.array(labels))


def test_long_sequences_are_folded_in_equal_pieces():
    sequence = noise(3, 250, 0.5)
    pieces = [sequence[:83], sequence[83:166], sequence[166:]]
    alone = fold_sequences(pieces)
    joined = fold_sequences([sequence], max_fold=100)[0]
    assert joined.dot_bracket == "".join(fold.dot_bracket for fold in alone)
    assert joined.mfe == pytest.approx(sum(fold.mfe for fold in alone), abs=1e-9)
    whole = fold_sequences([sequence])[0]
    assert whole == fold_sequences([sequence], max_fold=250)[0]
    assert whole.mfe < joined.mfe < 0


def test_processes_do_not_change_folds():
    sequences = [noise(seed, 40 + 7 * seed, 0.5) for seed in range(12)]
    alone = fold_sequences(sequences, max_fold=60)
    assert fold_sequences(sequences, max_fold=60, threads=2) == alone
    assert len({fold.mfe for fold in alone}) > 5


def test_scaling_is_that_of_r():
    x = np.random.default_rng(0).normal(3, 2, (9, 2))
    scaled = SampleScaler().fit_transform(x)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(scaled.std(axis=0, ddof=1), 1)
    options = {"c_grid": [1.0], "gamma_grid": [1.0], "folds": 3, "max_train": 9, "seed": 0}
    model, _ = fit_svm(x, np.arange(9) % 2, scale=None, **options)
    np.testing.assert_allclose(model[0].transform(x), scaled)


def hairpin(rng: np.random.Generator) -> str:
    stem = "".join(rng.choice(list("GC"), 20))
    return stem + "AAAA" + stem[::-1].translate(str.maketrans("GC", "CG"))


@pytest.fixture(scope="module")
def folding_examples() -> pd.DataFrame:
    """Classes of one composition: label 1 is a hairpin, label 0 the same letters in another order, in an ORF."""
    rng = np.random.default_rng(8)
    n = 90
    labels = np.arange(n) % 2
    sequences = [hairpin(rng) for _ in range(n)]
    for i in np.flatnonzero(labels == 0):
        sequences[i] = "".join(rng.permutation(list(sequences[i])))
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "sequence": [f"ATG{sequence}TAA" for sequence in sequences],
            "label": labels.astype(np.int8),
            "split": ["train"] * 60 + ["test"] * 30,
            "group": "",
        }
    )


SVM = {"c_grid": [8.0], "gamma_grid": [0.125], "folds": 3, "max_train": 1_000}


def run(baseline, examples, **options):
    return fit_predict(
        baseline, examples, train_splits=["train"], options={**SVM, **options}, seed=1
    )


def test_structure_tells_hairpins_from_shuffles(folding_examples):
    folding = {"max_fold": None, "threads": 1}
    predictions, info = run("lncfinder_structure", folding_examples, **folding)
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    assert (predictions["predicted"] == (predictions["score"] > 0)).all()
    assert info["rows_used"] == info["rows_available"] == 60
    again, _ = run("lncfinder_structure", folding_examples, **folding)
    pd.testing.assert_frame_equal(predictions, again, check_exact=True)
    without, _ = run("lncfinder", folding_examples)
    assert (without["predicted"] == without["label"]).mean() < 0.85


def test_scored_rows_do_not_reach_the_references(folding_examples):
    other = folding_examples.copy()
    scored = other["split"] == "test"
    other.loc[scored.to_numpy() & (np.arange(len(other)) > 75), "sequence"] = "ATG" * 40
    for baseline, options in (("lncfinder", {}), ("lncfinder_structure", {"max_fold": 100})):
        before, _ = run(baseline, folding_examples, threads=1, **options)
        after, _ = run(baseline, other, threads=1, **options)
        assert before["score"][:15].tolist() == after["score"][:15].tolist()
        assert before["score"][16:].tolist() != after["score"][16:].tolist()
