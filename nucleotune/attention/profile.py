"""Attention of [CLS] along a sequence, nucleotide by nucleotide: figure 2 of the promoter study.

The paper gives no formula. The read-out is that of DNABERT, whose models it fine-tunes: attention from [CLS] to each
token in the last layer, summed over heads; for a nucleotide, the mean over the tokens that hold it; each sequence's
values divided by their Euclidean norm.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from nucleotune.attention.capture import attention_from_class
from nucleotune.attention.spans import to_nucleotides, token_spans
from nucleotune.errors import InputError
from nucleotune.models.tokenizers import Tokenizer

#: Layers that are read: the last one, as DNABERT does, or the sum over all of them.
LAYERS = ("last", "all")


def position_profile(
    classifier: PreTrainedModel,
    model: dict[str, Any],
    tokenizer: Tokenizer,
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    truncation: str = "right",
    layers: str = "last",
    max_tokens: int = 8192,
) -> np.ndarray:
    """Attention of [CLS] to every nucleotide, float64 (n, length); the squares of a row add up to 1.

    Args:
        classifier: a trained model, or a control (as published, random), on the device to compute on.
        model: its dict (`models.spec`), for instance from `models.load.load_model`'s description.
        tokenizer: its tokenizer.
        ids: names of the sequences, for error messages.
        sequences: upper-case, all of one length.
        truncation: side at which a sequence longer than the model's input is cut; nucleotides that the model did not
            see are NaN.
        layers: `last` or `all`.
        max_tokens: tokens of a batch.

    Raises:
        InputError: sequences of unequal length (names the first), or too short for a token; unknown `layers`.
    """
    if layers not in LAYERS:
        raise InputError(f"layers {layers!r} is unknown: expected one of {', '.join(LAYERS)}")
    length = len(sequences[0]) if sequences else 0
    for name, sequence in zip(ids, sequences, strict=True):
        if len(sequence) != length:
            raise InputError(
                f"record {name!r}: {len(sequence)} nt, but record {ids[0]!r} has {length} nt; positions are averaged "
                f"over sequences of one length only"
            )
    tokenized = tokenizer.encode(ids, sequences, truncation)
    by_layer = attention_from_class(classifier, tokenized, max_tokens=max_tokens)
    values = by_layer[:, -1] if layers == "last" else by_layer.sum(axis=1)
    spans = token_spans(model, tokenizer, tokenized, sequences)
    profiles = to_nucleotides(spans, values).reshape(len(sequences), length)
    return profiles / np.sqrt(np.nansum(profiles**2, axis=1, keepdims=True))


def mean_by_class(profiles: np.ndarray, labels: np.ndarray, *, first: int) -> pd.DataFrame:
    """Mean profile of each class.

    Args:
        profiles: (n, length), NaN where a model saw nothing.
        labels: class of each sequence, (n,).
        first: position of the first nucleotide relative to the transcription start site (-249 where 249 nt precede
            it and the next one is 0).

    Returns:
        One row per class and position: `label`, `position`, `mean`, `sd` (between sequences, n - 1), `n`; positions
        that were seen in no sequence of the class have NaN.
    """
    tables = []
    for label in np.unique(labels):
        table = pd.DataFrame(profiles[labels == label])
        tables.append(
            pd.DataFrame(
                {
                    "label": label,
                    "position": first + np.arange(profiles.shape[1]),
                    "mean": table.mean(),
                    "sd": table.std(),
                    "n": table.count(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
