"""What a model reads of promoters that may be longer than its input, counted by its own tokenizer.

This is no part of the examples, so that another method changes nothing upstream.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.attention.spans import token_spans
from nucleotune.models.spec import as_read
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.sequence.kmers import TRUNCATIONS


def read_by(
    sequences: pd.Series,
    model: dict[str, Any],
    method: Mapping[str, Any],
    checkpoint: str | Path | None,
    downstream: int,
) -> dict[str, Any]:
    """What one method's model reads of promoters.

    Args:
        sequences: upper case, of which the last `downstream` nt are after the TSS.
        model: a validated model file.
        method: that of the method, of which `max_tokens` is used.
        checkpoint: directory with the tokenizer, where the model has one.
        downstream: nt after the TSS.

    Returns `max_tokens`; `nt`, the fewest and most letters read of a sequence that is cut, None where none is; share of
    `sequences_cut`, and by side of the cut of those whose TSS is not read (`tss_lost`). All are counted, by the model's
    own tokenizer.
    """
    if model["architecture"] is None:
        # Imports torch, which takes longer than the count; only where the checkpoint alone knows the architecture.
        from nucleotune.models.checkpoints import complete_model

        model = complete_model(model, checkpoint)
    model = as_read(model, method)
    tokenizer = make_tokenizer(model, checkpoint)
    texts = sequences.tolist()
    tss = sequences.str.len().to_numpy() - downstream - 1
    lost, letters = {}, np.empty(0, np.int64)
    cut = np.zeros(len(texts), bool)
    for side in TRUNCATIONS:
        first, end, cut = _letters(model, tokenizer, texts, side)
        lost[side] = float(((tss < first) | (tss >= end)).mean())
        letters = np.append(letters, (end - first)[cut])
    return {
        "max_tokens": model["max_tokens"],
        "nt": [int(letters.min()), int(letters.max())] if len(letters) else None,
        "sequences_cut": float(cut.mean()),
        "tss_lost": lost,
    }


def _letters(
    model: dict[str, Any], tokenizer: Tokenizer, sequences: list[str], side: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First letter and the one after the last that is read of each sequence, (n,) each, and which are cut."""
    tokenized = tokenizer.encode([str(i) for i in range(len(sequences))], sequences, side)
    spans = token_spans(model, tokenizer, tokenized, sequences)
    offsets = np.cumsum(spans.lengths) - spans.lengths
    row = np.repeat(np.arange(len(sequences)), tokenized.lengths)[spans.content]
    first, end = spans.lengths.copy(), np.zeros(len(sequences), np.int64)
    np.minimum.at(first, row, spans.begins[spans.content] - offsets[row])
    np.maximum.at(end, row, spans.ends[spans.content] - offsets[row])
    return first, end, tokenized.truncated
