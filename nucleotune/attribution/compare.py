"""A matrix of base shares beside known motifs: the best alignment, and how often chance gives as good a one.

As in Tomtom (Gupta et al. 2007, doi:10.1186/gb-2007-8-2-r24), columns are compared by their Euclidean distance, and
every alignment has a p-value of its own, so that short and long overlaps can be told against each other. Tomtom takes
the columns of a large database for chance. A few known motifs are no database: here chance is the motif itself with
other letters, drawn from the composition of the sequences. TATATA is then no surprise in sequences rich in A and T, and
p-values are exact, column by column, without random numbers.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nucleotune.attribution.onehot import BASES
from nucleotune.errors import InputError

#: Distances, 0 to the square root of 2, are rounded to multiples of this one.
STEP = 0.005


class Match(NamedTuple):
    """A motif's best alignment with a pattern.

    p      chance that any alignment with a random motif is as good, by Sidak's rule
    begin  column of the pattern that lies under the motif's first column; negative where that is before its begin
    """

    p: float
    begin: int


def read_motifs(path: str | Path) -> dict[str, np.ndarray]:
    """Motifs of a MEME file, of DNA or RNA: name -> shares (width, 4), bases A, C, G, T (or U).

    The name is what stands first after MOTIF. Raises InputError if the file cannot be read, has no motif, another
    alphabet, or rows that are no shares.
    """
    path = Path(path)
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a MEME motif file ({error})") from error
    if not re.search(r"^ALPHABET\s*=\s*ACG[TU]\s*$", text, re.MULTILINE):
        raise InputError(f"{path}: expected the line 'ALPHABET= {BASES}' (or ACGU)")
    motifs = {}
    for block in re.split(r"^MOTIF\s+", text, flags=re.MULTILINE)[1:]:
        name = block.split(maxsplit=1)[0]
        _, _, rows = block.partition("letter-probability matrix")
        heading, *rows = rows.splitlines() or [""]
        width = re.search(r"\bw=\s*(\d+)", heading)
        try:
            matrix = np.array([row.split() for row in rows[: int(width[1])]], dtype=np.float64)
            matrix = matrix.reshape(int(width[1]), len(BASES))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{path}: motif {name}: broken; expected 'letter-probability matrix: w= <width>' and as many rows of "
                f"{len(BASES)} numbers"
            ) from error
        if (matrix < 0).any() or not np.allclose(matrix.sum(axis=1), 1, atol=0.01):
            raise InputError(f"{path}: motif {name}: each row must be four shares that add up to 1")
        motifs[name] = matrix
    if not motifs:
        raise InputError(f"{path}: no motif there")
    return motifs


def match(pattern: np.ndarray, core: slice, motif: np.ndarray, background: np.ndarray) -> Match:
    """The best of all alignments in which the motif lies within the pattern's core, or covers it.

    Args:
        pattern: shares of each base, (w, 4), on the strand that is compared.
        core: its columns that matter (`modisco.Patterns.core`).
        motif: shares of each base, (m, 4).
        background: share of each base in the sequences, (4,), by which random motifs are drawn.
    """
    distances, own = _distances(pattern, motif)
    w, m = len(pattern), len(motif)
    ends = core.start, core.stop - m
    alignments = []
    for begin in range(min(ends), max(ends) + 1):
        columns = np.arange(max(0, -begin), min(m, w - begin))
        at = begin + columns, columns
        alignments.append((_chance(distances[at], int(own[at].sum()), background), begin))
    p, begin = min(alignments)
    return Match(float(-np.expm1(len(alignments) * np.log1p(-min(p, 1 - 1e-12)))), begin)


def _distances(pattern: np.ndarray, motif: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances in steps of a pattern's columns from random ones, (w, m, 4), and from the motif's own, (w, m).

    A random column is one of the motif's whose highest share was given to a letter, in exchange for that letter's.
    """
    random = np.repeat(motif[:, None], len(BASES), axis=1)
    rows, letters = np.arange(len(motif))[:, None], np.arange(len(BASES))
    random[rows, letters, motif.argmax(axis=1)[:, None]] = motif
    random[rows, letters, letters] = motif.max(axis=1)[:, None]
    steps = np.rint(np.linalg.norm(pattern[:, None, None] - random, axis=3) / STEP).astype(np.int64)
    own = np.take_along_axis(steps, motif.argmax(axis=1)[None, :, None], axis=2)[..., 0]
    return steps, own


def _chance(distances: np.ndarray, total: int, background: np.ndarray) -> float:
    """Chance that distances (columns, 4), one drawn of each column, add up to `total` or less."""
    chances = np.zeros(total + 1)
    chances[0] = 1
    for column in distances:
        after = np.zeros_like(chances)
        for distance, share in zip(column.tolist(), background.tolist(), strict=True):
            if distance <= total:
                after[distance:] += share * chances[: total + 1 - distance]
        chances = after
    return float(chances.sum())
