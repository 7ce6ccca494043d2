"""Spans of tokens against the letters under them, and values carried to nucleotides and back."""

import numpy as np
import pytest
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from nucleotune.attention.spans import TokenSpans, to_nucleotides, token_spans, tokens_with
from nucleotune.errors import InputError
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.kmers import kmer_vocabulary

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
SPECIES = "candida_glabrata"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A checkpoint's tokenizer.json and vocab.txt."""
    folder = tmp_path_factory.mktemp("checkpoint")
    rng = np.random.default_rng(1)
    backend = tokenizers.Tokenizer(BPE(unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    corpus = ["".join(rng.choice(list("ACGT"), 200, p=[0.4, 0.1, 0.1, 0.4])) for _ in range(50)]
    backend.train_from_iterator(corpus, BpeTrainer(vocab_size=64, special_tokens=SPECIAL))
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    backend.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join([*kmer_vocabulary(6), SPECIES]) + "\n")
    return folder


def make_model(kind, max_tokens, **tokenizer):
    return {
        "title": kind,
        "family": {"sixmer": "esm", "file": "dnabert2"}.get(kind, "bert"),
        "tokenizer": {"kind": kind, **tokenizer},
        "max_tokens": max_tokens,
        "architecture": {"vocab_size": 5504},
    }


#: Of each tokenizer: its fields, the number of special tokens in front, and at the end.
TOKENIZERS = {
    "3-mers": ({"kind": "kmer", "k": 3}, 1, 1),
    "6-mers": ({"kind": "kmer", "k": 6}, 1, 1),
    "species": ({"kind": "kmer", "k": 6, "species": SPECIES}, 2, 1),
    "single": ({"kind": "single"}, 1, 1),
    "side by side": ({"kind": "sixmer"}, 1, 0),
    "byte pairs": ({"kind": "file"}, 1, 1),
}


def random_sequences(n, seed=0):
    rng = np.random.default_rng(seed)
    letters = list("ACGTNR")
    weights = [0.35, 0.1, 0.1, 0.35, 0.05, 0.05]
    return ["".join(rng.choice(letters, rng.integers(8, 70), p=weights)) for _ in range(n)]


@pytest.mark.parametrize("truncation", ["right", "left", "centre"])
@pytest.mark.parametrize("max_tokens", [12, 500])
@pytest.mark.parametrize("name", TOKENIZERS)
def test_spans_hold_the_letters_of_their_tokens(name, max_tokens, truncation, directory):
    fields, leading, trailing = TOKENIZERS[name]
    if name == "byte pairs":
        # Its unknown letters would fuse, or not, as the library likes.
        sequences = [s.replace("R", "A").replace("N", "C") for s in random_sequences(40)]
    else:
        sequences = random_sequences(40)
    model = make_model(max_tokens=max_tokens, **fields)
    tokenizer = make_tokenizer(model, directory if name in ("species", "byte pairs") else None)
    tokenized = tokenizer.encode([str(i) for i in range(40)], sequences, truncation)
    spans = token_spans(model, tokenizer, tokenized, sequences)

    assert spans.lengths.tolist() == [len(s) for s in sequences]
    joined = "".join(sequences)
    cut = truncated = 0
    for i, sequence in enumerate(sequences):
        first = sum(map(len, sequences[:i]))
        begin, end = tokenized.offsets[i], tokenized.offsets[i + 1]
        content = spans.content[begin:end]
        assert (
            content.tolist()
            == [False] * leading + [True] * (end - begin - leading - trailing) + [False] * trailing
        )
        truncated += bool(tokenized.truncated[i])
        for position in np.flatnonzero(content):
            at = begin + position
            assert first <= spans.begins[at] < spans.ends[at] <= first + len(sequence)
            under = joined[spans.begins[at] : spans.ends[at]]
            letters = tokenizer.letters(sequence, int(tokenized.starts[i]), int(position))
            if tokenizer.vocabulary and tokenized.tokens[at] != tokenizer.unknown_id:
                assert under == tokenizer.vocabulary[tokenized.tokens[at]]
            # Letters of a six-mer that the cut went through are known to be too many (see `sixmer_letters`).
            cut += under != letters
    assert truncated == 0 if max_tokens == 500 else truncated > 10
    assert cut == 0 or (name, truncation, max_tokens) == ("side by side", "centre", 12)


def test_sequences_must_be_those_that_were_tokenized():
    model = make_model("kmer", 20, k=3)
    tokenizer = make_tokenizer(model)
    tokenized = tokenizer.encode(["a"], ["ACGT"], "right")
    with pytest.raises(InputError, match="2 sequences, but 1 were tokenized"):
        token_spans(model, tokenizer, tokenized, ["ACGT", "ACG"])


def random_spans(seed=0):
    """Overlapping and special tokens of three sequences; nucleotides at both ends of the second are under none."""
    rng = np.random.default_rng(seed)
    lengths = np.array([12, 20, 9])
    begins, ends = [], []
    for first, low, high in ((0, 0, 12), (12, 15, 28), (32, 32, 41)):
        begins.append(first), ends.append(first)
        for _ in range(25):
            begin = rng.integers(low, high - 1)
            begins.append(begin), ends.append(min(high, begin + rng.integers(1, 7)))
        begins.append(first + 2), ends.append(first + 2)
    return TokenSpans(np.array(begins), np.array(ends), lengths)


def test_tokens_with_a_label_hold_at_least_one():
    spans, rng = random_spans(), np.random.default_rng(1)
    labels = rng.random((41, 4)) < [0, 0.1, 0.5, 1]
    found = tokens_with(spans, labels)
    for token, (begin, end) in enumerate(zip(spans.begins, spans.ends, strict=True)):
        assert found[token].tolist() == [labels[begin:end, p].any() for p in range(4)]
    assert found[spans.content, 3].all() and not found[~spans.content].any()


def test_nucleotides_get_the_mean_of_their_tokens():
    spans, rng = random_spans(), np.random.default_rng(2)
    values = rng.random(len(spans.begins))
    found = to_nucleotides(spans, values)
    for place in range(41):
        over = (spans.begins <= place) & (place < spans.ends)
        expected = values[over].mean() if over.any() else np.nan
        np.testing.assert_allclose(found[place], expected, rtol=1e-12)
    assert np.isnan(found).sum() >= 7


def test_three_mers_by_hand():
    """ACGTA: 3-mers ACG, CGT, GTA with 3, 6, 9; nucleotides A 3, C 4.5, G 6, T 7.5, A 9."""
    model = make_model("kmer", 20, k=3)
    tokenizer = make_tokenizer(model)
    tokenized = tokenizer.encode(["a"], ["ACGTA"], "right")
    spans = token_spans(model, tokenizer, tokenized, ["ACGTA"])
    assert spans.begins[1:-1].tolist() == [0, 1, 2] and spans.ends[1:-1].tolist() == [3, 4, 5]
    found = to_nucleotides(spans, np.array([100.0, 3, 6, 9, 100]))
    np.testing.assert_allclose(found, [3, 4.5, 6, 7.5, 9])
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 1], [0, 0]], dtype=bool)
    expected = [[False, False], [True, False], [False, True], [False, True], [False, False]]
    assert tokens_with(spans, labels).tolist() == expected


def test_arrays_of_another_length_are_refused():
    spans = random_spans()
    with pytest.raises(InputError, match="one row for each of the 41 nucleotides"):
        tokens_with(spans, np.ones((40, 1), dtype=bool))
    with pytest.raises(InputError, match="one column for each property"):
        tokens_with(spans, np.ones(41, dtype=bool))
    with pytest.raises(InputError, match="3 values for 81 tokens"):
        to_nucleotides(spans, np.ones(3))
