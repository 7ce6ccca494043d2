"""Equal sequences and shared words, against the obvious way with sets of strings."""

import numpy as np
import pandas as pd
import pytest

from nucleotune.sequence import shared
from nucleotune.sequence.shared import canonical, sharing_word


def reverse_complement(sequence):
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def words(sequence, k, both_strands):
    found = {sequence[i : i + k] for i in range(len(sequence) - k + 1)}
    found = {one for one in found if "N" not in one}
    found = {one for one in found if max(one.count(letter) for letter in "ACGT") <= 0.75 * k}
    return found | {reverse_complement(one) for one in found} if both_strands else found


def slow(rows, others, k, both_strands):
    known = set().union(*(words(one, k, both_strands) for one in others))
    return [bool(words(one, k, both_strands) & known) for one in rows]


def sequences(rng, n, longest):
    letters = list("ACGTN")
    return [
        "".join(rng.choice(letters, rng.integers(0, longest), p=[0.24] * 4 + [0.04]))
        for _ in range(n)
    ]


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize("k", [2, 5, 8, 13])
def test_as_sets_of_strings_say(k, both_strands, monkeypatch):
    rng = np.random.default_rng(k)
    answers = set()
    for chunk in (1, 40, 1 << 22):
        monkeypatch.setattr(shared, "_CHUNK", chunk)
        rows, others = sequences(rng, 60, 40), sequences(rng, 4 * k, 12 * k)
        expected = slow(rows, others, k, both_strands)
        answers |= set(expected)
        assert sharing_word(rows, others, both_strands=both_strands, k=k).tolist() == expected
    assert k in (2, 13) or answers == {False, True}


def test_words_of_31_nt_are_exact():
    rng = np.random.default_rng(0)
    one = "".join(rng.choice(list("ACGT"), 200))
    other = "".join(rng.choice(list("ACGT"), 100))
    part = one[50:81]
    rows = [
        other + part,
        part + other,
        other[:40] + "N" + part[:30] + "N" + other[40:],
        other + reverse_complement(part),
        other + part[:15] + "N" + part[16:],
        part,
        part[1:],
        "",
    ]
    expected = [True, True, False, False, False, True, False, False]
    assert sharing_word(rows, [one], both_strands=False).tolist() == expected
    expected[3] = True
    assert sharing_word(rows, ["", one], both_strands=True).tolist() == expected
    # Two neighbours in memory do not make a word.
    assert not sharing_word([part], [part[:16], part[16:]], both_strands=False).any()


def test_tails_of_one_letter_are_no_word():
    for letter in "ACGT":
        tailed = ["GATC" + letter * 60, "CTAC" + letter * 60]
        assert not sharing_word(tailed[:1], tailed[1:], both_strands=True).any()
    # 23 of 31 letters are not more than three quarters.
    tailed = ["ACGTACGTACGT" + "A" * 20, "CACGTACGTACGT" + "A" * 30]
    assert sharing_word(tailed[:1], tailed[1:], both_strands=True).all()
    assert not sharing_word([tailed[0][4:]], tailed[1:], both_strands=True).any()


def test_nothing_to_share_with():
    assert sharing_word(["ACGT" * 20], [], both_strands=True).tolist() == [False]
    assert sharing_word([], ["ACGT" * 20], both_strands=True).tolist() == []
    assert sharing_word(["ACGT"], ["ACGT"], both_strands=False).tolist() == [False]
    with pytest.raises(ValueError, match="words of 32 nt"):
        sharing_word(["ACGT"], ["ACGT"], both_strands=False, k=32)


def test_equal_on_both_strands():
    table = pd.Series(["AACG", "CGTT", "AACG", "GGNA"], index=[3, 5, 7, 9])
    both = canonical(table, True)
    assert both.tolist() == ["AACG", "AACG", "AACG", "GGNA"] and list(both.index) == [3, 5, 7, 9]
    assert canonical(table, False).tolist() == table.tolist()
    assert canonical(pd.Series(["GGNA", "TNCC"]), True).nunique() == 1
