"""Overlapping k-mers as token ids: the DNABERT encoding, compiled.

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


@dataclass(frozen=True)
class TokenizedSequences:
    """Token ids of n sequences, end to end in one array.

    tokens     uint16, all ids; sequence i is tokens[offsets[i]:offsets[i + 1]], special tokens included
    offsets    int64, n + 1
    starts     int64, n: 0-based nucleotide at which the window that was kept of sequence i begins
    truncated  bool, n: whether sequence i was longer than that window
    """

    tokens: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    truncated: np.ndarray

    def __len__(self) -> int:
        return len(self.truncated)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sequence, int64 (n,)."""
        return np.diff(self.offsets)


def kmer_vocabulary(k: int) -> list[str]:
    """Tokens in the order of their ids: the five special ones, then 4^k k-mers."""
    return [*SPECIAL_TOKENS, *("".join(bases) for bases in product(BASES, repeat=k))]


def encode_kmers(
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    k: int,
    max_tokens: int | None = None,
    truncation: str = "right",
) -> TokenizedSequences:
    """Encode each sequence as [CLS], its n - k + 1 overlapping k-mers, [SEP].

    Args:
        ids: names of the sequences, for error messages only.
        sequences: upper-case nucleotides; k-mers with a letter other than A, C, G, T become [UNK].
        k: 3 to 6.
        max_tokens: most tokens a sequence may give, [CLS] and [SEP] included; None for no limit.
        truncation: what a sequence over the limit loses, in nucleotides, before it is encoded: `right` its 3' end,
            `left` its 5' end, `centre` both ends alike, so that its centre stays.

    Raises:
        InputError: a sequence is shorter than k (names it), or k, max_tokens or truncation is out of range.
    """
    if not 3 <= k <= 6:
        raise InputError(f"k-mer length {k} is not supported: expected 3, 4, 5 or 6")
    if truncation not in TRUNCATIONS:
        raise InputError(
            f"truncation {truncation!r} is unknown: expected one of {', '.join(TRUNCATIONS)}"
        )
    if max_tokens is not None and max_tokens < 3:
        raise InputError(
            f"max_tokens {max_tokens} leaves no room for a k-mer between [CLS] and [SEP]"
        )

    nucleotides = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    short = np.flatnonzero(nucleotides < k)
    if short.size:
        first = short[0]
        raise InputError(
            f"record {ids[first]!r}: {nucleotides[first]} nt is too short for {k}-mers; remove the {short.size} "
            f"record(s) shorter than {k} nt"
        )

    limit = nucleotides.max(initial=k) if max_tokens is None else max_tokens - 2 + k - 1
    kept = np.minimum(nucleotides, limit)
    cut = nucleotides - kept
    starts = {"right": np.zeros_like(cut), "left": cut, "centre": cut // 2}[truncation]

    offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum(kept - k + 3, out=offsets[1:])
    # A letter outside ASCII is replaced by '?', one byte for one letter: it ends as an unknown token, too.
    letters = np.frombuffer("".join(sequences).encode("ascii", "replace"), dtype=np.uint8)
    first_letters = np.cumsum(nucleotides) - nucleotides + starts
    tokens = np.empty(offsets[-1], dtype=np.uint16)
    _encode(letters, first_letters, kept, offsets, k, _CODES, tokens)
    return TokenizedSequences(tokens, offsets, starts, cut > 0)


@njit(nogil=True)
def _encode(letters, first_letters, kept, offsets, k, codes, tokens):  # pragma: no cover (compiled)
    """Fill `tokens`; `valid` counts the letters since the last one that is not a base."""
    mask = (1 << (2 * k)) - 1
    for i in range(len(kept)):
        position = offsets[i]
        tokens[position] = CLS
        rank = 0
        valid = 0
        first = first_letters[i]
        for j in range(kept[i]):
            code = codes[letters[first + j]]
            valid = 0 if code == 4 else valid + 1
            rank = ((rank << 2) | (code & 3)) & mask
            if j >= k - 1:
                position += 1
                tokens[position] = len(SPECIAL_TOKENS) + rank if valid >= k else UNK
        tokens[position + 1] = SEP
