"""Figure 2 of the RBP study: AUROC over proteins."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nucleotune.reporting.figures import SETTINGS, Style, method_styles, note_figure, save

#: Values from which on a violin tells more than the dots themselves.
FEWEST_FOR_VIOLIN = 10


def auroc_figure(
    values: pd.DataFrame, focus: str, path: str | Path, *, styles: Mapping[str, Style] | None = None
) -> None:
    """Figure 2: AUROC over proteins, and of the method titled `focus` against each other one.

    values: one row per protein, one column per method (titles), NaN where it did not run. Writes `path` (.svg) and a
        PNG.
    """
    ran = [name for name in values if values[name].notna().any()]
    if focus not in ran:
        note_figure(f"{focus} ran on no protein", path)
        return
    order = [focus, *(name for name in ran if name != focus)]
    styles = styles or method_styles(order)
    others = order[1:]
    columns = min(4, max(1, len(others)))
    rows = -(-len(others) // columns)
    width = max(3.0 * columns, 1.1 * len(order), 6.0)
    height = 3.5 + 3.1 * rows
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width + 0.7, height))
        top = place(figure, 0.7, height - 3.1, width, 2.7)
        _violins(top, values[order], styles)
        # A multiple of 0.05 below all dots.
        lowest = min(float(np.floor(values[order].min().min() * 20 - 0.2) / 20), 0.95)
        for i, other in enumerate(others):
            left, bottom = 0.7 + 3.0 * (i % columns), height - 6.4 - 3.1 * (i // columns)
            axes = place(figure, left, bottom, 2.3, 2.3)
            _against(axes, values, focus, other, lowest, styles[other]["color"])
            axes.set_title(chr(ord("b") + i), loc="left")
        save(figure, path)


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """A panel at a place in inches: the layout is then fast and the same in every run, whatever the panels span."""
    total_width, total_height = figure.get_size_inches()
    return figure.add_axes(
        (
            left / total_width,
            bottom / total_height,
            width / total_width,
            height / total_height,
        )
    )


def _violins(axes: Axes, values: pd.DataFrame, styles: Mapping[str, Style]) -> None:
    for x, name in enumerate(values):
        strip(axes, x, values[name].dropna().to_numpy(), styles[name]["color"], np.mean)
        axes.annotate(
            f"{values[name].mean():.3f}",
            (x, 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8,
        )
    axes.set_xticks(range(values.shape[1]), [fill(name, 16) for name in values])
    axes.set(xlim=(-0.6, values.shape[1] - 0.4), ylabel="AUROC")
    axes.set_title("a", loc="left", pad=16)


def strip(
    axes: Axes,
    x: float,
    values: np.ndarray,
    colour: str,
    middle: Callable[[np.ndarray], float],
    width: float = 0.8,
) -> None:
    """Dots of one group around `x`, a violin behind many of them, and their `middle` (mean, median) as a line."""
    if not values.size:
        return
    if values.size >= FEWEST_FOR_VIOLIN and np.ptp(values) > 0:
        (body,) = axes.violinplot(values, [x], widths=width, showextrema=False)["bodies"]
        body.set(facecolor=colour, alpha=0.25)
    # Dots of more than a few values are spread at random, always in the same way.
    spread = 0.15 * width if values.size > 3 else 0
    jitter = np.random.default_rng(0).uniform(-spread, spread, values.size)
    size = 14 if values.size < 40 else 6
    axes.scatter(x + jitter, values, s=size, color=colour, linewidths=0, alpha=0.85, zorder=2)
    if values.size > 1:
        reach = 0.3 * width
        axes.hlines(
            middle(values), x - reach, x + reach, color="#1A1A1A", linewidth=1.4, zorder=1.5
        )


def _against(
    axes: Axes, values: pd.DataFrame, focus: str, other: str, low: float, colour: str
) -> None:
    pairs = values[[focus, other]].dropna()
    axes.plot([low, 1], [low, 1], color="#909090", linewidth=0.8, linestyle="--", zorder=0)
    size = 14 if len(pairs) < 40 else 7
    axes.scatter(pairs[other], pairs[focus], s=size, color=colour, linewidths=0, alpha=0.85)
    wins = int((pairs[focus] > pairs[other]).sum())
    axes.text(
        0.97,
        0.04,
        f"{wins} of {len(pairs)} above",
        transform=axes.transAxes,
        ha="right",
        fontsize=8,
    )
    axes.set(xlim=(low, 1), ylim=(low, 1), aspect="equal", xlabel=other, ylabel=focus)
