"""What models read of promoters that are too long: their own tokenizers against letters cut by hand."""

import numpy as np
import pandas as pd
import pytest
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from nucleotune.studies.promoters.truncation import read_by

DOWNSTREAM = 50
ARCHITECTURE = {"vocab_size": 4105, "hidden_size": 8, "num_attention_heads": 2}
ARCHITECTURE |= {"intermediate_size": 8, "num_hidden_layers": 1}


def promoters(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return pd.Series(["".join(rng.choice(list("ACGT"), n)) for n in lengths])


def model(kind, max_tokens, family="bert", **tokenizer):
    return {
        "title": kind,
        "family": family,
        "tokenizer": {"kind": kind, **tokenizer},
        "max_tokens": max_tokens,
        "architecture": ARCHITECTURE
        | ({"max_position_embeddings": 2000} if family != "dnabert2" else {}),
    }


def method(max_tokens=None):
    return {"title": "m", "max_tokens": max_tokens}


@pytest.mark.parametrize("k", [3, 6])
@pytest.mark.parametrize("length", [60, 300, 563, 1000])
@pytest.mark.parametrize("max_tokens", [40, 512])
def test_tss_lost_equals_cutting_letters(k, length, max_tokens):
    found = read_by(
        promoters([length] * 3), model("kmer", 1000, k=k), method(max_tokens), None, DOWNSTREAM
    )
    letters = max_tokens - 2 + k - 1
    cut, tss = max(0, length - letters), length - DOWNSTREAM - 1
    first = {"right": 0, "left": cut, "centre": cut // 2}
    expected = {side: float(not at <= tss < at + length - cut) for side, at in first.items()}
    assert found == {
        "max_tokens": max_tokens,
        "nt": [letters, letters] if cut else None,
        "sequences_cut": float(cut > 0),
        "tss_lost": expected,
    }


def test_limit_of_the_method_goes_before_the_models():
    """GUE's 70 tokens of the Nucleotide Transformer are 414 nt: none of 300 is cut, all of 1,000 are."""
    nt = model("sixmer", 1000, family="esm")
    sequences = promoters([300, 1000, 1000])
    found = read_by(sequences, nt, method(70), None, DOWNSTREAM)
    assert found["nt"] == [414, 414] and found["sequences_cut"] == pytest.approx(2 / 3)
    assert found["tss_lost"] == pytest.approx({"right": 2 / 3, "left": 0, "centre": 2 / 3})
    assert read_by(sequences, nt, method(), None, DOWNSTREAM)["sequences_cut"] == 0


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
    found = read_by(
        sequences, model("file", 102, family="dnabert2"), method(), tmp_path, DOWNSTREAM
    )
    lost, cut, letters = {"right": 0, "left": 0, "centre": 0}, 0, []
    for sequence in sequences:
        spans = backend.encode(sequence, add_special_tokens=False).offsets
        over = max(0, len(spans) - 100)
        cut += over > 0
        for side, first in (("right", 0), ("left", over), ("centre", over // 2)):
            kept = spans[first : first + len(spans) - over]
            lost[side] += not kept[0][0] <= len(sequence) - DOWNSTREAM - 1 < kept[-1][1]
            letters += [kept[-1][1] - kept[0][0]] * (over > 0)
    assert 0 < cut < 40
    assert found["sequences_cut"] == cut / 40
    assert found["tss_lost"] == {side: n / 40 for side, n in lost.items()}
    assert found["nt"] == [min(letters), max(letters)] and min(letters) < max(letters)
