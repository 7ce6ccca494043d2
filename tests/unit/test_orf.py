import itertools

import numpy as np
import pytest

from nucleotune.sequence.orf import Orf, longest_orf, longest_orfs


def reference_orf(sequence: str) -> Orf:
    """Every ORF of the convention, listed; then the longest, of equals the first."""
    found = []
    for frame in range(3):
        codons = [sequence[i : i + 3] for i in range(frame, len(sequence) - 2, 3)]
        number = 0
        while number < len(codons):
            if codons[number] != "ATG":
                number += 1
                continue
            first = number
            while number < len(codons) and codons[number] not in ("TAA", "TAG", "TGA"):
                number += 1
            has_stop = number < len(codons)
            number += has_stop
            found.append(Orf(frame + 3 * first, frame + 3 * number, has_stop))
    return min(found, key=lambda orf: (orf.start - orf.end, orf.start), default=Orf(0, 0, False))


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
    for length in range(8):
        for letters in itertools.product("ATG", repeat=length):
            sequence = "".join(letters)
            assert longest_orf(sequence) == reference_orf(sequence), sequence


@pytest.mark.parametrize("unit", ["base", "codon"])
def test_equals_reference_on_random_sequences(unit):
    rng = np.random.default_rng(7)
    # Codons make nested starts, ties and early stops frequent; shifts mix the frames.
    words = list("ACGTN") if unit == "base" else ["ATG", "ATG", "TAA", "TGA", "CCC", "A", "TG", "N"]
    sequences = ["".join(rng.choice(words, size)) for size in rng.integers(0, 200, 2_000)]
    expected = [reference_orf(sequence) for sequence in sequences]
    assert longest_orfs(sequences) == expected
    assert longest_orfs(sequence.encode() for sequence in sequences) == expected
    assert sum(orf.has_stop for orf in expected) > 200
    assert sum(orf.end > 0 and not orf.has_stop for orf in expected) > 200
