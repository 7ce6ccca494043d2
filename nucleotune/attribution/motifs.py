"""Patterns beside known motifs, and where they are relative to the polyadenylation site.

Elements of yeast's polyadenylation are in `resources/motifs/polya.meme`, from section 2 and table 2 of the
polyadenylation study, with T for U; a motif's name is its element and a number.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from nucleotune.attribution.compare import any_of, match
from nucleotune.attribution.patterns import Patterns

#: False discovery rate among patterns, up to which a pattern is taken for an element.
MOST_Q = 0.1


def composition(sequences: np.ndarray) -> np.ndarray:
    """Share of each base in one-hot sequences (n, 4, L): float64 (4,)."""
    counts = sequences.sum(axis=(0, 2), dtype=np.float64)
    return counts / counts.sum()


def match_patterns(
    patterns: Patterns, motifs: Mapping[str, np.ndarray], background: np.ndarray
) -> pd.DataFrame:
    """The element that fits each pattern's core best, and which motif of it does.

    Args:
        patterns: what modisco found.
        motifs: `meme.read_motifs`; none where none are known. Those with one name up to a dot are variants of one
            element and are compared together.
        background: share of each base, (4,) (`composition`).

    Returns:
        One row per pattern: `pattern`, `motif`, `element` (the motif's name up to a dot; "" where `q` is above
        MOST_Q), `p` of the best of all elements (adjusted for their number after Sidak), `q` (Benjamini and Hochberg,
        among patterns), and `centre`, the middle of the motif, or of the core where there is no element, in nt from the
        pattern's begin.
    """
    elements = by_element(motifs)
    rows = []
    for name in patterns.ppm:
        core = patterns.core(name)
        row = {
            "pattern": name,
            "motif": "",
            "p": np.nan,
            "centre": (core.start + core.stop - 1) / 2,
        }
        if motifs:
            found = {
                element: match(
                    patterns.ppm[name], core, [motifs[variant] for variant in names], background
                )
                for element, names in elements.items()
            }
            element = min(found, key=lambda element: found[element].p)
            best, motif = found[element], elements[element][found[element].motif]
            middle = best.begin + (len(motifs[motif]) - 1) / 2
            row |= {"motif": motif, "p": any_of(best.p, len(elements)), "middle": middle}
        rows.append(row)
    columns = ["pattern", "motif", "element", "p", "q", "centre"]
    if not rows or not motifs:
        return pd.DataFrame(rows, columns=columns).fillna({"element": ""})
    from scipy.stats import false_discovery_control  # takes a second, and tables need none of it

    table = pd.DataFrame(rows)
    table["q"] = false_discovery_control(table["p"])
    known = table["q"] <= MOST_Q
    table["element"] = table["motif"].map(element_of).where(known, "")
    table["centre"] = table["middle"].where(known, table["centre"])
    return table[columns]


def element_of(motif: str) -> str:
    """The element that a motif is a variant of: its name up to a dot."""
    return motif.split(".")[0]


def by_element(motifs: Iterable[str]) -> dict[str, list[str]]:
    """Names of motifs by the element that they are variants of, in their order."""
    elements: dict[str, list[str]] = {}
    for name in motifs:
        elements.setdefault(element_of(name), []).append(name)
    return elements


def observed_sites(counts: np.ndarray) -> np.ndarray:
    """Position of the highest count of each sequence, tracks added up; the first of equal ones, -1 without a count.

    int64 (n,) of counts (n, tracks, L).
    """
    total = counts.sum(axis=1)
    return np.where(total.any(axis=1), total.argmax(axis=1), -1)


def seqlet_places(patterns: Patterns, matches: pd.DataFrame, sites: np.ndarray) -> pd.DataFrame:
    """Where the motif of each seqlet is.

    Args:
        patterns: what modisco found.
        matches: `match_patterns`.
        sites: position of the site in each sequence, -1 for none (`observed_sites`).

    Returns:
        One row per seqlet: `pattern`, `sign` (of the pattern), `element`, `example`, `start`, `end` (0-based
        half-open), `position` (middle of the motif, nt from the sequence's begin), `distance` (`position` minus the
        site's, negative upstream; NaN without a site), `contribution`.
    """
    table = patterns.seqlets.merge(matches[["pattern", "element", "centre"]], on="pattern")
    table = table.merge(patterns.table[["pattern", "sign"]], on="pattern")
    position = table["start"] + table["centre"].astype(np.float64)
    site = np.where(sites < 0, np.nan, sites)[table["example"].to_numpy(dtype=np.int64)]
    return pd.DataFrame(
        {
            "pattern": table["pattern"],
            "sign": table["sign"],
            "element": table["element"],
            "example": table["example"],
            "start": table["start"],
            "end": table["end"],
            "position": position,
            "distance": position - site,
            "contribution": table["contribution"],
        }
    )


def motif_table(
    patterns: Patterns, matches: pd.DataFrame, places: pd.DataFrame, order: Sequence[str] = ()
) -> pd.DataFrame:
    """The table of motifs.

    Args:
        patterns: what modisco found.
        matches: `match_patterns`.
        places: `seqlet_places`.
        order: elements that come first; the others follow, patterns without an element last.

    Returns:
        One row per pattern: `pattern`, `sign`, `seqlets`, `consensus`, `element`, `motif`, `p`, `q`, and of the
        distance to the site in nt: `distance` (median), `distance_q1`, `distance_q3` (quartiles).
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
