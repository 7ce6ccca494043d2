"""What methods read of sequences that may be longer than their input, counted by their own tokenizers.

This is no part of the examples, so that another method changes nothing upstream.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nucleotune.attention.spans import token_spans
from nucleotune.models.reading import read_tokens
from nucleotune.models.spec import as_read
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.sequence.views import show

Ints = NDArray[np.int64]

#: Sequences whose tokens are brought to nucleotides at a time.
_CHUNK = 2000


def readings(
    sequences: Sequence[str],
    methods: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, dict[str, Any]],
    checkpoints: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """What each method reads of `sequences`; arguments as `plan.reading.readers` gives them. See `read_by`."""
    return {
        name: read_by(sequences, one, models[one["model"]], checkpoints.get(one["model"]))
        if "model" in one
        else _described(
            [min(len(text), one["longest"] or len(text)) for text in sequences], sequences
        )
        for name, one in methods.items()
    }


def read_by(
    sequences: Sequence[str],
    method: Mapping[str, Any],
    model: dict[str, Any],
    checkpoint: str | None,
) -> dict[str, Any]:
    """What a language model reads of sequences.

    Args:
        sequences: upper case.
        method: its view, truncation, and the like, see `training.sequences`.
        model: a validated model file.
        checkpoint: directory with the tokenizer, where the model has one.

    Returns:
        `max_tokens`; shares of `sequences` that are longer than that (`longer`) and of their nucleotides that are read
        (`read`); `median` of nucleotides, those read and all; `windows` of a sequence, `mean` and `most`.
    """
    model, tokenizer = reader(method, model, checkpoint)
    texts = show(sequences, method["view"])
    ids = [str(i) for i in range(len(texts))]
    described = {"model": model, "method": method, "truncation": method["truncation"]}
    windows = read_tokens(tokenizer, ids, texts, described)
    lengths = np.array([len(text) for text in texts])
    cut = np.flatnonzero(windows.tokenized.truncated)
    if len(cut):
        some = [texts[i] for i in cut]
        begins, ends = letters_read(model, tokenizer, some, method["truncation"])
        lengths[cut] = ends - begins
    longer = windows.tokenized.truncated | (windows.counts > 1)
    return {
        **_described(lengths, sequences),
        "max_tokens": model["max_tokens"],
        "longer": float(longer.mean()),
        "windows": {"mean": float(windows.counts.mean()), "most": int(windows.counts.max())},
    }


def reader(
    method: Mapping[str, Any], model: dict[str, Any], checkpoint: str | None
) -> tuple[dict[str, Any], Tokenizer]:
    """A model as a method reads it, its architecture filled in, and its tokenizer."""
    if model["architecture"] is None:
        # Imports torch, which takes longer than the count; only where the checkpoint alone knows the architecture.
        from nucleotune.models.checkpoints import complete_model

        model = complete_model(model, checkpoint)
    model = as_read(model, method)
    return model, make_tokenizer(model, checkpoint)


def letters_read(
    model: dict[str, Any], tokenizer: Tokenizer, sequences: Sequence[str], side: str
) -> tuple[Ints, Ints]:
    """First letter and the one after the last that is read of each sequence, cut at `side`: (n,) each."""
    begins, ends = (np.zeros(len(sequences), np.int64) for _ in range(2))
    for at in range(0, len(sequences), _CHUNK):
        some = list(sequences[at : at + _CHUNK])
        tokenized = tokenizer.encode([str(at + i) for i in range(len(some))], some, side)
        spans = token_spans(model, tokenizer, tokenized, some)
        before = np.cumsum(spans.lengths) - spans.lengths
        row = np.repeat(np.arange(len(some)), tokenized.lengths)[spans.content]
        begins[at : at + _CHUNK] = spans.lengths
        np.minimum.at(begins, at + row, spans.begins[spans.content] - before[row])
        np.maximum.at(ends, at + row, spans.ends[spans.content] - before[row])
    return begins, ends


def _described(read: Sequence[int] | Ints, sequences: Sequence[str]) -> dict[str, Any]:
    """Of so many nucleotides that are read of each sequence."""
    read, whole = np.asarray(read), np.array([len(text) for text in sequences])
    return {
        "max_tokens": None,
        "longer": float((read < whole).mean()),
        "read": float(read.sum() / whole.sum()),
        "median": [int(np.median(read)), int(np.median(whole))],
        "windows": {"mean": 1.0, "most": 1},
    }
