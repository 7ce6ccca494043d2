"""CPC2's features against the authors' tool (Python 2.7, Biopython 1.76) on our own sequences."""

import hashlib
import random

import numpy as np
import pytest

from nucleotune.baselines.cpc2 import features, isoelectric_point
from nucleotune.sequence.fickett import CPC2, fickett_scores
from nucleotune.sequence.orf import longest_orf

# name, nucleotides, peptide length, Fickett score, isoelectric point, integrity, ORF start (from 1)
GOLDEN = """
g00 220 24 0.37585 8.25311279297 -1 149
g01 300 33 0.41858 7.95404052734 -1 200
g02 450 27 0.40014 11.7113647461 1 329
g03 700 17 0.36927 5.89007568359 1 75
g04 1000 90 0.31273 11.147277832 1 459
g05 1500 53 0.28717 10.1482543945 1 1059
g06 2200 56 0.31444 9.79107666016 1 860
g07 3200 72 0.35753 11.7092895508 1 1791
g08 4800 129 0.28519 8.78448486328 1 1209
g09 800 142 0.42053 11.4154663086 1 58
g10 220 59 0.39535 9.15692138672 -1 44
g11 300 56 0.3689 11.4664916992 1 71
g12 450 32 0.4047 9.14947509766 1 332
g13 700 52 0.28033 10.4292602539 1 177
g14 1000 80 0.33817 11.2001342773 1 577
g15 1500 39 0.28112 6.52056884766 1 306
g16 2200 54 0.34704 9.57427978516 1 1090
g17 3200 43 0.32983 10.9533081055 1 1985
g18 4800 99 0.30121 11.8555297852 1 3668
g19 800 99 0.31469 10.2183227539 1 501
g20 1005 37 0.30457 6.50555419922 1 38
g21 1331 68 0.28496 9.23480224609 1 235
g22 960 101 0.463 10.522277832 1 157
g23 1400 151 0.42976 9.46099853516 1 119
g24 1412 251 0.43232 9.53326416016 1 141
g25 1796 450 0.46516 8.47833251953 1 16
g26 2392 701 0.45481 9.55108642578 1 51
g27 3755 1001 0.46939 9.01885986328 1 48
g28 956 122 0.36913 8.73443603516 1 18
g29 839 126 0.42487 9.77740478516 1 190
g30 462 42 0.35743 10.3860473633 1 107
g31 822 106 0.41995 10.4960327148 1 77
g32 1224 116 0.4384 8.53851318359 1 187
g33 1141 151 0.30415 9.50799560547 1 126
g34 1170 259 0.45668 9.62188720703 1 16
g35 1576 401 0.43499 9.78887939453 1 229
g36 2552 701 0.46589 9.11712646484 1 245
g37 3363 1001 0.47854 9.50689697266 1 86
g38 698 91 0.46337 5.35980224609 1 43
g39 981 138 0.43452 10.3516235352 1 140
g40 440 120 0.42966 8.61981201172 -1 81
g41 550 6 0.46112 8.50006103516 -1 533
g42 500 0 0.41572 0.0 -1 0
g43 593 111 0.40041 10.9520874023 1 61
g44 593 121 0.41705 10.0131225586 1 31
g45 653 131 0.46153 4.99530029297 1 61
g46 199 22 0.46481 11.7113647461 1 55
g47 200 36 0.4499 7.73114013672 1 48
g48 201 42 0.46207 11.6244506836 -1 76
g49 409 61 0.39478 7.92327880859 1 41
g50 300 1 0.39669 5.27496337891 -1 298
g51 573 91 0.42098 6.54351806641 1 1
g52 900 234 0.30596 12.4895629883 -1 197
g53 900 26 0.29325 10.2774047852 1 491
g54 30 5 0.35897 8.50006103516 1 8
g55 454 74 0.48086 6.53192138672 1 32
"""
GOLDEN_SHA256 = "e6bf44629d7cda55156adba98b0d4bff8a07409d31defbbc4591d3260d8d07c2"
STOPS = ("TAA", "TAG", "TGA")


def noise(rng: random.Random, length: int, gc: float) -> str:
    at, gc = (1 - gc) / 2, gc / 2
    return "".join(rng.choices("ACGT", [at, gc, gc, at], k=length))


def cds(rng: random.Random, codons: int, gc3: float, stop: bool = True) -> str:
    at3, gc3 = (1 - gc3) / 2, gc3 / 2
    sequence = ["ATG"]
    while len(sequence) < codons:
        codon = rng.choices("ACGT", [0.27, 0.24, 0.31, 0.18])[0]
        codon += rng.choices("ACGT", [0.31, 0.23, 0.18, 0.28])[0]
        codon += rng.choices("ACGT", [at3, gc3, gc3, at3])[0]
        if codon not in STOPS:
            sequence.append(codon)
    return "".join(sequence) + (rng.choice(STOPS) if stop else "")


def golden_sequences() -> list[str]:
    """The 56 transcripts the tool was run on: noise, planted ORFs, edge cases."""
    sequences = []
    for i in range(20):
        gc = [0.30, 0.40, 0.45, 0.50, 0.60][i % 5]
        length = [220, 300, 450, 700, 1000, 1500, 2200, 3200, 4800, 800][i % 10]
        sequences.append(noise(random.Random(1000 + i), length, gc))
    for i in range(20, 40):
        rng = random.Random(2000 + i)
        codons = [34, 67, 100, 150, 250, 400, 700, 1000, 90, 120][i % 10]
        five_prime = noise(rng, rng.randint(20, 250), 0.55)
        coding = cds(rng, codons, [0.45, 0.55, 0.65, 0.7][i % 4])
        sequences.append(five_prime + coding + noise(rng, rng.randint(50, 900), 0.42))
    rng = random.Random(3000)

    def planted(codons: int) -> str:
        return noise(rng, 60, 0.5) + cds(rng, codons, 0.6) + noise(rng, 200, 0.42)

    # ORF cut at its 3' end; at its 5' end; no ATG at all.
    without_start = noise(rng, 80, 0.5).replace("ATG", "ATC")
    sequences.append(without_start + cds(rng, 120, 0.6, stop=False))
    cut = cds(rng, 150, 0.6)[3:].replace("ATG", "ACG")
    sequences.append(cut + noise(rng, 100, 0.45))
    sequences.append(noise(rng, 500, 0.5).replace("ATG", "ACG"))
    sequences += [planted(110), planted(110)]
    with_n = list(planted(130))
    with_n[70::37] = "N" * len(with_n[70::37])
    sequences.append("".join(with_n))
    sequences += [noise(rng, length, 0.5) for length in (199, 200, 201)]
    # Two ORFs of one length; an ATG as the very end; poly(A); extreme GC; very short; nested ATG.
    equal = [cds(random.Random(seed), 60, 0.5) for seed in (5, 6)]
    sequences.append(noise(rng, 40, 0.5).replace("ATG", "ATC") + equal[0] + "C" + equal[1] + "GG")
    sequences.append(noise(rng, 297, 0.5).replace("ATG", "ATC") + "ATG")
    sequences.append(cds(rng, 90, 0.6) + "A" * 300)
    sequences += [noise(rng, 900, 0.8), noise(rng, 900, 0.2), noise(rng, 30, 0.5)]
    nested = noise(rng, 31, 0.5) + "ATGATGATG" + cds(rng, 70, 0.5) + "A" + cds(rng, 40, 0.5)
    sequences.append(nested + noise(rng, 77, 0.5))
    return sequences


@pytest.fixture(scope="module")
def golden() -> tuple[list[str], list[list[str]]]:
    sequences = golden_sequences()
    digest = hashlib.sha256("\n".join(sequences).encode()).hexdigest()
    assert digest == GOLDEN_SHA256, "these are not the sequences the tool was run on"
    return sequences, [line.split() for line in GOLDEN.strip().splitlines()]


def test_orfs_equal_the_tool(golden):
    sequences, rows = golden
    orfs = [longest_orf(sequence) for sequence in sequences]
    assert [orf.start + 1 if orf.end else 0 for orf in orfs] == [int(row[6]) for row in rows]
    table = features(sequences)
    assert table[:, 0].tolist() == [float(row[2]) for row in rows]
    assert table[:, 3].tolist() == [float(row[5]) for row in rows]


def test_fickett_equals_the_tool_in_every_digit_printed(golden):
    sequences, rows = golden
    assert [f"{score:.12g}" for score in features(sequences)[:, 1]] == [row[3] for row in rows]


def test_isoelectric_point_equals_the_tool(golden):
    sequences, rows = golden
    expected = np.array([float(row[4]) for row in rows])
    measured = features(sequences)[:, 2]
    np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=0)
    # The tool printed twelve digits, all of which agree.
    assert [float(f"{value:.12g}") for value in measured] == expected.tolist()


def reference_fickett(sequence: str) -> float:
    """Fickett's score base by base, with the tables as a reader of the paper writes them."""
    position = {
        "A": (0.062, ".51 .55 .57 .52 .48 .58 .57 .54 .50 .36"),
        "C": (0.093, ".29 .44 .55 .49 .52 .60 .60 .56 .51 .38"),
        "G": (0.205, ".62 .67 .74 .65 .61 .62 .52 .41 .31 .17"),
        "T": (0.154, ".51 .60 .69 .64 .62 .67 .58 .48 .39 .24"),
    }
    content = {
        "A": (0.084, ".40 .55 .58 .58 .52 .48 .45 .45 .38 .19"),
        "C": (0.076, ".50 .63 .59 .50 .46 .45 .47 .56 .59 .33"),
        "G": (0.081, ".21 .40 .47 .50 .52 .56 .57 .52 .44 .23"),
        "T": (0.055, ".30 .49 .56 .53 .48 .48 .52 .57 .60 .51"),
    }
    if len(sequence) < 2:
        return 0.0
    total = 0.0
    for base in "ACGT":
        phases = [sequence[phase::3].count(base) for phase in range(3)]
        for value, limits, (weight, entries) in (
            (max(phases) / (min(phases) + 1), range(190, 100, -10), position[base]),
            (sum(phases) / len(sequence), range(33, 15, -2), content[base]),
        ):
            column = next((i for i, limit in enumerate(limits) if value >= limit / 100), 9)
            total += weight * float(entries.split()[column])
    return total


def test_fickett_equals_reference():
    rng = np.random.default_rng(3)
    sequences = ["", "A", "N", "AC", "NNN", "ATG", "ACGT" * 25, "A" * 50]
    for length in (10, 100, 1000):
        for p in rng.dirichlet(np.ones(5), 200):
            sequences.append("".join(rng.choice(list("ACGTN"), length, p=p)))
    expected = [reference_fickett(sequence) for sequence in sequences]
    np.testing.assert_allclose(fickett_scores(sequences, CPC2), expected, rtol=0, atol=1e-12)


def test_isoelectric_point_is_unbounded_and_ignores_ambiguous_residues():
    # Biopython >= 1.77 confines the search to pH 4.05-12.
    assert isoelectric_point("M" + "R" * 60) > 12.5
    assert isoelectric_point("M" + "D" * 200) < 4.05
    assert isoelectric_point("MXKXXBZJUX*") == isoelectric_point("MK")
    assert isoelectric_point("") == isoelectric_point("XX*") == 0.0


def test_codons_with_n_count_as_residues():
    table = features(["ATGNNNAAATAA"])
    assert table[0, 0] == 4
    assert table[0, 2] == isoelectric_point("MK")
    assert table[0, 3] == 1


def test_transcript_without_orf():
    peptide_length, fickett, point, integrity = features(["CCCCCCCCCC"])[0]
    assert (peptide_length, point, integrity) == (0, 0, -1)
    assert fickett > 0
