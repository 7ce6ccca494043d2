"""Figures of tasks of one's own: curves, confusion, calibration, predicted against true numbers, learning curves.

`found` holds predictions, {data set: {method: {seed: validation and test rows}}}, of what ran. Data sets and methods
are as they are described. Every function writes `path` (.svg) and a PNG next to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nucleotune.contracts import LABEL, PREDICTED, SCORE, VALUE, score_columns
from nucleotune.evaluation.class_metrics import confusion, is_probability
from nucleotune.evaluation.cut_off import Columns, decide_anew
from nucleotune.evaluation.metrics import mean_roc
from nucleotune.evaluation.titles import ALL_METRICS
from nucleotune.reporting.facts import Card
from nucleotune.reporting.figures import (
    SETTINGS,
    TITLE_WIDTH,
    Style,
    legend_below,
    note_figure,
    panels_of,
    save,
    styles_of,
    thinned,
)
from nucleotune.reporting.performance import Described, Metrics
from nucleotune.studies.task.tables import Cells, curves, training_rows

Predictions = dict[str, dict[str, dict[int, pd.DataFrame]]]
Floats = NDArray[np.float64]

#: Data sets of a figure, and classes, labels or numbers of each; tables have all of them.
MOST = 6
#: Classes of whose confusion the shares are written into the cells.
WRITTEN = 8
#: Bins of calibration, and how many rows one needs to be drawn.
BINS, FEWEST = 10, 5
#: Recalls at which precision is averaged over seeds.
RECALLS = np.linspace(0, 1, 501)


class View(NamedTuple):
    """One decision of yes or no: its name, or none where there is only one; truth (n,) and scores (seeds, n)."""

    name: str
    truth: NDArray[np.bool_]
    scores: Floats


def curves_figure(
    found: Predictions, metrics: Metrics, datasets: Described, methods: Described, path: str | Path
) -> None:
    """ROC and precision-recall curves of test rows, side by side; of several classes or labels each by itself."""
    styles, panels = styles_of(methods), []
    for dataset in datasets[:MOST]:
        views: dict[str, dict[str, View]] = {}
        for method, seeds in found.get(dataset["name"], {}).items():
            for view in _views(dataset, seeds):
                views.setdefault(view.name, {})[method] = view
        panels += [(dataset, name, of) for name, of in list(views.items())[:MOST]]
    if not panels:
        note_figure("No method ran", path)
        return
    longest = max(len(of) for _, _, of in panels)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels_of(2 * len(panels), 2, width=4.8, height=4.6 + 0.18 * longest)
        for (dataset, name, of), roc, recall in zip(panels, axes[::2], axes[1::2], strict=True):
            for method in (one for one in methods if one["name"] in of):
                measured = metrics[dataset["name"]][method["name"]]
                _curves(roc, recall, of[method["name"]], measured, method["title"], styles)
            title = fill(f"{dataset['title']}: {name}" if name else dataset["title"], TITLE_WIDTH)
            positive = float(next(iter(of.values())).truth.mean())
            roc.plot([0, 1], [0, 1], color="#D0D0D0", linewidth=0.8, zorder=0)
            recall.axhline(positive, color="#D0D0D0", linewidth=0.8, zorder=0)
            roc.set(title=title, xlabel="False positive rate", ylabel="True positive rate")
            recall.set(title=title, xlabel="Recall", ylabel="Precision")
            for one, words in ((roc, "AUROC"), (recall, "AUPRC")):
                one.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
                handles = [line for line in one.get_lines() if line.get_label()[0] != "_"]
                legend_below(one, f"{words} (bootstrap interval)", handles)
        save(figure, path)


def confusion_figure(
    found: Predictions, datasets: Described, methods: Described, path: str | Path
) -> None:
    """Of the test rows of each class, the share that was called each class; counts are means over seeds."""
    panels = [
        (dataset, method, _confusion(dataset, seeds))
        for dataset in datasets[:MOST]
        for method in methods
        if (seeds := found.get(dataset["name"], {}).get(method["name"]))
    ]
    if not panels:
        note_figure("No method ran", path)
        return
    most = max(len(dataset["names"]) for dataset, _, _ in panels)
    size = 2.6 + 0.32 * min(most, 24)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels_of(len(panels), 3, width=size + 0.6, height=size + 0.3)
        for one, (dataset, method, counts) in zip(axes, panels, strict=True):
            names = [fill(name, 14) for name in dataset["names"]]
            shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            one.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            one.set_xticks(
                range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor"
            )
            one.set_yticks(range(len(names)), names)
            one.spines[["left", "bottom"]].set_visible(False)
            title = f"{dataset['title']}\n{method['title']}"
            one.set(xlabel="Called", ylabel="Class")
            one.set_title("\n".join(fill(line, 34) for line in title.split("\n")))
            if len(names) > WRITTEN:
                continue
            for (row, column), share in np.ndenumerate(shares):
                colour = "white" if share > 0.55 else "#1A1A1A"
                text = f"{100 * share:.0f} %\n{counts[row, column]:,.0f}"
                one.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
        save(figure, path)


def calibration_figure(
    found: Predictions, datasets: Described, methods: Described, path: str | Path
) -> None:
    """How often a probability comes true, in bins of test rows of all seeds; a diagonal would be right."""
    styles, datasets = styles_of(methods), datasets[:MOST]
    with matplotlib.rc_context(SETTINGS):
        height = 4.4 + 0.18 * len(methods)
        figure, axes = panels_of(len(datasets), 3, width=4.8, height=height)
        for one, dataset in zip(axes, datasets, strict=True):
            one.plot([0, 1], [0, 1], color="#D0D0D0", linewidth=0.8, zorder=0)
            handles, margins = [], []
            for method in methods:
                seeds = found.get(dataset["name"], {}).get(method["name"])
                if not seeds:
                    continue
                pairs = _probabilities(dataset, seeds)
                if pairs is None:
                    margins.append(method["title"])
                    continue
                style = styles[method["title"]]
                one.plot(*_binned(*pairs), marker="o", markersize=3.5, **style)
                handles.append(Line2D([], [], label=method["title"], **style))
            several = dataset["kind"] == "classes" and len(dataset["names"]) > 2
            one.set(
                title=fill(dataset["title"], TITLE_WIDTH),
                xlabel="Probability of the class called" if several else "Probability",
                ylabel="Share that is right" if several else _share_of(dataset),
            )
            one.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
            said = f"Scores of {', '.join(margins)} are no probabilities" if margins else ""
            legend_below(one, fill(said, 60), handles)
        save(figure, path)


def scatter_figure(
    found: Predictions, metrics: Metrics, datasets: Described, methods: Described, path: str | Path
) -> None:
    """Predicted against true numbers of the test rows, of the first seed; the line is where both are the same."""
    styles, panels = styles_of(methods), []
    for dataset in datasets[:MOST]:
        for name in dataset["names"][:MOST]:
            for method in methods:
                if seeds := found.get(dataset["name"], {}).get(method["name"]):
                    panels.append((dataset, name, method, _test(seeds[min(seeds)])))
    if not panels:
        note_figure("No method ran", path)
        return
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels_of(len(panels), 3, width=3.7, height=3.9)
        for one, (dataset, name, method, rows) in zip(axes, panels, strict=True):
            known = rows.dropna(subset=[VALUE + name])
            true, predicted = known[VALUE + name], known[PREDICTED + name]
            colour = styles[method["title"]]["color"]
            alpha = 0.7 if len(known) < 300 else 0.25
            size = 14 if len(known) < 300 else 6
            one.scatter(true, predicted, s=size, color=colour, alpha=alpha, linewidths=0)
            ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
            one.plot(ends, ends, color="#909090", linewidth=0.8, zorder=0)
            measured = metrics[dataset["name"]][method["name"]]["parts"]["test"][name]
            told = [
                f"{words} {measured[key]['value']:.3f}"
                for key, words in (("pearson", "Pearson"), ("spearman", "Spearman"), ("r2", "R2"))
                if measured[key]["value"] is not None
            ]
            several = len(dataset["names"]) > 1
            head = f"{dataset['title']}: {name}" if several else dataset["title"]
            one.set_title(f"{fill(head, 34)}\n{fill(method['title'], 34)}")
            one.set(xlabel=f"{name}, true\n{', '.join(told)}", ylabel=f"{name}, predicted")
        save(figure, path)


def matrix_figure(cells: Cells, datasets: Described, methods: Described, path: str | Path) -> None:
    """The main metric of each method: a line for each task it was trained on, a column for each it was tested on."""
    groups: dict[tuple, list[Mapping[str, Any]]] = {}
    for one in datasets:
        groups.setdefault((one["kind"], *one["names"], one["main_metric"]), []).append(one)
    panels = []
    for group in [one for one in groups.values() if len(one) > 1][:MOST]:
        tables = {method["title"]: _matrix(cells, group, method["name"]) for method in methods}
        panels += [(group, title, of) for title, of in tables.items() if np.isfinite(of).any()]
    if not panels:
        note_figure("No method ran", path)
        return
    size = 2.8 + 0.55 * min(max(len(group) for group, _, _ in panels), 24)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels_of(len(panels), 3, width=size + 0.6, height=size)
        for one, (group, title, values) in zip(axes, panels, strict=True):
            alike = [of for other, _, of in panels if other is group]
            low, high = np.nanmin(alike), np.nanmax(alike)
            one.imshow(values, cmap="Blues", vmin=low, vmax=high)
            names = [fill(dataset["title"], 18) for dataset in group]
            places = range(len(names))
            one.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
            one.set_yticks(places, names)
            one.spines[["left", "bottom"]].set_visible(False)
            one.set(xlabel="Tested on", ylabel="Trained on")
            one.set_title(f"{fill(title, 34)}\n{ALL_METRICS[group[0]['main_metric']]}")
            for (row, column), value in np.ndenumerate(values):
                if len(names) > WRITTEN or not np.isfinite(value):
                    continue
                colour = "white" if value > low + 0.55 * (high - low) else "#1A1A1A"
                one.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour)
        save(figure, path)


def learning_figure(
    cards: Mapping[str, Card],
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    path: str | Path,
) -> None:
    """The main metric on the test rows by number of training rows, with intervals."""
    styles, panels = styles_of(methods), list(curves(datasets))[:MOST]
    with matplotlib.rc_context(SETTINGS):
        height = 3.6 + 0.18 * len(methods)
        figure, axes = panels_of(len(panels), 3, width=4.8, height=height)
        for one, (whole, points) in zip(axes, panels, strict=True):
            main, sizes = whole["main_metric"], [training_rows(cards[p["name"]]) for p in points]
            handles = []
            for place, method in enumerate(methods):
                # Bars of methods stand side by side.
                shift = 1.015 ** (place - (len(methods) - 1) / 2)
                measured = [
                    metrics[point["name"]].get(method["name"], {"splits": {}}) for point in points
                ]
                found = [of["splits"].get("test", {}).get(main, {}) for of in measured]
                if not any("value" in one for one in found):
                    continue
                handles.append(Line2D([], [], label=method["title"], **styles[method["title"]]))
                _with_intervals(one, [shift * n for n in sizes], found, method["title"], styles)
            one.set_xscale("log")
            one.set_xticks(sizes, [f"{n:,}" for n in sizes])
            one.minorticks_off()
            one.set(title=fill(whole["title"], TITLE_WIDTH), xlabel="Training rows (log)")
            one.set_ylabel(ALL_METRICS[main])
            legend_below(one, "Bars: bootstrap interval over test rows", handles)
        save(figure, path)


def recall_curve(truth: NDArray[np.bool_], scores: Floats) -> Floats:
    """Precision at RECALLS, each that of the highest cut-off that reaches it, averaged over seeds.

    `truth` has shape (n,), with at least one True, `scores` (seeds, n).
    """
    each = []
    for row in scores:
        order = np.argsort(-row, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(row[order]) != 0, True))
        hits = np.cumsum(truth[order])[ends]
        reached = np.searchsorted(hits / truth.sum(), RECALLS - 1e-12)
        # At recall 0 the first cut-off that calls anything.
        each.append((hits / (ends + 1))[reached])
    return np.mean(each, axis=0)


def _views(dataset: Mapping, seeds: Mapping[int, pd.DataFrame]) -> Iterator[View]:
    """Decisions of yes or no on the test rows: of two classes one, else one a class or label."""
    tables = [_test(seeds[seed]) for seed in sorted(seeds)]
    first, names = tables[0], dataset["names"]
    if dataset["kind"] == "labels":
        for name in names:
            known = first[LABEL + name].notna().to_numpy()
            scores = np.stack([table[SCORE + name].to_numpy(float)[known] for table in tables])
            yield View(name, first.loc[known, LABEL + name].to_numpy(float) == 1, scores)
        return
    label = first["label"].to_numpy()
    columns = score_columns(len(names))
    classes = [1] if len(names) == 2 else range(len(names))
    for k, column in zip(classes, columns, strict=True):
        scores = np.stack([table[column].to_numpy(float) for table in tables])
        yield View("" if len(names) == 2 else names[k], label == k, scores)


def _curves(
    roc: Axes,
    recall: Axes,
    view: View,
    measured: Mapping,
    title: str,
    styles: Mapping[str, Style],
) -> None:
    """Both curves of one method, with areas from its metrics; none where a class does not occur."""
    if view.truth.all() or not view.truth.any():
        return
    found = measured["parts"]["test"][view.name] if view.name else measured["splits"]["test"]
    for axes, metric, points in (
        (roc, "auroc", mean_roc(view.truth, view.scores)),
        (recall, "auprc", (RECALLS, recall_curve(view.truth, view.scores))),
    ):
        one = found[metric]
        low, high = one["ci_low"], one["ci_high"]
        beside = f" ({low:.3f}\u2013{high:.3f})" if low is not None else ""
        points = thinned(*points) if metric == "auroc" else points
        axes.plot(*points, label=f"{title}: {one['value']:.3f}{beside}", **styles[title])


def _matrix(cells: Cells, group: Described, method: str) -> Floats:
    """The main metric (trained on, tested on); NaN where a method did not run."""
    main = group[0]["main_metric"]
    found = [
        [
            cells[trained["name"]].get(tested["name"], {}).get(method, {"splits": {}})
            for tested in group
        ]
        for trained in group
    ]
    return np.array(
        [
            [one["splits"].get("test", {}).get(main, {}).get("value") for one in line]
            for line in found
        ],
        dtype=float,
    )


def _confusion(dataset: Mapping, seeds: Mapping[int, pd.DataFrame]) -> Floats:
    if dataset["threshold"]:
        columns = {"label": Columns("label", "score", "predicted")}
        seeds, _ = decide_anew(seeds, columns, dataset["threshold"])
    counts = confusion(seeds, "test", len(dataset["names"]))
    return np.mean(list(counts.values()), axis=0)


def _probabilities(
    dataset: Mapping, seeds: Mapping[int, pd.DataFrame]
) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Probabilities of all seeds and whether each came true; None of scores that are none."""
    tables = [_test(table) for table in seeds.values()]
    if dataset["kind"] == "classes" and len(dataset["names"]) > 2:
        columns = list(score_columns(len(dataset["names"])))
        scores = np.concatenate([table[columns].to_numpy(float) for table in tables])
        if not is_probability(scores):
            return None
        label = np.concatenate([table["label"].to_numpy() for table in tables])
        return scores.max(axis=1), scores.argmax(axis=1) == label
    views = list(_views(dataset, seeds))
    scores = np.concatenate([view.scores.ravel() for view in views])
    truth = np.concatenate([np.tile(view.truth, len(tables)) for view in views])
    return (scores, truth) if scores.min() >= 0 and scores.max() <= 1 else None


def _binned(scores: Floats, truth: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """Mean probability and share that came true, of bins with enough rows."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    kept = [n for n in range(BINS) if (bins == n).sum() >= FEWEST]
    return (
        [float(scores[bins == n].mean()) for n in kept],
        [float(truth[bins == n].mean()) for n in kept],
    )


def _share_of(dataset: Mapping) -> str:
    if dataset["kind"] == "labels":
        return "Share that has the label"
    return fill(f"Share that is {dataset['names'][1]}", 40)


def _with_intervals(
    axes: Axes,
    sizes: Iterable[float],
    found: Iterable[Mapping],
    title: str,
    styles: Mapping[str, Style],
) -> None:
    """One method's line; points without an interval have no bar."""
    shown = [(n, one) for n, one in zip(sizes, found, strict=True) if one.get("value") is not None]
    if not shown:
        return
    x, values = [n for n, _ in shown], [one["value"] for _, one in shown]
    ends = [
        [
            value if one["ci_low"] is None else one[end]
            for value, (_, one) in zip(values, shown, strict=True)
        ]
        for end in ("ci_low", "ci_high")
    ]
    bars = np.abs(np.array(ends) - np.array(values))
    style = styles[title]
    axes.plot(x, values, marker="o", markersize=3.5, **style)
    axes.errorbar(x, values, bars, fmt="none", ecolor=style["color"], elinewidth=0.9, capsize=2)


def _test(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["split"] == "test"].sort_values("id")
