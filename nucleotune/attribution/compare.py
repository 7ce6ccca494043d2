"""A matrix of base shares beside known motifs: the best alignment, and how often chance gives as good a one.

As in Tomtom (Gupta et al. 2007, doi:10.1186/gb-2007-8-2-r24), columns are compared by their Euclidean distance. Tomtom
takes the columns of a large database for chance. A few known motifs are no database: here chance is the motif itself
with other letters, drawn from the composition of the sequences, so that TATATA is less of a surprise where A and T
abound.

Alignments that overlap, and variants of one element (TATATA, TTTATA), are anything but independent, and to correct for
their number (Bonferroni, Sidak) would leave a faultless TATATA unrecognised. So the best of them all is taken of each
random motif as of the known one, and compared with that.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nucleotune.sequence.alphabet import BASES

#: Up to this width all words are random motifs, with their chances; of wider ones WORDS are drawn, by a fixed seed.
WIDEST_ENUMERATED = 7
WORDS = 20_000


class Match(NamedTuple):
    """An element's best alignment with a pattern.

    p      chance that the best alignment of a random element is as good
    motif  number of the variant that fits best
    begin  column of the pattern that lies under its first column; negative where that is before its begin
    """

    p: float
    motif: int
    begin: int


def match(
    pattern: np.ndarray, core: slice, variants: Sequence[np.ndarray], background: np.ndarray
) -> Match:
    """The best of all alignments in which a variant lies within the pattern's core, or covers it.

    Args:
        pattern: shares of each base, (w, 4), on the strand that is compared. What is next to it is background.
        core: its columns that matter (`patterns.Patterns.core`).
        variants: shares of each base, (m, 4), of the motifs of one element.
        background: share of each base in the sequences, (4,), by which random motifs are drawn.

    Variants of one width are changed alike in a random element: at each position the letter of the first is exchanged
    for the drawn one in all of them, so that they stay as like each other as they are. Widths cannot be compared by
    their distances; there the least p counts, by Sidak's rule.
    """
    widths = dict.fromkeys(len(variant) for variant in variants)
    found = []
    for width in widths:
        numbers = [i for i, variant in enumerate(variants) if len(variant) == width]
        one = _match(pattern, core, np.stack([variants[i] for i in numbers]), background)
        found.append(one._replace(motif=numbers[one.motif]))
    best = min(found)
    return best._replace(p=any_of(best.p, len(widths)))


def any_of(p: float, number: int) -> float:
    """Chance that the least of so many independent p-values is `p` or less (Sidak)."""
    return float(-np.expm1(number * np.log1p(-min(p, 1 - 1e-12))))


def _match(pattern: np.ndarray, core: slice, variants: np.ndarray, background: np.ndarray) -> Match:
    """`match` for variants (v, m, 4) of one width."""
    m = variants.shape[1]
    padded = np.concatenate([np.tile(background, (m, 1)), pattern, np.tile(background, (m, 1))])
    random = _exchanged(variants)
    first, last = sorted((core.start, core.stop - m))
    words, chances = _words(m, background)
    nearest = np.full(len(chances), np.inf)
    own = []
    for begin in range(first, last + 1):
        columns = padded[m + begin : m + begin + m]
        distances = np.linalg.norm(columns[None, :, None] - random, axis=3)  # (v, m, 4)
        for number, (letters, variant) in enumerate(zip(distances, variants, strict=True)):
            total = sum(column.take(drawn) for column, drawn in zip(letters, words, strict=True))
            np.minimum(nearest, total, out=nearest)
            own.append((np.linalg.norm(columns - variant, axis=1).sum(), number, begin))
    distance, number, begin = min(own)
    # The known motif is itself one of the words: where they are drawn, none may be as near, but no chance is 0.
    p = np.clip(chances[nearest <= distance + 1e-9].sum(), chances.min(), 1)
    return Match(float(p), number, begin)


def _exchanged(variants: np.ndarray) -> np.ndarray:
    """Variants' columns with the first variant's highest letter exchanged for each letter in turn: (v, m, 4, 4)."""
    random = np.repeat(variants[:, :, None], len(BASES), axis=2)
    rows, letters = np.arange(variants.shape[1])[:, None], np.arange(len(BASES))
    highest = variants[0].argmax(axis=1)[:, None]
    random[:, rows, letters, highest] = variants[:, rows, letters]
    random[:, rows, letters, letters] = variants[:, rows, highest]
    return random


def _words(width: int, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words as letters (width, n), 0 to 3, and the chance of each: all there are, or, of wide ones, WORDS drawn."""
    if width <= WIDEST_ENUMERATED:
        words = np.indices((len(BASES),) * width).reshape(width, -1)
        return words, background[words].prod(axis=0)
    generator = np.random.default_rng(width)
    words = generator.choice(len(BASES), size=(width, WORDS), p=background / background.sum())
    return words, np.full(WORDS, 1 / WORDS)
