"""Overlapping k-mers and single nucleotides as token ids: the DNABERT encoding, compiled.

Ids follow DNABERT's vocabulary: five special tokens, then the 4^k k-mers over A, T, C, G (in that order, not A, C, G,
T), first base slowest: id = 5 + sum_i code(b_i) * 4^(k-1-i). A k-mer that holds any other letter (N, U, IUPAC codes,
lower case) is unknown. Normalising letters is the reader's work, not ours: here they only turn into unknown tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numba import njit

from nucleotune.errors import InputError

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BASES = "ATCG"
TRUNCATIONS = ("right", "left", "centre")

_CODES = np.full(256, 4, dtype=np.uint8)
_CODES[np.frombuffer(BASES.encode(), dtype=np.uint8)] = range(4)

#: Token id of every byte in the single-nucleotide vocabulary.
_SINGLE_IDS = np.full(256, UNK, dtype=np.uint16)
_SINGLE_IDS[np.frombuffer(f"{BASES}N".encode(), dtype=np.uint8)] = range(len(SPECIAL_TOKENS), 10)


@dataclass(frozen=True)
class TokenizedSequences:
    """Token ids of n sequences, end to end in one array.

    tokens     uint16, all ids; sequence i is tokens[offsets[i]:offsets[i + 1]], special tokens included
    offsets    int64, n + 1
    starts     int64, n: 0-based nucleotide at which the window that was kept of sequence i begins
    truncated  bool, n: whether sequence i was longer than that window
    pad_id     what fills a batch up to its longest sequence
    """

    tokens: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    truncated: np.ndarray
    pad_id: int

    def __len__(self) -> int:
        return len(self.truncated)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sequence, int64 (n,)."""
        return np.diff(self.offsets)

    def rectangle(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sequences `indices` padded to the longest of them, three arrays (len(indices), longest).

        ids     token ids, int64
        places  of each token in `tokens`; any valid one for padding
        filled  bool, not padding
        """
        lengths = self.lengths[indices]
        position = np.arange(lengths.max())
        filled = position < lengths[:, None]
        places = self.offsets[indices, None] + np.where(filled, position, 0)
        ids = np.where(filled, self.tokens[places], self.pad_id).astype(np.int64)
        return ids, places, filled


def kmer_vocabulary(k: int) -> list[str]:
    """Tokens in the order of their ids: the five special ones, then 4^k k-mers."""
    return [*SPECIAL_TOKENS, *("".join(bases) for bases in product(BASES, repeat=k))]


def single_vocabulary() -> list[str]:
    """Tokens in the order of their ids: the five special ones, then A, T, C, G, N."""
    return [*SPECIAL_TOKENS, *BASES, "N"]


def encode_kmers(
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    k: int,
    species_id: int | None = None,
    max_tokens: int | None = None,
    truncation: str = "right",
) -> TokenizedSequences:
    """Encode each sequence as [CLS], the species token if there is one, its n - k + 1 overlapping k-mers, [SEP].

    Args:
        ids: names of the sequences, for error messages only.
        sequences: upper-case nucleotides; k-mers with a letter other than A, C, G, T become [UNK].
        k: 3 to 6.
        species_id: token that follows [CLS] in every sequence (SpeciesLM).
        max_tokens: most tokens a sequence may give, special tokens included; None for no limit.
        truncation: what a sequence over the limit loses, in nucleotides, before it is encoded: `right` its 3' end,
            `left` its 5' end, `centre` both ends alike, so that its centre stays.

    Raises:
        InputError: a sequence is shorter than k (names it), or k, max_tokens or truncation is out of range.
    """
    if not 3 <= k <= 6:
        raise InputError(f"k-mer length {k} is not supported: expected 3, 4, 5 or 6")
    leading = [CLS] if species_id is None else [CLS, species_id]
    special = len(leading) + 1
    check_request(
        ids, sequences, max_tokens, truncation, special=special, shortest=k, of=f"{k}-mers"
    )
    limit = None if max_tokens is None else max_tokens - special + k - 1
    letters, first_letters, kept, starts, cut = _windows(sequences, limit, truncation)
    tokens, offsets = _framed(kept - k + 1, leading)
    _encode(letters, first_letters, kept, offsets[:-1] + len(leading), k, _CODES, tokens)
    return TokenizedSequences(tokens, offsets, starts, cut > 0, PAD)


def encode_singles(
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    max_tokens: int | None = None,
    truncation: str = "right",
) -> TokenizedSequences:
    """Encode each sequence as [CLS], one token a nucleotide (A, T, C, G, N: 5 to 9; else [UNK]), [SEP].

    Arguments and errors are those of `encode_kmers`; a sequence must have at least one nucleotide.
    """
    check_request(ids, sequences, max_tokens, truncation, special=2, shortest=1, of="nucleotides")
    limit = None if max_tokens is None else max_tokens - 2
    letters, first_letters, kept, starts, cut = _windows(sequences, limit, truncation)
    tokens, offsets = _framed(kept, [CLS])
    before = np.cumsum(kept) - kept
    at = np.arange(
        kept.sum()
    )  # counts the letters that are kept; shifted to where they come from and where they go
    chosen = letters[at + np.repeat(first_letters - before, kept)]
    tokens[at + np.repeat(offsets[:-1] + 1 - before, kept)] = _SINGLE_IDS[chosen]
    return TokenizedSequences(tokens, offsets, starts, cut > 0, PAD)


def check_request(
    ids: Sequence[str],
    sequences: Sequence[str],
    max_tokens: int | None,
    truncation: str,
    *,
    special: int,
    shortest: int,
    of: str,
) -> None:
    """Raise InputError unless every sequence has `shortest` nt, and `max_tokens` room for more than `special` tokens.

    `of` says in the message what the tokens are.
    """
    if truncation not in TRUNCATIONS:
        raise InputError(
            f"truncation {truncation!r} is unknown: expected one of {', '.join(TRUNCATIONS)}"
        )
    if max_tokens is not None and max_tokens <= special:
        raise InputError(
            f"max_tokens {max_tokens} leaves no room for a token of the sequence besides {special} special token(s)"
        )
    short = [i for i, sequence in enumerate(sequences) if len(sequence) < shortest]
    if short:
        first = short[0]
        raise InputError(
            f"record {ids[first]!r}: {len(sequences[first])} nt is too short for {of}; remove the {len(short)} "
            f"record(s) shorter than {shortest} nt"
        )


def join_letters(sequences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """All letters end to end, uint8, and the length of each sequence, int64 (n,)."""
    # A letter outside ASCII is replaced by '?', one byte for one letter: it also becomes an unknown token.
    letters = np.frombuffer("".join(sequences).encode("ascii", "replace"), dtype=np.uint8)
    return letters, np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))


def _windows(
    sequences: Sequence[str], limit: int | None, truncation: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All letters; then of each sequence: its window's place among them, length, start in the sequence, and loss."""
    letters, nucleotides = join_letters(sequences)
    kept = nucleotides if limit is None else np.minimum(nucleotides, limit)
    cut = nucleotides - kept
    starts = {"right": np.zeros_like(cut), "left": cut, "centre": cut // 2}[truncation]
    return letters, np.cumsum(nucleotides) - nucleotides + starts, kept, starts, cut


def _framed(contents: np.ndarray, leading: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Tokens with only `leading` and [SEP] filled in, around `contents` tokens of each sequence; and their offsets."""
    offsets = np.zeros(len(contents) + 1, dtype=np.int64)
    np.cumsum(contents + len(leading) + 1, out=offsets[1:])
    tokens = np.empty(offsets[-1], dtype=np.uint16)
    for i, token in enumerate(leading):
        tokens[offsets[:-1] + i] = token
    tokens[offsets[1:] - 1] = SEP
    return tokens, offsets


@njit(cache=True, nogil=True)
def _encode(
    letters, first_letters, kept, positions, k, codes, tokens
):  # pragma: no cover (compiled)
    """Fill in k-mers from `positions` on; `valid` counts the letters since the last one that is not a base."""
    mask = (1 << (2 * k)) - 1
    for i in range(len(kept)):
        position = positions[i]
        rank = 0
        valid = 0
        first = first_letters[i]
        for j in range(kept[i]):
            code = codes[letters[first + j]]
            valid = 0 if code == 4 else valid + 1
            rank = ((rank << 2) | (code & 3)) & mask
            if j >= k - 1:
                tokens[position] = len(SPECIAL_TOKENS) + rank if valid >= k else UNK
                position += 1
