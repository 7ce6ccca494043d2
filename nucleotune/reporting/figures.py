"""Figures: ROC curves, training curves and filter waterfalls, each as SVG and PNG.

A method has the same colour in every figure when the same `styles` are given. The same data give
the same SVG bytes.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from nucleotune.files import atomic_path
from nucleotune.reporting.tables import ONE_CLASS

#: Okabe and Ito's colours, told apart with any colour vision; without yellow, too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Grey and dashes of the reference lines.
GREYS = (
    ("#595959", (0, (4, 2))),
    ("#808080", (0, (1, 1.5))),
    ("#A6A6A6", (0, (6, 2, 1, 2))),
    ("#262626", (0, (8, 2, 1, 1, 1, 2))),
)
CLASS_COLOURS = {"mRNA": "#E69F00", "protein_coding": "#E69F00", "lncRNA": "#0072B2"}
#: Of classes with other names, in the order in which they come.
OTHER_COLOURS = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9")

#: Text becomes outlines, so that a figure looks alike wherever it is opened.
SETTINGS = {
    "svg.hashsalt": "nucleotune",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "legend.fontsize": 8,
    "legend.frameon": False,
}

#: Letters of a panel's title in one line: a longer one would run into its neighbour's.
TITLE_WIDTH = 42

Style = dict[str, Any]


def method_styles(titles: Iterable[str], reference: Collection[str] = ()) -> dict[str, Style]:
    """Line style of each method: a colour in the order given, dashed grey for those in `reference`.

    Give the titles of all methods of a run, so that each keeps its colour from figure to figure.
    With more methods than colours the colours return with another dash pattern.
    """
    styles: dict[str, Style] = {}
    greys = cycle(GREYS)
    count = 0
    for title in dict.fromkeys(titles):
        if title in reference:
            grey, dashes = next(greys)
            styles[title] = {"color": grey, "linestyle": dashes, "linewidth": 1.1}
        else:
            pattern = ("-", (0, (7, 1.5)), (0, (3, 1, 1, 1)))[count // len(COLOURS) % 3]
            colour = COLOURS[count % len(COLOURS)]
            styles[title] = {"color": colour, "linestyle": pattern, "linewidth": 1.6}
            count += 1
    return styles


def styles_of(methods: Iterable[Mapping[str, Any]]) -> dict[str, Style]:
    """`method_styles` of methods as `plan.describe_methods` describes them."""
    methods = list(methods)
    lines = [one["title"] for one in methods if one["kind"] == "reference"]
    return method_styles([one["title"] for one in methods], reference=lines)


def roc_figure(
    curves: Mapping[
        str, Mapping[str, tuple[ArrayLike, ArrayLike, float, tuple[float | None, float | None]]]
    ],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
    columns: int = 3,
) -> None:
    """ROC curves, one panel per data set (Figures 3 to 5 of the LoRA-BERT paper), `columns` in a row.

    `curves`, at least one, is {data set title: {method title: (fpr, tpr, auroc, (ci_low,
    ci_high))}}. Writes `path` (.svg) and a PNG next to it. Without `styles` every method takes a colour, in order.
    """
    styles = styles or method_styles(name for panel in curves.values() for name in panel)
    longest = max(len(panel) for panel in curves.values())
    with matplotlib.rc_context(SETTINGS):
        figure, panels = panels_of(len(curves), columns, width=4.8, height=4.6 + 0.18 * longest)
        for axes, (title, panel) in zip(panels, curves.items(), strict=True):
            axes.plot([0, 1], [0, 1], color="#D0D0D0", linewidth=0.8, zorder=0)
            for name, (fpr, tpr, auroc, interval) in panel.items():
                low, high = interval
                # A model that says one thing of all examples has no interval.
                beside = ONE_CLASS if low is None else f"{low:.3f}\u2013{high:.3f}"
                label = f"{name}: {auroc:.3f} ({beside})"
                axes.plot(*thinned(fpr, tpr), label=label, **styles[name])
            axes.set(
                title=fill(title, TITLE_WIDTH),
                xlabel="False positive rate",
                ylabel="True positive rate",
            )
            axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
            legend_below(axes, "AUROC (bootstrap interval)", axes.get_lines()[1:])
        save(figure, path)


def training_curves(
    histories: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
) -> None:
    """Loss, accuracy and learning rate by step, one column of panels a data set.

    `histories`, at least one, is {data set title: {method title: [training.tsv of each seed]}}; of
    the columns, step and split ("train" or "valid") are needed, loss, accuracy and learning_rate
    shown where there are any. Thin pale lines are training, thick ones with points the
    validation split. Writes `path` (.svg) and a PNG next to it.
    """
    styles = styles or method_styles(name for panel in histories.values() for name in panel)
    tables = [table for panel in histories.values() for seeds in panel.values() for table in seeds]
    measures = [
        (name, title)
        for name, title in (
            ("loss", "Loss (nats)"),
            ("accuracy", "Accuracy"),
            ("learning_rate", "Learning rate"),
        )
        if any(name in table and table[name].notna().any() for table in tables)
    ]
    longest = max(len(panel) for panel in histories.values())
    with matplotlib.rc_context(SETTINGS):
        size = (4.4 * len(histories), 0.9 + 2 * len(measures) + 0.18 * longest)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(measures), len(histories), squeeze=False, sharex="col")
        for column, (title, panel) in zip(grid.T, histories.items(), strict=True):
            for axes, (measure, label) in zip(column, measures, strict=True):
                for name, seeds in panel.items():
                    for table in seeds:
                        _history(axes, table, measure, styles[name])
                axes.set_ylabel(label)
            column[0].set_title(fill(title, TITLE_WIDTH))
            column[-1].set_xlabel("Step")
            handles = [Line2D([], [], label=name, **styles[name]) for name in panel]
            legend_below(column[-1], "Thin: training. With points: validation.", handles)
        figure.align_ylabels()
        save(figure, path)


def waterfall(card: Mapping[str, Any], path: str | Path, *, rows: str = "transcripts") -> None:
    """What every filter kept and dropped, one panel per class; `rows` says what is counted.

    card["waterfall"] lists {"class", "step", "kept", "dropped"} in the order of the filters. Writes
    `path` (.svg) and a PNG next to it.
    """
    steps = pd.DataFrame(card["waterfall"])
    classes = list(dict.fromkeys(steps["class"]))
    sizes = [int((steps["class"] == name).sum()) for name in classes]
    others = [name for name in classes if name not in CLASS_COLOURS]
    colours = CLASS_COLOURS | dict(zip(others, cycle(OTHER_COLOURS), strict=False))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(
            figsize=(7.4, 0.9 + sum(0.55 + 0.3 * n for n in sizes)), layout="constrained"
        )
        grid = figure.subplots(
            len(classes), 1, squeeze=False, gridspec_kw={"height_ratios": [n + 0.5 for n in sizes]}
        )
        for axes, name in zip(grid[:, 0], classes, strict=True):
            part = steps.loc[steps["class"] == name]
            place = np.arange(len(part))
            colour = colours[name]
            widest = int((part["kept"] + part["dropped"]).max())
            axes.barh(place, part["kept"], color=colour, height=0.66, label="kept")
            axes.barh(
                place,
                part["dropped"],
                left=part["kept"],
                height=0.66,
                facecolor="white",
                edgecolor=colour,
                hatch="////",
                linewidth=0.8,
                label="dropped",
            )
            for y, kept, dropped in zip(place, part["kept"], part["dropped"], strict=True):
                text = f"{kept:,}" + (f"  (\u2212{dropped:,})" if dropped else "")
                axes.text(kept + dropped + 0.012 * widest, y, text, va="center", fontsize=8)
            axes.set_yticks(place, part["step"])
            axes.set(xlim=(0, 1.28 * max(widest, 1)), ylim=(len(part) - 0.5, -0.5))
            axes.set_title(name, loc="left")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.locator_params(axis="x", nbins=6, integer=True)
        grid[-1, 0].set_xlabel(f"{rows.capitalize()} (solid: kept, hatched: dropped)")
        save(figure, path)


def note_figure(text: str, path: str | Path) -> None:
    """In place of a figure that has nothing to show: why. Writes `path` (.svg) and a PNG next to it."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(4.8, 0.8))
        figure.text(0.5, 0.5, text, ha="center", va="center")
        save(figure, path)


def panels_of(
    count: int, columns: int, *, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels in rows of at most `columns`."""
    columns = min(count, columns)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.remove()
    return figure, panels[:count]


def legend_below(axes: Axes, title: str, handles: Sequence[Line2D]) -> None:
    """The legend under the axis label, where no curve runs; the layout makes room for it."""
    below = ScaledTranslation(0, -36 / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        handles=handles,
        title=title,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=axes.transAxes + below,
        borderaxespad=0,
        handlelength=2.6,
        alignment="left",
        title_fontsize=8,
    )


def _history(axes: Axes, table: pd.DataFrame, measure: str, style: Style) -> None:
    """One seed of one method."""
    if measure not in table:
        return
    shown = table.dropna(subset=[measure])
    train, valid = (shown.loc[shown["split"] == split] for split in ("train", "valid"))
    if measure == "learning_rate":
        axes.plot(train["step"], train[measure], **{**style, "linewidth": 1.2})
        axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        return
    axes.plot(train["step"], train[measure], **{**style, "linewidth": 0.8, "alpha": 0.55})
    axes.plot(valid["step"], valid[measure], **style, marker="o", markersize=3.5)


def thinned(x: ArrayLike, y: ArrayLike, points: int = 501) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` points of a rising curve, evenly along x + y, to keep the SVG small."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.size <= points:
        return x, y
    along = x + y
    index = np.searchsorted(along, np.linspace(along[0], along[-1], points))
    index = np.unique(np.minimum(index, x.size - 1))
    return x[index], y[index]


_CLIP = re.compile(r'(?:clip-path="url\(#|<clipPath id=")(p[0-9a-f]+)')


def save(figure: Figure, path: str | Path) -> None:
    """Write `path` as SVG without a date, and a PNG next to it."""
    tight = {"bbox_inches": "tight", "pad_inches": 0.1}
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None}, **tight)
        temporary.write_text(_numbered(temporary.read_text()))
    with atomic_path(Path(path).with_suffix(".png")) as temporary:
        figure.savefig(temporary, format="png", dpi=160, metadata={"Software": None}, **tight)


def _numbered(svg: str) -> str:
    """`svg` with numbers as ids of clip paths: matplotlib's are hashes of sizes, which vary in their last digits."""
    numbers = {name: f"clip{n}" for n, name in enumerate(dict.fromkeys(_CLIP.findall(svg)))}
    return _CLIP.sub(lambda match: match[0].replace(match[1], numbers[match[1]]), svg)
