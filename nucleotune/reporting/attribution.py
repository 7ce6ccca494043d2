"""Contributions along sequences, motifs, and where these lie: Figures 7 and 8 of the polyadenylation study."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import logomaker
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nucleotune.reporting.figures import COLOURS, SETTINGS, save

BASES = "ACGT"
LETTER_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}

#: nt of a logo's row; a longer sequence would have letters too narrow to read.
WIDEST = 150

#: Patterns in a figure, those with most seqlets.
MOST_PATTERNS = 14


class Track(NamedTuple):
    """Contributions to one sequence, or to a part of it.

    title          of the row
    sequence       nucleotides that are shown, at most WIDEST
    contributions  of each, by any method
    begin          position of the first of them in the sequence, 0-based
    site           observed site, a position in the sequence; None for none
    seqlets        (begin, end, name) in the sequence, shaded
    """

    title: str
    sequence: str
    contributions: np.ndarray
    begin: int = 0
    site: int | None = None
    seqlets: Sequence[tuple[int, int, str]] = ()


def track_figure(tracks: Sequence[Track], path: str | Path) -> None:
    """Logos of contributions along a few sequences, one row each; writes `path` (.svg) and a PNG beside it."""
    with matplotlib.rc_context(SETTINGS):
        size = (0.3 + 0.085 * max(len(track.sequence) for track in tracks), 1.5 * len(tracks))
        figure = Figure(figsize=size, layout="constrained")
        for axes, track in zip(
            figure.subplots(len(tracks), 1, squeeze=False)[:, 0], tracks, strict=True
        ):
            places = track.begin + np.arange(len(track.sequence))
            letters = np.array(list(track.sequence))[:, None] == np.array(list(BASES))
            _logo(axes, letters * track.contributions[:, None], places)
            for begin, end, name in track.seqlets:
                axes.axvspan(begin - 0.5, end - 0.5, color="#56B4E9", alpha=0.25, linewidth=0)
                axes.text(begin, axes.get_ylim()[1], name, fontsize=7, va="bottom")
            if track.site is not None:
                axes.axvline(track.site, color="#909090", linewidth=0.8, linestyle=":")
            axes.set_xlim(places[0] - 0.5, places[-1] + 0.5)
            axes.set_title(track.title, loc="left", fontsize=8, pad=12 if track.seqlets else 4)
            axes.set_ylabel("Contribution", fontsize=7)
        axes.set_xlabel("Position (nt); dotted: observed site")
        save(figure, path)


def motif_figure(
    table: pd.DataFrame,
    ppm: Mapping[str, np.ndarray],
    cwm: Mapping[str, np.ndarray],
    background: np.ndarray,
    path: str | Path,
) -> None:
    """One row a pattern, in the order of `table` (Figure 7): its contributions, its bases, and the best match.

    Args:
        table: at least one row of `attribution.motifs.polya_motifs`; the MOST_PATTERNS with most seqlets are shown.
        ppm: share of each base by pattern, (width, 4).
        cwm: mean contribution of each base by pattern, (width, 4).
        background: share of each base in the sequences, (4,); the height of a position is its information above it.
        path: of the SVG; a PNG is written beside it.
    """
    shown = table[table["seqlets"].rank(ascending=False, method="first") <= MOST_PATTERNS]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.6, 0.5 + 1.05 * len(shown)), layout="constrained")
        grid = figure.subplots(len(shown), 3, squeeze=False, width_ratios=[1.2, 1.2, 1])
        for (left, middle, right), row in zip(grid, shown.itertuples(), strict=True):
            shares = ppm[row.pattern]
            _logo(left, cwm[row.pattern])
            _logo(middle, shares * information(shares, background)[:, None])
            for axes, label in ((left, "Contribution"), (middle, "Bits")):
                axes.set_ylabel(label, fontsize=7)
                axes.tick_params(labelsize=6)
            match = f"{row.element} ({row.motif}), q = {row.q:.2g}" if row.element else "no element"
            distance = (
                "no observed site"
                if np.isnan(row.distance)
                else f"{row.distance:+.0f} nt to site ({row.distance_q1:+.0f} to {row.distance_q3:+.0f})"
            )
            text = f"{row.pattern}: {row.seqlets:,} seqlets\n{row.consensus}\n{match}\n{distance}"
            right.text(0, 0.5, text, va="center", fontsize=7.5)
            right.axis("off")
        grid[0, 0].set_title("Mean contribution", fontsize=8)
        grid[0, 1].set_title("Bases of the seqlets", fontsize=8)
        save(figure, path)


def distance_figure(places: pd.DataFrame, length: int, path: str | Path, *, width: int = 5) -> None:
    """Where the motifs of each element lie relative to the observed site (Figure 8), one panel an element.

    Args:
        places: `attribution.motifs.seqlet_places`, with at least one seqlet that has an element and a distance.
        length: of the sequences: distances go from -length to length.
        path: of the SVG; a PNG is written beside it.
        width: nt of a bar.
    """
    known = places[(places["element"] != "") & places["distance"].notna()]
    elements = known.groupby("element")["distance"].median().sort_values().index
    edges = np.arange(-length, length + width, width)
    low, high = np.quantile(known["distance"], [0.005, 0.995])
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(5.6, 0.6 + 1.3 * len(elements)), layout="constrained")
        panels = figure.subplots(len(elements), 1, squeeze=False, sharex=True)[:, 0]
        for axes, element, colour in zip(panels, elements, COLOURS, strict=False):
            distances = known.loc[known["element"] == element, "distance"]
            axes.hist(distances, bins=edges, color=colour)
            axes.axvline(0, color="#909090", linewidth=0.8, linestyle=":")
            median = f"median {distances.median():+.0f} nt"
            axes.set_title(
                f"{element}, {len(distances):,} seqlets, {median}", loc="left", fontsize=8
            )
            axes.set_ylabel("Seqlets", fontsize=8)
        axes.set_xlim(min(low, 0) - 2 * width, max(high, 0) + 2 * width)
        axes.set_xlabel("Distance to the observed site (nt, negative: upstream)")
        save(figure, path)


def information(shares: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Bits by which each position of (width, 4) shares differs from the background (Kullback and Leibler)."""
    ratio = np.divide(shares, background, out=np.ones_like(shares), where=shares > 0)
    return (shares * np.log2(ratio)).sum(axis=1)


def _logo(axes: Axes, heights: np.ndarray, places: np.ndarray | None = None) -> None:
    """Letters of (width, 4) heights; negative ones hang upside down below zero."""
    table = pd.DataFrame(heights, columns=list(BASES), index=places)
    logomaker.Logo(table, ax=axes, color_scheme=LETTER_COLOURS, flip_below=True, shade_below=0.4)
    axes.axhline(0, color="#000000", linewidth=0.5)
