"""From nucleotides to the token ids of a given model."""

from collections.abc import Sequence
from typing import Any

from nucleotune.sequence.kmers import TokenizedSequences, encode_kmers, kmer_vocabulary


def vocabulary(tokenizer: dict[str, Any]) -> list[str]:
    """All tokens of `tokenizer` ({kind: kmer, k: ...}) in the order of their ids."""
    return kmer_vocabulary(tokenizer["k"])


def tokenize(
    model: dict[str, Any], ids: Sequence[str], sequences: Sequence[str], truncation: str
) -> TokenizedSequences:
    """Encode upper-case `sequences` for `model`, cut at `truncation` to its max_tokens; `ids` serve error messages.

    Raises:
        InputError: a sequence is too short to give a single token (names it).
    """
    return encode_kmers(
        ids,
        sequences,
        k=model["tokenizer"]["k"],
        max_tokens=model["max_tokens"],
        truncation=truncation,
    )


def token_letters(model: dict[str, Any], sequence: str, start: int, position: int) -> str:
    """Letters under the token at `position` (0 = [CLS]) of a `sequence` whose kept window begins at `start`."""
    first = start + position - 1
    return sequence[first : first + model["tokenizer"]["k"]]
