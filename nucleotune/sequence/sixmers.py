"""Non-overlapping 6-mers as token ids: the encoding of the Nucleotide Transformer (human reference), compiled.

From the left, every six bases are one token; where fewer than six are left before an N or the end, each is a token of
its own; so is each N. <cls> comes first, nothing comes last. One base more or less at the left changes every token up
to the next N. Ids: <unk> 0, <pad> 1, <mask> 2, <cls> 3; 6-mers 4 to 4099 over A, T, C, G (in that order), first base
slowest; A, T, C, G, N 4100 to 4104. The published vocabulary ends with <eos> and <bos>, which have no row in the
published embedding and are never used.

A run of other letters (lower case, U, IUPAC codes) is one unknown token, as in transformers' EsmTokenizer.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numba import njit

from nucleotune.sequence.kmers import (
    BASES,
    TRUNCATIONS,
    TokenizedSequences,
    check_request,
    join_letters,
)

UNK, PAD, MASK, CLS = range(4)
SPECIAL_TOKENS = ("<unk>", "<pad>", "<mask>", "<cls>")
LENGTH = 6

_FIRST_SIXMER = len(SPECIAL_TOKENS)
_FIRST_SINGLE = _FIRST_SIXMER + 4**LENGTH
_N, _OTHER = 4, 5
_CODES = np.full(256, _OTHER, dtype=np.uint8)
_CODES[np.frombuffer(f"{BASES}N".encode(), dtype=np.uint8)] = range(5)


def sixmer_vocabulary() -> list[str]:
    """The 4,107 published tokens in the order of their ids; the last two, <eos> and <bos>, must not be used."""
    sixmers = ("".join(bases) for bases in product(BASES, repeat=LENGTH))
    return [*SPECIAL_TOKENS, *sixmers, *BASES, "N", "<eos>", "<bos>"]


def encode_sixmers(
    ids: Sequence[str],
    sequences: Sequence[str],
    *,
    max_tokens: int | None = None,
    truncation: str = "right",
) -> TokenizedSequences:
    """Encode each sequence as <cls> and its non-overlapping 6-mers, single bases and Ns.

    Args:
        ids: names of the sequences, for error messages only.
        sequences: upper-case nucleotides; letters other than A, C, G, T, N become <unk>.
        max_tokens: most tokens a sequence may give, <cls> included; None for no limit.
        truncation: which window of a longer sequence is encoded: always the longest one that gives no more tokens, of
            those that begin with the sequence (`right`: the 3' end is lost), end with it (`left`), or lose as much on
            either side (`centre`; of an odd number one more at the 3' end). Since an N is a token, but so are six
            bases, that window is 6 nt a token without N, shorter with.

    Raises:
        InputError: a sequence is empty (names it), or max_tokens or truncation is out of range.
    """
    check_request(ids, sequences, max_tokens, truncation, special=1, shortest=1, of="6-mers")
    letters, nucleotides = join_letters(sequences)
    limit = nucleotides.max(initial=0) if max_tokens is None else max_tokens - 1
    starts, kept, counts = (np.empty_like(nucleotides) for _ in range(3))
    first_letters = np.cumsum(nucleotides) - nucleotides
    side = TRUNCATIONS.index(truncation)
    _choose_windows(letters, first_letters, nucleotides, limit, side, _CODES, starts, kept, counts)

    offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum(counts + 1, out=offsets[1:])
    tokens = np.empty(offsets[-1], dtype=np.uint16)
    tokens[offsets[:-1]] = CLS
    _encode(letters, first_letters + starts, kept, offsets[:-1] + 1, _CODES, tokens)
    return TokenizedSequences(tokens, offsets, starts, kept < nucleotides, PAD)


def sixmer_letters(sequence: str, start: int, position: int) -> str:
    """Letters under the token at `position` (0 = <cls>) of a `sequence` whose kept window begins at `start`.

    Where `centre` has cut the 3' end, the last (at most five) tokens may be parts of the 6-mer that is given here.
    """
    letters, _ = join_letters([sequence])
    begin = end = start
    for _ in range(position):
        begin, (_, end) = end, _next_token(letters, end, len(letters), _CODES)
    return sequence[begin:end]


@njit(cache=True, nogil=True)
def _next_token(letters, begin, stop, codes):  # pragma: no cover (compiled)
    """Id and end of the token that begins at letter `begin` of a window that ends at `stop`."""
    code = int(codes[letters[begin]])
    end = begin + 1
    if code == _N:
        return _FIRST_SINGLE + _N, end
    if code == _OTHER:
        while end < stop and codes[letters[end]] == _OTHER:
            end += 1
        return UNK, end
    rank = code
    while end < begin + LENGTH:
        if end == stop or codes[letters[end]] >= _N:
            return _FIRST_SINGLE + code, begin + 1
        rank = (rank << 2) | int(codes[letters[end]])
        end += 1
    return _FIRST_SIXMER + rank, end


@njit(cache=True, nogil=True)
def _choose_windows(
    letters, first_letters, nucleotides, limit, side, codes, starts, kept, counts
):  # pragma: no cover (compiled)
    """Fill `starts`, `kept` (nt) and `counts` (tokens) of each sequence's longest window of at most `limit` tokens.

    The number of tokens does not grow steadily with the window: 5 nt are five tokens, 6 nt are one. But a window
    shortened by one letter loses at most one token, so one with `excess` tokens too many can be shortened by as many
    letters without missing a longer one that fits.
    """
    for i in range(len(nucleotides)):
        length = min(nucleotides[i], LENGTH * limit)
        while True:
            cut = nucleotides[i] - length
            start = 0 if side == 0 else cut if side == 1 else cut // 2
            count = 0
            letter = first_letters[i] + start
            stop = letter + length
            while letter < stop:
                _, letter = _next_token(letters, letter, stop, codes)
                count += 1
            excess = count - limit
            if excess <= 0:
                break
            length -= excess
        starts[i], kept[i], counts[i] = start, length, count


@njit(cache=True, nogil=True)
def _encode(letters, first_letters, kept, positions, codes, tokens):  # pragma: no cover (compiled)
    """Fill in the tokens of each window from `positions` on."""
    for i in range(len(kept)):
        position = positions[i]
        letter = first_letters[i]
        stop = letter + kept[i]
        while letter < stop:
            tokens[position], letter = _next_token(letters, letter, stop, codes)
            position += 1
