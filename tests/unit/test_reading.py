"""What methods read of sequences that are too long: their own tokenizers against letters cut by hand."""

import numpy as np
import pytest
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from nucleotune.reporting.facts import in_words
from nucleotune.studies.promoters.start_sites import tss_lost
from nucleotune.studies.reading import read_by, readings

DOWNSTREAM = 50
ARCHITECTURE = {"vocab_size": 4105, "hidden_size": 8, "num_attention_heads": 2}
ARCHITECTURE |= {"intermediate_size": 8, "num_hidden_layers": 1}


def promoters(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), n)) for n in lengths]


def model(kind, max_tokens, family="bert", **tokenizer):
    return {
        "title": kind,
        "family": family,
        "tokenizer": {"kind": kind, **tokenizer},
        "max_tokens": max_tokens,
        "architecture": ARCHITECTURE
        | ({"max_position_embeddings": 2000} if family != "dnabert2" else {}),
    }


def method(max_tokens=None, truncation="right", **more):
    read = {"max_tokens": max_tokens, "view": "transcript", "truncation": truncation}
    return {"title": "m", "kind": "language_model", **read, **more}


WINDOWS = {"long": "windows", "window_overlap": 0.25, "window_pooling": "mean"}


@pytest.mark.parametrize("k", [3, 6])
@pytest.mark.parametrize("length", [60, 300, 563, 1000])
@pytest.mark.parametrize("max_tokens", [40, 512])
def test_what_is_read_equals_cutting_letters(k, length, max_tokens):
    given = (promoters([length] * 3), method(max_tokens), model("kmer", 1000, k=k), None)
    letters = max_tokens - 2 + k - 1
    cut, tss = max(0, length - letters), length - DOWNSTREAM - 1
    first = {"right": 0, "left": cut, "centre": cut // 2}
    expected = {side: float(not at <= tss < at + length - cut) for side, at in first.items()}
    assert tss_lost(*given, DOWNSTREAM) == expected
    assert read_by(*given) == {
        "max_tokens": max_tokens,
        "longer": float(cut > 0),
        "read": pytest.approx((length - cut) / length),
        "median": [length - cut, length],
        "windows": {"mean": 1.0, "most": 1},
    }


def test_limit_of_the_method_goes_before_the_models():
    """GUE's 70 tokens of the Nucleotide Transformer are 414 nt: none of 300 is cut, all of 1,000 are."""
    nt = model("sixmer", 1000, family="esm")
    sequences = promoters([300, 1000, 1000])
    found = read_by(sequences, method(70), nt, None)
    assert found["median"] == [414, 1000] and found["longer"] == pytest.approx(2 / 3)
    assert found["read"] == pytest.approx((300 + 2 * 414) / 2300)
    lost = tss_lost(sequences, method(70), nt, None, DOWNSTREAM)
    assert lost == pytest.approx({"right": 2 / 3, "left": 0, "centre": 2 / 3})
    assert read_by(sequences, method(), nt, None)["longer"] == 0


def test_windows_read_all():
    """Of 62 tokens, 64 nt: 47 more for each further window."""
    sequences = promoters([64, 65, 111, 112, 300])
    given = (sequences, method(64, **WINDOWS), model("kmer", 1000, k=3), None)
    found = read_by(*given)
    assert found["read"] == 1 and found["median"] == [111, 111] and found["longer"] == 0.8
    assert found["windows"] == {"mean": (1 + 2 + 2 + 3 + 7) / 5, "most": 7}
    assert set(tss_lost(*given, DOWNSTREAM).values()) == {0.0}


def test_every_method_of_a_data_set():
    methods = {
        "cut": method(64, model="m"),
        "gc": {"longest": None},
        "mdeep": {"longest": 100},
    }
    found = readings(promoters([50, 150]), methods, {"m": model("kmer", 1000, k=3)}, {})
    assert {name: one["median"] for name, one in found.items()} == {
        "cut": [57, 100],
        "gc": [100, 100],
        "mdeep": [75, 100],
    }
    assert found["gc"]["read"] == 1 and found["mdeep"]["read"] == 0.75
    assert [in_words(one) for one in (*found.values(), None)] == [
        "reads 57 of 100 nt (medians), 57.0 % of all",
        "",
        "reads 75 of 100 nt (medians), 75.0 % of all",
        "",
    ]
    assert in_words(
        read_by(promoters([300]), method(64, **WINDOWS), model("kmer", 99, k=3), None)
    ) == ("reads up to 7 windows of a sequence")


def test_the_view_is_what_is_read():
    orf = "ATG" + "GCA" * 9 + "TAA"
    found = read_by(["C" * 50 + orf], method(view="orf"), model("kmer", 1000, k=3), None)
    assert found["median"] == [len(orf), len(orf) + 50] and found["longer"] == 0


def test_byte_pairs_are_counted_by_their_own_tokenizer(tmp_path):
    backend = tokenizers.Tokenizer(BPE(unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trainer = BpeTrainer(vocab_size=300, special_tokens=special)
    backend.train_from_iterator(promoters([200] * 50, seed=1), trainer)
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    backend.save(str(tmp_path / "tokenizer.json"))
    sequences = promoters([300] * 20 + [1000] * 20)
    given = (model("file", 102, family="dnabert2"), tmp_path)
    lost, cut = {"right": 0, "left": 0, "centre": 0}, 0
    letters = {side: [] for side in lost}
    for sequence in sequences:
        spans = backend.encode(sequence, add_special_tokens=False).offsets
        over = max(0, len(spans) - 100)
        cut += over > 0
        for side, first in (("right", 0), ("left", over), ("centre", over // 2)):
            kept = spans[first : first + len(spans) - over]
            lost[side] += not kept[0][0] <= len(sequence) - DOWNSTREAM - 1 < kept[-1][1]
            letters[side].append(kept[-1][1] - kept[0][0])
    assert 0 < cut < 40
    assert tss_lost(sequences, method(), *given, DOWNSTREAM) == {s: n / 40 for s, n in lost.items()}
    for side, read in letters.items():
        found = read_by(sequences, method(truncation=side), *given)
        assert found["longer"] == cut / 40 and found["median"][0] == int(np.median(read))
        assert found["read"] == pytest.approx(sum(read) / sum(map(len, sequences)))
