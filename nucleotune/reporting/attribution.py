"""Contributions along sequences, motifs, and where these are: Figures 7 and 8 of the polyadenylation study."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import logomaker
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nucleotune.reporting.figures import COLOURS, SETTINGS, TITLE_WIDTH, panels_of, save
from nucleotune.sequence.alphabet import BASES

LETTER_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}

#: nt of a logo's row; a longer sequence would have letters too narrow to read.
WIDEST = 150

#: nt of a bar of a histogram of distances.
BAR = 5

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


class Motifs(NamedTuple):
    """Patterns of one explained model.

    title       of the model and its data set
    table       `attribution.motifs.motif_table`
    ppm, cwm    pattern -> shares and mean contributions of each base, (width, 4) (`patterns.Patterns`)
    background  share of each base in the sequences, (4,); the height of a position is its information above it
    """

    title: str
    table: pd.DataFrame
    ppm: Mapping[str, np.ndarray]
    cwm: Mapping[str, np.ndarray]
    background: np.ndarray


class Positions(NamedTuple):
    """Mean contributions by position to one target of an explained model.

    target  title of its data set, and of the target where there are several
    method  title
    means   float64 (L,), over the sequences, of the bases that they have
    number  of sequences
    """

    target: str
    method: str
    means: np.ndarray
    number: int


class Places(NamedTuple):
    """Where elements are by one explained model.

    seqlets  `attribution.motifs.seqlet_places`
    words    `attribution.words.gains_of_words`
    order    `attribution.spacing.order_of_elements`
    """

    title: str
    seqlets: pd.DataFrame
    words: pd.DataFrame
    order: pd.DataFrame


def elements_figure(
    tracks: Sequence[Track], runs: Sequence[Places], length: int, path: str | Path
) -> None:
    """Contributions along a few sequences, and whether elements are in order in all of them (Figure 8 of the paper).

    The paper shows one sequence and says that nothing is to be seen; below it is what it asks for, of all sequences: a
    column an explained model, with one panel per element, where its motifs are relative to the observed site, one with
    the share of sequences in which known words contribute more than their surroundings, by distance, and one with the
    share whose elements are in order (dot), beside that of the control (line: 95 % of its permutations).

    Args:
        tracks: a row each, at least one.
        runs: at least one.
        length: of the sequences: distances go from -length to length.
        path: of the SVG; a PNG is written next to it.
    """
    elements = _known_elements(runs)
    above = (0.3 + 0.085 * max(len(track.sequence) for track in tracks), 1.5 * len(tracks))
    below = (5.6 * len(runs), 4.4 + 1.3 * len(elements))
    with matplotlib.rc_context(SETTINGS):
        size = (max(above[0], below[0]), above[1] + below[1])
        figure = Figure(figsize=size, layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=[above[1], below[1]])
        _draw_tracks(upper, tracks)
        _draw_distances(lower, runs, elements, length)
        save(figure, path)


def _draw_tracks(figure: SubFigure, tracks: Sequence[Track]) -> None:
    """Logos of contributions, a row each."""
    rows = figure.subplots(len(tracks), 1, squeeze=False)[:, 0]
    for axes, track in zip(rows, tracks, strict=True):
        places = track.begin + np.arange(len(track.sequence))
        letters = np.array(list(track.sequence))[:, None] == np.array(list(BASES))
        _logo(axes, letters * track.contributions[:, None], places)
        for begin, end, name in track.seqlets:
            axes.axvspan(begin - 0.5, end - 0.5, color="#DDEFFA", linewidth=0, zorder=-2)
            axes.text(begin, axes.get_ylim()[1], name, fontsize=7, va="bottom")
        if track.site is not None:
            axes.axvline(track.site, color="#909090", linewidth=0.8, linestyle=":")
        axes.set_xlim(places[0] - 0.5, places[-1] + 0.5)
        axes.set_title(track.title, loc="left", fontsize=8, pad=12 if track.seqlets else 4)
        axes.set_ylabel("Contribution", fontsize=7)
    rows[-1].set_xlabel("Position (nt); dotted: observed site")


def motif_figure(runs: Sequence[Motifs], path: str | Path) -> None:
    """One row per pattern (Figure 7 of the paper): its mean contributions, its bases, and the best match.

    Of each explained model the MOST_PATTERNS with most seqlets, in the order of its table; writes `path` (.svg) and a
    PNG next to it. A model without a pattern has a row that says so.
    """
    rows = [(run, row) for run in runs for row in _shown(run)]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.6, 0.5 + 1.05 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), 3, squeeze=False, width_ratios=[1.2, 1.2, 1])
        before = None
        for panels, (run, row) in zip(grid, rows, strict=True):
            if run is not before:
                panels[0].set_title(run.title, loc="left")
            before = run
            if row is None:
                for axes in panels:
                    axes.axis("off")
                panels[0].text(0, 0.5, "no pattern found", va="center", fontsize=7.5)
            else:
                _motif_row(panels, run, row)
        save(figure, path)


def positions_figure(explained: Sequence[Positions], path: str | Path) -> None:
    """Mean contributions by position, a panel for each method and target; writes `path` (.svg) and a PNG next to it.

    The highest position is named: where sequences are aligned, it is where they say most.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, panels = panels_of(len(explained), 2, width=5.6, height=2.5)
        for axes, one in zip(panels, explained, strict=True):
            places = np.arange(len(one.means))
            axes.axhline(0, color="#909090", linewidth=0.6)
            axes.vlines(places, 0, one.means, color=COLOURS[0], linewidth=1.0)
            title = f"{fill(one.target, TITLE_WIDTH)}\n{fill(one.method, TITLE_WIDTH)}"
            highest = int(one.means.argmax())
            told = f"Position (nt, from 0); highest: {highest}; {one.number:,} sequences"
            axes.set(title=title, xlabel=told, ylabel="Mean contribution")
            axes.set_xlim(-1, len(places))
        save(figure, path)


def _shown(run: Motifs) -> list[Any]:
    """Rows of a model's table that are drawn; [None] where there is none."""
    few = run.table["seqlets"].rank(ascending=False, method="first") <= MOST_PATTERNS
    return list(run.table[few].itertuples()) or [None]


def _motif_row(panels: Sequence[Axes], run: Motifs, row: Any) -> None:
    left, middle, right = panels
    shares = run.ppm[row.pattern]
    _logo(left, run.cwm[row.pattern])
    _logo(middle, shares * information(shares, run.background)[:, None])
    for axes, label in ((left, "Mean contribution"), (middle, "Bits")):
        axes.set_ylabel(label, fontsize=7)
        axes.tick_params(labelsize=6)
    lines = [f"{row.pattern}: {row.seqlets:,} seqlets", row.consensus]
    if row.motif:
        name = row.motif if row.motif == row.element else f"{row.element} ({row.motif})"
        lines.append(f"{name}, q = {row.q:.2g}" if row.element else "no known motif")
    if not np.isnan(row.distance):
        quartiles = f"{row.distance_q1:+.0f} to {row.distance_q3:+.0f}"
        lines.append(f"{row.distance:+.0f} nt to site ({quartiles})")
    right.text(0, 0.5, "\n".join(lines), va="center", fontsize=7.5)
    right.axis("off")


def _known_elements(runs: Sequence[Places]) -> list[str]:
    """Elements that any run has seqlets of, from upstream to downstream."""
    everything = pd.concat([_elements(run.seqlets) for run in runs])
    medians = everything.groupby("element")["distance"].median()
    return medians.dropna().sort_values().index.tolist()


def _draw_distances(
    figure: SubFigure, runs: Sequence[Places], elements: Sequence[str], length: int
) -> None:
    """Histograms of distances to the site, one row per element, below them known words and the order; one column per
    run.
    """
    known = [_elements(run.seqlets) for run in runs]
    edges = np.arange(-length, length + BAR, BAR)
    distances = pd.concat(known)["distance"].dropna()
    low, high = np.quantile(distances, [0.005, 0.995]) if len(distances) else (-length, length)
    heights = [1.0] * len(elements) + [1.5, 1.5]
    grid = figure.subplots(len(heights), len(runs), squeeze=False, height_ratios=heights)
    names = dict.fromkeys([*elements, *pd.concat([run.words for run in runs])["element"]])
    colours = dict(zip(names, cycle(COLOURS), strict=False))
    for column, run, table in zip(grid.T, runs, known, strict=True):
        for axes, element in zip(column, elements, strict=False):
            _histogram(axes, element, table, edges, colours[element])
            axes.set_xlim(min(low, 0) - 2 * BAR, max(high, 0) + 2 * BAR)
        _words(column[-2], run.words, colours)
        title = run.title + "\n" + column[0].get_title("left")
        column[0].set_title(title, loc="left", fontsize=8)
        column[-2].set_xlabel("Distance to the observed site (nt, negative: upstream)")
        _order(column[-1], run.order)


def _elements(seqlets: pd.DataFrame) -> pd.DataFrame:
    """Seqlets of an element, of positive patterns: those that the order is tested of (`spacing.order_of_elements`)."""
    return seqlets[(seqlets["element"].fillna("") != "") & (seqlets["sign"] == "positive")]


def _histogram(
    axes: Axes, element: str, table: pd.DataFrame, edges: np.ndarray, colour: str
) -> None:
    distances = table.loc[table["element"] == element, "distance"].dropna()
    axes.hist(distances, bins=edges, color=colour)
    axes.axvline(0, color="#909090", linewidth=0.8, linestyle=":")
    median = f", median {distances.median():+.0f} nt" if len(distances) else ""
    axes.set_title(f"{element}, {len(distances):,} seqlets{median}", loc="left", fontsize=8)
    axes.set_ylabel("Seqlets", fontsize=8)


def _words(axes: Axes, words: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Shares of sequences in which an element's words contribute more than their surroundings, one line per element."""
    for element, table in words.groupby("element", sort=False):
        middle = (table["begin"] + table["end"]) / 2
        axes.plot(middle, table["share"], "o-", color=colours[element], markersize=3, label=element)
        axes.fill_between(
            middle, table["ci_low"], table["ci_high"], color=colours[element], alpha=0.12
        )
    axes.axhline(0.5, color="#909090", linewidth=0.8)
    axes.axvline(0, color="#909090", linewidth=0.8, linestyle=":")
    axes.set_ylim(0, 1)
    axes.set_ylabel("Share of sequences", fontsize=8)
    title = "Words of known elements contribute more than their surroundings"
    axes.set_title(title if len(words) else f"{title}: no site is known", loc="left", fontsize=8)
    if len(words):
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _order(axes: Axes, order: pd.DataFrame) -> None:
    """Shares of sequences in order and those of the control, one row per test."""
    places = np.arange(len(order))[::-1]
    axes.hlines(places, order["control_low"], order["control_high"], color="#A6A6A6", linewidth=4)
    axes.plot(order["share"], places, "o", color="#0072B2", markersize=5)
    for place, row in zip(places, order.itertuples(), strict=True):
        text = "too few sequences" if np.isnan(row.p) else f"n = {row.n}, p = {row.p:.2g}"
        axes.text(1.03, place, text, va="center", fontsize=7, transform=axes.get_yaxis_transform())
    axes.set_yticks(places, [fill(name, 30) for name in order["test"]], fontsize=7)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xlabel("Share of sequences; grey: positions shuffled among sequences", fontsize=8)


def information(shares: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Bits by which each position of (width, 4) shares differs from the background (Kullback and Leibler)."""
    ratio = np.divide(shares, background, out=np.ones_like(shares), where=shares > 0)
    return (shares * np.log2(ratio)).sum(axis=1)


def _logo(axes: Axes, heights: np.ndarray, places: np.ndarray | None = None) -> None:
    """Letters of (width, 4) heights; negative ones hang upside down below zero."""
    table = pd.DataFrame(heights, columns=list(BASES), index=places)
    logomaker.Logo(table, ax=axes, color_scheme=LETTER_COLOURS, flip_below=True, shade_below=0.4)
    axes.axhline(0, color="#000000", linewidth=0.5)
