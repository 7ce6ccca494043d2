"""What a method's model reads of sequences: their tokens, cut or in windows."""

from collections.abc import Mapping, Sequence
from typing import Any

from nucleotune.models.spec import has_windows
from nucleotune.models.tokenizers import Tokenizer
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.sequence.token_windows import TokenWindows, in_windows, undivided


def read_tokens(
    tokenizer: Tokenizer,
    ids: Sequence[str],
    sequences: Sequence[str],
    description: Mapping[str, Any],
) -> TokenWindows:
    """Tokens of upper-case `sequences` as a model reads them.

    Args:
        tokenizer: of the model.
        ids: names of the sequences, for error messages.
        sequences: as the method's view shows them.
        description: of the model: `model`, `method` and `truncation` of its nucleotune.json.

    Raises:
        InputError: a sequence is too short to give a single token (names it).
    """
    if not has_windows(description["method"]):
        return undivided(tokenizer.encode(ids, sequences, description["truncation"]))
    return windows_of(tokenizer.encode(ids, sequences, None), tokenizer, description)


def windows_of(
    tokenized: TokenizedSequences, tokenizer: Tokenizer, description: Mapping[str, Any]
) -> TokenWindows:
    """The windows in which a model's method reads whole sequences, whose tokens are given."""
    method = description["method"]
    return in_windows(
        tokenized,
        most=description["model"]["max_tokens"],
        leading=tokenizer.leading_tokens,
        trailing=tokenizer.special_tokens - tokenizer.leading_tokens,
        overlap=method["window_overlap"],
        pooling=method["window_pooling"],
    )
