"""Which nucleotides a token stands for, whatever the tokenizer, and values carried from one to the other.

Nucleotides are counted through all sequences laid end to end, 0-based: a set of sequences has one array of labels, or
of scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tokenizers

from nucleotune.errors import InputError
from nucleotune.models.tokenizers import TOKENIZER, Tokenizer
from nucleotune.sequence.kmers import TokenizedSequences


@dataclass(frozen=True)
class TokenSpans:
    """Nucleotides under each of t tokens: begins[i] to ends[i], half-open; begin and end of a special token are equal.

    begins, ends  int64 (t,), among the nucleotides of all sequences laid end to end
    lengths       int64 (n,), nucleotides of each sequence, those cut off before tokenization included
    """

    begins: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray

    @property
    def content(self) -> np.ndarray:
        """Tokens of the sequences, not special ones: bool (t,)."""
        return self.ends > self.begins


def token_spans(
    model: dict[str, Any],
    tokenizer: Tokenizer,
    tokenized: TokenizedSequences,
    sequences: Sequence[str],
) -> TokenSpans:
    """The spans of all tokens of `tokenized`, which the `tokenizer` of `model` (see `models.spec`) made of `sequences`.

    Raises InputError if there are not as many sequences as were tokenized.
    """
    if len(sequences) != len(tokenized):
        raise InputError(f"{len(sequences)} sequences, but {len(tokenized)} were tokenized")
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    first_letters = np.cumsum(lengths) - lengths + tokenized.starts
    kind = model["tokenizer"]["kind"]
    if kind == "file":
        begins, ends = _spans_from_file(tokenizer, tokenized, sequences, first_letters)
    elif kind == "sixmer":
        begins, ends = _spans_side_by_side(tokenizer, tokenized, sequences, first_letters)
    else:
        width = model["tokenizer"].get("k") or 1
        leading = tokenizer.special_tokens - 1
        positions = _positions(tokenized) - leading
        counts = np.repeat(tokenized.lengths - tokenizer.special_tokens, tokenized.lengths)
        begins = np.repeat(first_letters, tokenized.lengths) + positions
        ends = begins + width * ((positions >= 0) & (positions < counts))
    return TokenSpans(begins, ends, lengths)


def _positions(tokenized: TokenizedSequences) -> np.ndarray:
    """Position of each token in its sequence, from 0."""
    return np.arange(len(tokenized.tokens)) - np.repeat(tokenized.offsets[:-1], tokenized.lengths)


def _spans_side_by_side(
    tokenizer: Tokenizer,
    tokenized: TokenizedSequences,
    sequences: Sequence[str],
    first_letters: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Each token begins where the one before it ends; the first one is special."""
    letters = np.array([len(token) for token in tokenizer.vocabulary])
    widths = letters[tokenized.tokens]
    widths[tokenized.offsets[:-1]] = 0
    positions = _positions(tokenized)
    owners = np.repeat(np.arange(len(tokenized)), tokenized.lengths)
    # A run of letters that the model does not know is one token, however long.
    for i in np.flatnonzero(tokenized.tokens == tokenizer.unknown_id):
        owner = owners[i]
        widths[i] = len(
            tokenizer.letters(sequences[owner], int(tokenized.starts[owner]), int(positions[i]))
        )
    ends = np.cumsum(widths)
    # From widths of all tokens before to places among all nucleotides: those that were cut off also count.
    shift = first_letters - (ends - widths)[tokenized.offsets[:-1]]
    ends += np.repeat(shift, tokenized.lengths)
    return ends - widths, ends


def _spans_from_file(
    tokenizer: Tokenizer,
    tokenized: TokenizedSequences,
    sequences: Sequence[str],
    first_letters: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """As the tokenizers library reports them."""
    backend = tokenizers.Tokenizer.from_str(tokenizer.files[TOKENIZER])
    leading = backend.encode("A").special_tokens_mask.index(0)
    begins = np.repeat(first_letters, tokenized.lengths)
    ends = begins.copy()
    for i, encoding in enumerate(backend.encode_batch(list(sequences), add_special_tokens=False)):
        spans = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        begin = tokenized.offsets[i] + leading
        end = begin + tokenized.lengths[i] - tokenizer.special_tokens
        kept = np.searchsorted(spans[:, 0], tokenized.starts[i])
        spans = spans[kept : kept + end - begin] + first_letters[i] - tokenized.starts[i]
        begins[begin:end], ends[begin:end] = spans.T
    return begins, ends


def tokens_with(spans: TokenSpans, labels: np.ndarray) -> np.ndarray:
    """Tokens that stand for at least one nucleotide with a label: bool (t, p) for labels (nucleotides, p).

    So tokens have a structure in the BERT-RBP study, section 2.4.4; those across a boundary of two regions, section
    2.4.3, have both labels. Special tokens have none.
    """
    _check_nucleotides(spans, labels)
    counts = np.zeros((len(labels) + 1, labels.shape[1]), dtype=np.int64)
    np.cumsum(labels.astype(bool), axis=0, out=counts[1:])
    return counts[spans.ends] > counts[spans.begins]


def to_nucleotides(spans: TokenSpans, values: np.ndarray) -> np.ndarray:
    """Mean over the tokens that stand for a nucleotide, float64 (nucleotides,); NaN where there is none.

    `values` (t,) of special tokens go nowhere.
    """
    if len(values) != len(spans.begins):
        raise InputError(f"{len(values):,} values for {len(spans.begins):,} tokens")
    places = int(spans.lengths.sum()) + 1
    totals, coverage = np.zeros(places), np.zeros(places, dtype=np.int64)
    inside = spans.content
    for at, sign in ((spans.begins[inside], 1), (spans.ends[inside], -1)):
        totals += np.bincount(at, sign * values[inside].astype(np.float64), minlength=places)
        coverage += sign * np.bincount(at, minlength=places)
    totals, coverage = np.cumsum(totals)[:-1], np.cumsum(coverage)[:-1]
    return np.divide(totals, coverage, out=np.full(places - 1, np.nan), where=coverage > 0)


def _check_nucleotides(spans: TokenSpans, labels: np.ndarray) -> None:
    expected = int(spans.lengths.sum())
    if labels.ndim != 2 or len(labels) != expected:
        raise InputError(
            f"labels of shape {labels.shape}: expected one row for each of the {expected:,} nucleotides of all "
            f"sequences, end to end, and one column for each property"
        )
