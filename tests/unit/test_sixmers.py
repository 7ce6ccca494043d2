"""The six-mer encoder against hand-computed ids, a slow reference and transformers' EsmTokenizer."""

import re

import numpy as np
import pytest
from transformers import EsmTokenizer

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.sixmers import encode_sixmers, sixmer_letters, sixmer_vocabulary

IDS = {token: i for i, token in enumerate(sixmer_vocabulary())}


def tokens_of(encoded, i):
    return encoded.tokens[encoded.offsets[i] : encoded.offsets[i + 1]].tolist()


def encode_one(sequence, **arguments):
    return encode_sixmers(["record"], [sequence], **arguments).tokens.tolist()


def split(sequence):
    """The rule, by another way: a regular expression takes six bases where it can."""
    return re.findall("[ACGT]{6}|[ACGTN]|[^ACGTN]+", sequence)


def slow(sequence):
    return [3, *(IDS.get(token, 0) for token in split(sequence))]


def random_sequences(letters, weights, n=80, longest=400, seed=0):
    rng = np.random.default_rng(seed)
    return [
        "".join(rng.choice(list(letters), rng.integers(1, longest), p=weights)) for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("ATTCCGATTCCG", [3, 367, 367]),
        ("ATTCCGATTCCGAT", [3, 367, 367, 4100, 4101]),
        ("ACGTACNACGTAC", [3, 726, 4104, 726]),
        ("ACGTACNNACG", [3, 726, 4104, 4104, 4100, 4102, 4103]),
        ("acgtac", [3, 0]),
        ("ACGTRCACGTAC", [3, 4100, 4102, 4103, 4101, 0, IDS["CACGTA"], 4102]),
        ("AAAAAA", [3, 4]),
        ("GGGGGG", [3, 4099]),
        ("N", [3, 4104]),
        ("ACGTAé", [3, 4100, 4102, 4103, 4101, 4100, 0]),
    ],
)
def test_golden_ids(sequence, expected):
    assert encode_one(sequence) == expected == slow(sequence)


def test_vocabulary():
    tokens = sixmer_vocabulary()
    assert len(tokens) == len(set(tokens)) == 4107
    assert tokens[:7] == ["<unk>", "<pad>", "<mask>", "<cls>", "AAAAAA", "AAAAAT", "AAAAAC"]
    assert tokens[4099:] == ["GGGGGG", "A", "T", "C", "G", "N", "<eos>", "<bos>"]
    for i in (4, 5, 367, 4099, 4100, 4104):
        assert encode_one(tokens[i]) == [3, i]


@pytest.fixture(scope="module")
def esm_tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("nt") / "vocab.txt"
    path.write_text("\n".join(sixmer_vocabulary()) + "\n")
    return EsmTokenizer(vocab_file=str(path), eos_token=None)


@pytest.mark.parametrize(
    ("letters", "weights", "normalised"),
    [
        ("ACGTN", [0.245] * 4 + [0.02], False),
        ("ACGTN", [0.15] * 4 + [0.4], False),
        ("ACGTNacguRYn", [0.23] * 4 + [0.01] * 8, False),
        ("ACGTNacgtuURYKMSWBDHVn", [0.15] * 4 + [0.4 / 18] * 18, True),
    ],
)
def test_equals_esm_tokenizer_on_random_sequences(esm_tokenizer, letters, weights, normalised):
    sequences = random_sequences(letters, weights)
    if normalised:
        sequences = [normalise(sequence) for sequence in sequences]
    encoded = encode_sixmers([str(i) for i in range(80)], sequences)
    assert encoded.tokens.dtype == np.uint16 and encoded.offsets.dtype == np.int64
    assert len(encoded) == 80 and encoded.pad_id == 1 and not encoded.truncated.any()
    assert encoded.tokens.max() <= 4104
    assert (0 in encoded.tokens) == (not normalised and letters != "ACGTN")
    for i, expected in enumerate(esm_tokenizer(sequences)["input_ids"]):
        assert tokens_of(encoded, i) == expected == slow(sequences[i])


@pytest.mark.parametrize("n_share", [0.0, 0.03, 0.4])
@pytest.mark.parametrize("max_tokens", [2, 3, 8, 21])
@pytest.mark.parametrize("truncation", ["right", "left", "centre"])
def test_truncation_keeps_the_longest_window_that_fits(truncation, max_tokens, n_share):
    weights = [(1 - n_share) / 4] * 4 + [n_share]
    sequences = random_sequences("ACGTN", weights, n=30, longest=250)
    encoded = encode_sixmers(
        list(map(str, range(30))), sequences, max_tokens=max_tokens, truncation=truncation
    )
    assert encoded.lengths.max() <= max_tokens
    for i, sequence in enumerate(sequences):
        for length in range(len(sequence), 0, -1):  # every window, the longest first
            cut = len(sequence) - length
            start = {"right": 0, "left": cut, "centre": cut // 2}[truncation]
            expected = slow(sequence[start : start + length])
            if len(expected) <= max_tokens:
                break
        assert tokens_of(encoded, i) == expected
        assert encoded.starts[i] == start
        assert encoded.truncated[i] == (cut > 0)


def test_published_limit():
    sequences = ["ACGTTG" * 1000, "ACGTTG" * 1000 + "A"]
    for truncation, starts in (("right", [0, 0]), ("left", [6, 7]), ("centre", [3, 3])):
        encoded = encode_sixmers(["a", "b"], sequences, max_tokens=1000, truncation=truncation)
        assert encoded.lengths.tolist() == [1000, 1000]  # <cls> and 999 six-mers, 5,994 nt
        assert encoded.starts.tolist() == starts and encoded.truncated.all()
    exact = encode_sixmers(["a"], ["ACGTTG" * 999], max_tokens=1000)
    assert exact.lengths.tolist() == [1000] and not exact.truncated.any()


def test_right_truncation_is_a_prefix_of_the_whole_encoding():
    for sequence in random_sequences("ACGTN", [0.24] * 4 + [0.04], n=20):
        assert encode_one(sequence, max_tokens=12) == encode_one(sequence)[:12]


def test_letters():
    sequence = "GGACGTACNRYACG"
    assert [sixmer_letters(sequence, 2, i) for i in range(1, 7)] == split(sequence[2:])
    encoded = encode_sixmers(["a"], ["ACGT" * 9 + "NNACG"], max_tokens=5, truncation="left")
    assert encoded.tokens.tolist() == [3, 4104, 4100, 4102, 4103]
    assert sixmer_letters("ACGT" * 9 + "NNACG", int(encoded.starts[0]), 2) == "A"


def test_errors():
    with pytest.raises(InputError, match="record 'b': 0 nt is too short for 6-mers; remove the 1"):
        encode_sixmers(["a", "b"], ["ACGT", ""])
    with pytest.raises(InputError, match="truncation 'center' is unknown"):
        encode_one("ACGT", truncation="center")
    with pytest.raises(InputError, match="max_tokens 1 leaves no room"):
        encode_one("ACGT", max_tokens=1)


def test_no_sequences():
    encoded = encode_sixmers([], [], max_tokens=10)
    assert len(encoded) == 0 and encoded.tokens.size == 0 and encoded.offsets.tolist() == [0]
