"""The k-mer encoder against hand-computed ids, a slow reference and the transformers tokenizer."""

import numpy as np
import pytest
from transformers import BertTokenizer

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.kmers import (
    CLS,
    SEP,
    UNK,
    encode_kmers,
    encode_singles,
    kmer_vocabulary,
    single_vocabulary,
)


def encode_one(sequence, k, **arguments):
    return encode_kmers(["record"], [sequence], k=k, **arguments).tokens.tolist()


@pytest.mark.parametrize(
    ("sequence", "k", "expected"),
    [
        ("ACGTAC", 3, [2, 16, 50, 57, 23, 3]),
        ("UACGU", 3, [2, 1, 16, 1, 3]),
        ("acgtac", 3, [2, 1, 1, 1, 1, 3]),
        ("AAA", 3, [2, 5, 3]),
        ("AATACAG", 3, [2, 6, 5 + 4, 5 + 16 + 2, 5 + 8, 5 + 32 + 3, 3]),
        ("ACGTGC", 6, [2, 739, 3]),
        ("GGGGGG", 6, [2, 4100, 3]),
        ("GGG", 3, [2, 68, 3]),
        ("ACGé", 3, [2, 16, 1, 3]),
    ],
)
def test_golden_ids(sequence, k, expected):
    assert encode_one(sequence, k) == expected


@pytest.mark.parametrize(("k", "size"), [(3, 69), (4, 261), (5, 1029), (6, 4101)])
def test_vocabulary(k, size):
    tokens = kmer_vocabulary(k)
    assert len(tokens) == len(set(tokens)) == size
    for token_id in (5, 6, 7, 8, 9, size // 2, size - 1):
        assert encode_one(tokens[token_id], k) == [CLS, token_id, SEP]


def test_n_costs_k_kmers():
    tokens = encode_one("ACGTACGTNACGTACGT", 4)
    assert [i for i, token in enumerate(tokens) if token == UNK] == [6, 7, 8, 9]


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_equals_bert_tokenizer_on_random_sequences(k, normalised):
    rng = np.random.default_rng(k)
    alphabet, weights = list("ACGTNUacgR"), [0.22] * 4 + [0.02] * 6
    sequences = ["".join(rng.choice(alphabet, rng.integers(k, 300), p=weights)) for _ in range(60)]
    if normalised:
        sequences = [normalise(sequence) for sequence in sequences]
    vocabulary = {token: i for i, token in enumerate(kmer_vocabulary(k))}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=False)
    spaced = [" ".join(s[i : i + k] for i in range(len(s) - k + 1)) for s in sequences]
    encoded = encode_kmers([str(i) for i in range(60)], sequences, k=k)
    assert encoded.tokens.dtype == np.uint16 and encoded.offsets.dtype == np.int64
    assert len(encoded) == 60 and not encoded.truncated.any()
    for i, expected in enumerate(tokenizer(spaced)["input_ids"]):
        assert encoded.tokens[encoded.offsets[i] : encoded.offsets[i + 1]].tolist() == expected
        assert encoded.lengths[i] == len(expected)


def test_single_nucleotides_equal_bert_tokenizer():
    rng = np.random.default_rng(0)
    vocabulary = {token: i for i, token in enumerate(single_vocabulary())}
    assert list(vocabulary)[5:] == ["A", "T", "C", "G", "N"]
    sequences = ["".join(rng.choice(list("ACGTNUaR"), rng.integers(1, 99))) for _ in range(60)]
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=False)
    encoded = encode_singles([str(i) for i in range(60)], sequences)
    assert encoded.tokens.dtype == np.uint16
    for i, expected in enumerate(tokenizer([" ".join(s) for s in sequences])["input_ids"]):
        assert encoded.tokens[encoded.offsets[i] : encoded.offsets[i + 1]].tolist() == expected


@pytest.mark.parametrize(("truncation", "start"), [("right", 0), ("left", 5), ("centre", 2)])
def test_single_nucleotides_truncated(truncation, start):
    sequence = "AATTCCGGN"
    encoded = encode_singles(
        ["a", "b", "c"], ["AC", sequence, "G"], max_tokens=6, truncation=truncation
    )
    ids = [single_vocabulary().index(letter) for letter in sequence[start : start + 4]]
    assert encoded.tokens.tolist() == [2, 5, 7, 3, 2, *ids, 3, 2, 8, 3]
    assert encoded.starts.tolist() == [0, start, 0]
    assert encoded.truncated.tolist() == [False, True, False]


@pytest.mark.parametrize("truncation", ["right", "left", "centre"])
def test_species_token_follows_cls(truncation):
    plain = encode_kmers(
        ["a", "b"], ["ACGTACGTACGT", "ACGTTG"], k=6, max_tokens=6, truncation=truncation
    )
    ours = encode_kmers(
        ["a", "b"],
        ["ACGTACGTACGT", "ACGTTG"],
        k=6,
        species_id=4711,
        max_tokens=7,
        truncation=truncation,
    )
    first, second = plain.tokens[:6].tolist(), plain.tokens[6:].tolist()
    assert ours.tokens.tolist() == [2, 4711, *first[1:], 2, 4711, *second[1:]]
    assert ours.starts.tolist() == plain.starts.tolist()
    assert ours.truncated.tolist() == [True, False]


@pytest.mark.parametrize("max_tokens", [3, 4, 9, 10, 25])
@pytest.mark.parametrize("truncation", ["right", "left", "centre"])
def test_truncation_equals_encoding_the_window(max_tokens, truncation):
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACGT"), n)) for n in range(3, 40)]
    limit = max_tokens - 2 + 3 - 1
    encoded = encode_kmers(
        list(map(str, range(37))), sequences, k=3, max_tokens=max_tokens, truncation=truncation
    )
    for i, sequence in enumerate(sequences):
        cut = max(0, len(sequence) - limit)
        start = {"right": 0, "left": cut, "centre": cut // 2}[truncation]
        window = sequence[start : start + limit]
        assert encoded.tokens[encoded.offsets[i] : encoded.offsets[i + 1]].tolist() == encode_one(
            window, 3
        )
        assert encoded.starts[i] == start
        assert encoded.truncated[i] == (cut > 0)
    assert encoded.lengths.max() == min(max_tokens, 39)


def test_errors():
    with pytest.raises(
        InputError, match="record 'b': 2 nt is too short for 3-mers; remove the 1 record"
    ):
        encode_kmers(["a", "b"], ["ACGT", "AC"], k=3)
    with pytest.raises(InputError, match="k-mer length 7"):
        encode_one("ACGTACGT", 7)
    with pytest.raises(InputError, match="truncation 'center' is unknown"):
        encode_one("ACGT", 3, truncation="center")
    with pytest.raises(InputError, match="max_tokens 2"):
        encode_one("ACGT", 3, max_tokens=2)
    with pytest.raises(InputError, match="max_tokens 3 leaves no room .* besides 3 special"):
        encode_one("ACGT", 3, species_id=70, max_tokens=3)
    with pytest.raises(InputError, match="record 'a': 0 nt is too short for nucleotides"):
        encode_singles(["a"], [""])


def test_no_sequences():
    for encoded in (encode_kmers([], [], k=3, max_tokens=10), encode_singles([], [])):
        assert_empty(encoded)


def assert_empty(encoded):
    assert len(encoded) == 0 and encoded.tokens.size == 0 and encoded.offsets.tolist() == [0]
