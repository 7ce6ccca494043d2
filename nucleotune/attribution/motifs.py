"""Patterns beside the known elements of polyadenylation, and where they lie relative to the site.

Elements are in `resources/motifs/polya.meme`, from section 2 and table 2 of the polyadenylation study, with T for U;
a motif's name is its element and a number. Patterns are compared by Tomtom (Gupta et al. 2007,
doi:10.1186/gb-2007-8-2-r24), as memelite has it. Its p-values tell how often a column of the database fits a column of
the pattern as well; nine motifs are no database, so random ones of the sequences' composition are added to it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from memelite import tomtom
from memelite.io import read_meme
from scipy.stats import false_discovery_control

from nucleotune.attribution.modisco import Patterns
from nucleotune.attribution.onehot import BASES
from nucleotune.errors import InputError

#: Random motifs beside the known ones, and their width.
RANDOM_MOTIFS, RANDOM_WIDTH = 500, 8

#: Share of the letter of a random motif's column; that of the elements' file.
LETTER_SHARE = 0.91

#: False discovery rate among patterns, up to which a pattern is taken for an element.
MOST_Q = 0.1


def read_elements(path: str | Path) -> dict[str, np.ndarray]:
    """Motifs of a MEME file: name -> shares (width, 4), bases A, C, G, T; the name is what stands first after MOTIF.

    Raises InputError if the file cannot be read, has no motif, another alphabet, or rows that are no shares.
    """
    path = Path(path)
    try:
        lines = path.read_text().splitlines()
        motifs = {name.split()[0]: matrix.T for name, matrix in read_meme(path).items()}
    except (OSError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: not a MEME motif file, or a broken one ({error})") from error
    if not any(line.replace(" ", "") == f"ALPHABET={BASES}" for line in lines):
        raise InputError(f"{path}: expected the line 'ALPHABET= {BASES}'")
    if not motifs:
        raise InputError(f"{path}: no motif there")
    for name, matrix in motifs.items():
        if (matrix < 0).any() or not np.allclose(matrix.sum(axis=1), 1, atol=0.01):
            raise InputError(f"{path}: motif {name}: each row must be four shares that add up to 1")
    return motifs


def composition(sequences: np.ndarray) -> np.ndarray:
    """Share of each base in one-hot sequences (n, 4, L): float64 (4,)."""
    counts = sequences.sum(axis=(0, 2), dtype=np.float64)
    return counts / counts.sum()


def match_patterns(
    patterns: Patterns, elements: dict[str, np.ndarray], background: np.ndarray, *, seed: int
) -> pd.DataFrame:
    """The motif that fits each pattern's core best.

    Args:
        patterns: what modisco found.
        elements: `read_elements`.
        background: share of each base, (4,) (`composition`).
        seed: of the random motifs.

    Returns:
        A row a pattern: `pattern`, `motif`, `element` ("" where `q` is above MOST_Q), `p` of the best of all motifs
        (Tomtom's, adjusted for their number after Sidak), `q` (Benjamini and Hochberg, among patterns), and `centre`,
        the middle of the motif, or of the core where there is no element, in nt from the pattern's begin.
    """
    names, cores = list(elements), [patterns.core(name) for name in patterns.ppm]
    if not cores:
        return pd.DataFrame(columns=["pattern", "motif", "element", "p", "q", "centre"])
    queries = [patterns.ppm[name][core].T for name, core in zip(patterns.ppm, cores, strict=True)]
    targets = [elements[name].T for name in names] + _random_motifs(background, seed)
    p_values, _, offsets, *_ = tomtom(queries, targets, reverse_complement=False)
    p_values, offsets = p_values[:, : len(names)], offsets[:, : len(names)]
    best = p_values.argmin(axis=1)
    at = np.arange(len(best)), best
    p = -np.expm1(len(names) * np.log1p(-np.clip(p_values[at], 0, 1 - 1e-12)))
    q = false_discovery_control(p)
    begins = np.array([core.start for core in cores])
    widths = np.array([core.stop - core.start for core in cores])
    motif_widths = np.array([len(elements[names[i]]) for i in best])
    known = q <= MOST_Q
    return pd.DataFrame(
        {
            "pattern": list(patterns.ppm),
            "motif": [names[i] for i in best],
            "element": [
                names[i].split(".")[0] if is_known else ""
                for i, is_known in zip(best, known, strict=True)
            ],
            "p": p,
            "q": q,
            # A motif at offset -2 begins with the third position of the core.
            "centre": begins
            + np.where(known, (motif_widths - 1) / 2 - offsets[at], (widths - 1) / 2),
        }
    )


def observed_sites(counts: np.ndarray) -> np.ndarray:
    """Position of the highest count of each sequence, tracks added up; the first of equal ones, -1 without a count.

    int64 (n,) of counts (n, tracks, L).
    """
    total = counts.sum(axis=1)
    return np.where(total.any(axis=1), total.argmax(axis=1), -1)


def seqlet_places(patterns: Patterns, matches: pd.DataFrame, sites: np.ndarray) -> pd.DataFrame:
    """Where the motif of each seqlet lies.

    Args:
        patterns: what modisco found.
        matches: `match_patterns`.
        sites: position of the site in each sequence, -1 for none (`observed_sites`).

    Returns:
        A row a seqlet: `pattern`, `element`, `example`, `position` (middle of the motif, nt from the sequence's
        begin), `distance` (`position` less the site's, negative upstream; NaN without a site), `contribution`.
    """
    table = patterns.seqlets.merge(matches[["pattern", "element", "centre"]], on="pattern")
    position = table["start"] + table["centre"].astype(np.float64)
    site = np.where(sites < 0, np.nan, sites)[table["example"].to_numpy(dtype=np.int64)]
    return pd.DataFrame(
        {
            "pattern": table["pattern"],
            "element": table["element"],
            "example": table["example"],
            "position": position,
            "distance": position - site,
            "contribution": table["contribution"],
        }
    )


def polya_motifs(
    patterns: Patterns, matches: pd.DataFrame, places: pd.DataFrame, order: Sequence[str] = ()
) -> pd.DataFrame:
    """The table of motifs.

    Args:
        patterns: what modisco found.
        matches: `match_patterns`.
        places: `seqlet_places`.
        order: elements that come first; the others follow, patterns without an element last.

    Returns:
        A row a pattern: `pattern`, `sign`, `seqlets`, `consensus`, `element`, `motif`, `p`, `q`, and of the distance
        to the site in nt: `distance` (median), `distance_q1`, `distance_q3` (quartiles).
    """
    table = patterns.table.merge(matches, on="pattern")
    distances = places.groupby("pattern")["distance"]
    for name, share in (("distance", 0.5), ("distance_q1", 0.25), ("distance_q3", 0.75)):
        table[name] = table["pattern"].map(distances.quantile(share))
    ranks = {name: i for i, name in enumerate(order)} | {"": len(order) + 1}
    table = table.sort_values(
        "element", key=lambda column: [ranks.get(e, len(order)) for e in column], kind="stable"
    )
    columns = ["pattern", "sign", "seqlets", "consensus", "element", "motif", "p", "q"]
    return table[[*columns, "distance", "distance_q1", "distance_q3"]].reset_index(drop=True)


def _random_motifs(background: np.ndarray, seed: int) -> list[np.ndarray]:
    """Motifs (4, RANDOM_WIDTH) whose letters are drawn from `background`."""
    size = (RANDOM_MOTIFS, RANDOM_WIDTH)
    letters = np.random.default_rng(seed).choice(len(BASES), size=size, p=background)
    other = (1 - LETTER_SHARE) / (len(BASES) - 1)
    return [np.where(np.arange(len(BASES))[:, None] == row, LETTER_SHARE, other) for row in letters]
