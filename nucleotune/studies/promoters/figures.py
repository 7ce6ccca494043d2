"""Attention along promoters, drawn: Figure 2 of the promoter study with its controls."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nucleotune.reporting.figures import COLOURS, SETTINGS, save
from nucleotune.studies.promoters.tables import LAYERS

#: Nucleotides over which lines and bands are averaged.
WINDOW = 9


def profile_figure(
    tables: Mapping[str, pd.DataFrame], labels: Mapping[int, str], path: str | Path
) -> None:
    """Mean attention by position relative to the transcription start site: one row per model and choice of layers.

    tables: title -> table of `attention.controls.profiles_with_controls`. labels: what 0 and 1 mean. The controls are
    the columns; panels of a row share their scale. Lines are running means over WINDOW, as are the bands, 95 %
    intervals of a position's mean over sequences (1.96 standard errors). Writes `path` (.svg) and a PNG next to it.
    """
    rows = [(title, layers) for title in tables for layers in LAYERS]
    controls = list(dict.fromkeys(name for table in tables.values() for name in table["control"]))
    with matplotlib.rc_context(SETTINGS):
        size = (3.6 * len(controls), 0.6 + 2.3 * len(rows))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(rows), len(controls), squeeze=False, sharey="row", sharex=True)
        for panels, (title, layers) in zip(grid, rows, strict=True):
            table = tables[title]
            for axes, control in zip(panels, controls, strict=True):
                shown = table[(table["control"] == control) & (table["layers"] == layers)]
                for label, colour in zip(sorted(labels, reverse=True), COLOURS, strict=False):
                    one = shown[shown["label"] == label].sort_values("position")
                    error = 1.96 * one["sd"] / np.sqrt(one["n"])
                    low, mean, high = (
                        values.rolling(WINDOW, center=True, min_periods=1).mean()
                        for values in (one["mean"] - error, one["mean"], one["mean"] + error)
                    )
                    axes.fill_between(
                        one["position"], low, high, color=colour, alpha=0.2, linewidth=0
                    )
                    axes.plot(one["position"], mean, color=colour, label=labels[label])
                axes.axvline(0, color="#909090", linewidth=0.8, linestyle=":")
                axes.set_title(f"{control}, {LAYERS[layers]}", loc="left", fontsize=9)
            panels[0].set_ylabel(f"Attention\n{title}", fontsize=8)
        for axes in grid[-1]:
            axes.set_xlabel("Position relative to the TSS (nt)")
        grid[0, 0].legend(fontsize=8)
        save(figure, path)
