"""Gates stop, and say what to do."""

import math

import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.training.gates import check_collapse, check_finite, check_unknown

MODEL = {"tokenizer": {"kind": "kmer", "k": 3}, "max_tokens": 1000}


def unknown(sequences, truncation="right", model=MODEL, **arguments):
    ids = [f"r{i}" for i in range(len(sequences))]
    tokenizer = make_tokenizer(model)
    tokenized = tokenizer.encode(ids, sequences, truncation)
    return check_unknown(tokenizer, tokenized, ids, sequences, **arguments)


def test_unknown_share_is_over_content_tokens():
    assert unknown(["ACGTACGT", "ACG"]) == 0
    assert unknown(["ACGTANACGT" + "A" * 992, *["ACGT" * 250] * 6]) == pytest.approx(
        3 / (1000 - 2) / 7, rel=0.01
    )
    assert unknown(["ACGNACG"], limit=1.0) == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (["ACGT", "ACGTNACGT"], r"record 'r1', token 'GTN'"),
        (["ACGU", "ACGT"], r"record 'r0', token 'CGU'"),
        (["ACGT", "acgt"], r"50.00% of the tokens .*record 'r1', token 'acg'.*upper case"),
    ],
)
def test_unknown_tokens_stop(sequences, message):
    with pytest.raises(InputError, match=message):
        unknown(sequences)


def test_unknown_token_is_named_in_the_window_that_is_read():
    model = MODEL | {"max_tokens": 6}
    with pytest.raises(InputError, match="token 'TCN'"):
        unknown(["NNNNNNATTCNC"], "left", model)


@pytest.mark.parametrize(
    ("kind", "sequence", "share", "letters"),
    [
        ("sixmer", "ACGTACNRYACGTAC", 1 / 4, "RY"),  # <cls>, 6-mer, N, <unk>, 6-mer
        ("single", "ACNNUG", 1 / 6, "U"),
    ],
)
def test_special_tokens_and_the_unknown_id_are_the_tokenizers(kind, sequence, share, letters):
    model = {"tokenizer": {"kind": kind}, "max_tokens": 100}
    assert unknown([sequence], model=model, limit=1.0) == pytest.approx(share)
    assert unknown([sequence.replace(letters, "N")], model=model) == 0
    with pytest.raises(InputError, match=f"token '{letters}'"):
        unknown([sequence], model=model)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_finite(bad):
    check_finite({"loss": 1.0}, step=1, learning_rate=1e-3)
    with pytest.raises(
        InputError,
        match=r"step 7 \(learning rate 0.001\): loss 1.0, gradient norm .*Lower training",
    ):
        check_finite({"loss": 1.0, "gradient norm": bad}, step=7, learning_rate=1e-3)


def predictions(labels, predicted, split="valid"):
    return pd.DataFrame({"split": split, "label": labels, "predicted": predicted})


def test_collapse():
    with pytest.raises(
        InputError, match="all 3 validation examples are predicted as label 1, though 2 of them"
    ):
        check_collapse(predictions([0, 1, 0], [1, 1, 1]))
    assert check_collapse(predictions([0, 1, 0], [1, 1, 1]), keep=True)
    assert not check_collapse(
        predictions([0, 1, 0], [1, 0, 1])
    )  # wrong throughout, but no collapse
    check_collapse(predictions([1, 1], [1, 1]))  # one label only: nothing to tell apart
    check_collapse(predictions([0, 1], [1, 1], split="test"))
