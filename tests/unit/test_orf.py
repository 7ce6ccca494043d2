import itertools
import re

import numpy as np
import pytest

from nucleotune.sequence.orf import Orf, find_orfs, find_orfs_within, longest_orf, longest_orfs

STOPS = ("TAA", "TAG", "TGA")
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reference_orf(sequence: str) -> Orf:
    """CPC2: frame by frame, on after each ORF; then the longest, of equals the first."""
    found = []
    for frame in range(3):
        codons = [sequence[i : i + 3] for i in range(frame, len(sequence) - 2, 3)]
        number = 0
        while number < len(codons):
            if codons[number] != "ATG":
                number += 1
                continue
            first = number
            while number < len(codons) and codons[number] not in STOPS:
                number += 1
            has_stop = number < len(codons)
            number += has_stop
            found.append(Orf(frame + 3 * first, frame + 3 * number, has_stop))
    return min(found, key=lambda orf: (orf.start - orf.end, orf.start), default=Orf(0, 0, False))


def every_atg_orf(sequence: str) -> Orf:
    """LncFinder: every ATG in turn, nested ones too; the first of the longest."""
    best = Orf(0, 0, False)
    for match in re.finditer("ATG", sequence):
        end = match.start()
        while end + 3 <= len(sequence) and sequence[end : end + 3] not in STOPS:
            end += 3
        has_stop = end + 3 <= len(sequence)
        end += 3 * has_stop
        if end - match.start() > best.end - best.start:
            best = Orf(match.start(), end, has_stop)
    return best


def both_strands_orf(sequence: str) -> Orf:
    forward = reference_orf(sequence)
    start, end, has_stop, _ = reference_orf(sequence.translate(COMPLEMENT)[::-1])
    if end - start <= forward.end - forward.start:
        return forward
    return Orf(len(sequence) - end, len(sequence) - start, has_stop, -1)


def random_sequences(unit: str, n: int = 2_000) -> list[str]:
    rng = np.random.default_rng(7)
    # Codons make nested starts, ties and early stops frequent, on both strands; shifts mix the frames.
    codons = ["ATG", "ATG", "TAA", "TGA", "CCC", "CAT", "TTA", "A", "TG", "N"]
    words = list("ACGTN") if unit == "base" else codons
    return ["".join(rng.choice(words, size)) for size in rng.integers(0, 200, n)]


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("", (0, 0, False)),
        ("A", (0, 0, False)),
        ("AT", (0, 0, False)),
        ("ATG", (0, 3, False)),
        ("CATGC", (1, 4, False)),
        ("CCCCCC", (0, 0, False)),
        ("ATGTAA", (0, 6, True)),
        ("ATGTAG", (0, 6, True)),
        ("ATGTGA", (0, 6, True)),
        ("ATGTGG", (0, 6, False)),
        ("TAAATGCCC", (3, 9, False)),
        ("ATGCCCTAACC", (0, 9, True)),
        # No stop: up to the last complete codon.
        ("CCATGAAACC", (2, 8, False)),
        # A nested ATG opens nothing, also where the outer ORF has no stop.
        ("ATGATGATGTAA", (0, 12, True)),
        ("ATGATGATGCC", (0, 9, False)),
        # The scan goes on after a stop: the second ORF of the frame is the longer.
        ("ATGTAAATGCCCCCCTAA", (6, 18, True)),
        # Equal length: the first start, in one frame and across frames; frame 2 starts at 2 here.
        ("ATGTAAATGTAA", (0, 6, True)),
        ("CCATGTAACATGTAA", (2, 8, True)),
        ("CATGTAAATGTAAC", (1, 7, True)),
        # Equal length, the later one complete: the first all the same.
        ("ATGCCATGTAA", (0, 9, False)),
        ("CCCCATGCCCATGTAG", (4, 16, True)),
        # N is in no start or stop codon.
        ("NTGCCCTAA", (0, 0, False)),
        ("ATGTNATAG", (0, 9, True)),
        ("ATGNNN", (0, 6, False)),
    ],
)
def test_convention(sequence, expected):
    assert longest_orf(sequence) == Orf(*expected)


def test_equals_reference_on_all_short_sequences():
    sequences = ["".join(s) for n in range(9) for s in itertools.product("ATG", repeat=n)]
    for sequence, orf in zip(sequences, longest_orfs(sequences), strict=True):
        assert orf == reference_orf(sequence) == every_atg_orf(sequence), sequence


@pytest.mark.parametrize("unit", ["base", "codon"])
def test_equals_both_references_on_random_sequences(unit):
    sequences = random_sequences(unit)
    expected = [reference_orf(sequence) for sequence in sequences]
    assert longest_orfs(sequences) == expected == [every_atg_orf(s) for s in sequences]
    assert longest_orfs(iter(sequences)) == expected
    assert sum(orf.has_stop for orf in expected) > 200
    assert sum(orf.end > 0 and not orf.has_stop for orf in expected) > 200


@pytest.mark.parametrize(
    "sequence",
    ["ATG" * 500, "ATG" * 500 + "TAA", "ATGA" * 300, "N" * 50, "TAATAGTGA" * 20, "ATGTAA" * 99],
)
def test_equals_both_references_on_repeats(sequence):
    for cut in range(4):
        part = sequence[cut:]
        assert longest_orf(part) == reference_orf(part) == every_atg_orf(part)
        assert longest_orf(part, both_strands=True) == both_strands_orf(part)


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("", (0, 0, False, 1)),
        ("CAT", (0, 3, False, -1)),
        ("CCAT", (1, 4, False, -1)),
        # Reverse complement CATGCCCTAAG: its ORF (1, 10) mirrored.
        ("CTTAGGGCATG", (1, 10, True, -1)),
        # Without stop, to the last complete codon: here the first letter is left over.
        ("CCCCCAT", (1, 7, False, -1)),
        # Equal lengths: forward.
        ("ATGCAT", (0, 6, False, 1)),
        ("TTACATATGTAA", (6, 12, True, 1)),
        ("TTACCCCATATGTAA", (0, 9, True, -1)),
    ],
)
def test_both_strands(sequence, expected):
    assert longest_orf(sequence, both_strands=True) == Orf(*expected)


@pytest.mark.parametrize("unit", ["base", "codon"])
def test_both_strands_equal_reference(unit):
    sequences = random_sequences(unit)
    found = longest_orfs(sequences, both_strands=True)
    assert found == [both_strands_orf(sequence) for sequence in sequences]
    assert 400 < sum(orf.strand == -1 for orf in found) < 1_600


def test_columns():
    orfs = find_orfs(["CATGTAAC", "", "TTACAT", "CCATGC"], both_strands=True)
    assert [column.tolist() for column in orfs] == [
        [1, 0, 0, 2],
        [7, 0, 6, 5],
        [True, False, True, False],
        [1, 1, -1, 1],
    ]
    assert [column.dtype.name for column in orfs] == ["int64", "int64", "bool", "int8"]
    assert [column.shape for column in find_orfs([])] == [(0,)] * 4


def test_windows_of_one_buffer_are_sequences_of_their_own():
    rng = np.random.default_rng(3)
    text = "".join(rng.choice(["ATG", "TAA", "CAT", "A", "CC"], 400))
    begins = rng.integers(0, len(text), 300)
    ends = np.minimum(begins + rng.integers(0, 200, 300), len(text))
    windows = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    letters = np.frombuffer(text.encode(), dtype=np.uint8)
    for both_strands in (False, True):
        within = find_orfs_within(letters, begins, ends, both_strands=both_strands)
        alone = find_orfs(windows, both_strands=both_strands)
        assert [c.tolist() for c in within] == [c.tolist() for c in alone]
        assert len(set(within.start.tolist())) > 20
