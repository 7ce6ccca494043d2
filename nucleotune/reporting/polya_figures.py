"""Figures 3 and 6 of the poly(A) study: profiles of test genes, and losses by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nucleotune.evaluation.profile_metrics import pearson_by_gene
from nucleotune.profile_contracts import ProfileExamples, ProfilePredictions
from nucleotune.reporting.figures import (
    SETTINGS,
    TITLE_WIDTH,
    Style,
    method_styles,
    save,
)
from nucleotune.reporting.rbp_figures import place

#: Where the genes of Figure 3 stand among the test genes, by Pearson's correlation.
PERCENTILES = (10, 50, 90)

OBSERVED = "#8C8C8C"

#: Inches of Figure 3: a panel, the gaps between panels, and what is left free around them.
WIDTH, HEIGHT, ACROSS, DOWN = 3.6, 0.42, 0.25, 0.09
LEFT, ABOVE, BELOW = 1.75, 0.55, 0.5


class GeneProfiles(NamedTuple):
    """One gene of Figure 3.

    title      its name, place and correlation
    observed   share of its reads by position (tracks, positions)
    predicted  method title -> (tracks, positions), not more positions than observed
    """

    title: str
    observed: NDArray[np.float64]
    predicted: dict[str, NDArray[np.floating]]


def typical_genes(
    examples: ProfileExamples, predictions: Mapping[str, ProfilePredictions], line: Sequence[str]
) -> list[GeneProfiles]:
    """Genes at PERCENTILES of Pearson's correlation, among the half with most reads in their poorest track.

    Args:
        examples: of the test split.
        predictions: method title -> predictions of the same genes.
        line: titles of methods that are not counted in the correlation, a mean over methods and tracks.
    """
    ids = examples.table["id"]
    profiles = {}
    for name, one in predictions.items():
        profiles[name] = one.profiles[pd.Index(one.table["id"]).get_indexer(ids)].astype(float)
    judged = [name for name in profiles if name not in line] or list(profiles)
    each = [
        pearson_by_gene(examples.counts[:, :, : profiles[name].shape[2]], profiles[name])
        for name in judged
    ]
    pearson = np.mean(each, axis=(0, 2))
    fewest = examples.counts.sum(axis=2).min(axis=1)
    enough = np.flatnonzero(fewest >= max(np.median(fewest), 1))
    ranked = enough[np.argsort(pearson[enough], kind="stable")]
    genes = []
    for percentile in PERCENTILES:
        gene = ranked[round(percentile / 100 * (len(ranked) - 1))]
        counts, one = examples.counts[gene], examples.table.iloc[gene]
        title = (
            f"{one['id']} ({one['seqname']}:{one['start'] + 1:,}\u2013{one['end']:,} {one['strand']}),"
            f" Pearson {pearson[gene]:.2f} ({percentile}th percentile)"
        )
        shares = counts / counts.sum(axis=1, keepdims=True)
        genes.append(GeneProfiles(title, shares, {n: p[gene] for n, p in profiles.items()}))
    return genes


def profiles_figure(
    genes: Mapping[str, Sequence[GeneProfiles]],
    tracks: Mapping[str, Sequence[str]],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
) -> None:
    """Figure 3: observed above predicted profiles of some genes, a column a track, one data set under the other.

    `genes` and `tracks` are {data set title: ...}. Writes `path` (.svg) and a PNG beside it.
    """
    shown = [
        (title if len(genes) > 1 else "", gene, tracks[title])
        for title, some in genes.items()
        for gene in some
    ]
    styles = styles or method_styles(name for _, gene, _ in shown for name in gene.predicted)
    blocks = [ABOVE + (1 + len(gene.predicted)) * (HEIGHT + DOWN) for _, gene, _ in shown]
    columns = max(map(len, tracks.values()))
    with matplotlib.rc_context(SETTINGS):
        size = (LEFT + columns * (WIDTH + ACROSS), sum(blocks) + BELOW)
        figure = Figure(figsize=size)
        top = size[1]
        for (dataset, gene, names), block in zip(shown, blocks, strict=True):
            _gene(figure, top, gene, names, styles)
            title = ": ".join(filter(None, (dataset, gene.title)))
            figure.text(0.1 / size[0], 1 - (size[1] - top + 0.18) / size[1], title, weight="bold")
            top -= block
        for axes in figure.axes[-columns:]:
            axes.set_xlabel("Position from the stop codon (nt)")
        save(figure, path)


def _gene(
    figure: Figure,
    top: float,
    gene: GeneProfiles,
    tracks: Sequence[str],
    styles: Mapping[str, Style],
) -> None:
    """Panels of one gene below `top`, inches from the bottom; the last row's come last."""
    ceiling = [
        max(float(profile[number].max()) for profile in gene.predicted.values())
        for number in range(len(tracks))
    ]
    for line, name in enumerate([None, *gene.predicted]):
        bottom = top - ABOVE - (line + 1) * (HEIGHT + DOWN) + DOWN
        for number, track in enumerate(tracks):
            axes = place(figure, LEFT + number * (WIDTH + ACROSS), bottom, WIDTH, HEIGHT)
            profile = gene.observed if name is None else gene.predicted[name]
            colour = OBSERVED if name is None else styles[name]["color"]
            highest = float(profile[number].max()) if name is None else ceiling[number]
            _profile(axes, profile[number], colour, highest, gene.observed.shape[1])
            axes.tick_params(labelbottom=line == len(gene.predicted))
            if number == 0:
                axes.set_ylabel(
                    fill(name or "observed", 22),
                    rotation=0,
                    ha="right",
                    va="center",
                    fontsize=8,
                )
            if line == 0:
                axes.set_title(track, fontsize=9, weight="normal", pad=3)


def _profile(
    axes: Axes, profile: NDArray[np.floating], colour: str, highest: float, length: int
) -> None:
    """Shares by position as steps, with the upper end of the scale in the corner."""
    axes.stairs(profile, np.arange(len(profile) + 1) - 0.5, fill=True, color=colour, linewidth=0)
    axes.set(xlim=(-0.5, length - 0.5), ylim=(0, highest * 1.02 or 1), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.text(
        0.995, 0.95, f"{highest:.2g}", transform=axes.transAxes, ha="right", va="top", fontsize=7
    )


def loss_figure(
    histories: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
) -> None:
    """Figure 6: training and validation loss by epoch, the best epoch marked; one panel a data set.

    `histories` is {data set title: {method title: [training.tsv of each seed]}}; a method without an epoch of training
    is a horizontal line at its validation loss. Writes `path` (.svg) and a PNG beside it.
    """
    styles = styles or method_styles(name for panel in histories.values() for name in panel)
    longest = max(map(len, histories.values()))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(4.8 * len(histories), 3.6 + 0.2 * longest), layout="constrained")
        panels = figure.subplots(1, len(histories), squeeze=False)[0]
        for axes, (title, panel) in zip(panels, histories.items(), strict=True):
            for name, seeds in panel.items():
                for table in seeds:
                    _losses(axes, table, styles[name])
            axes.set(title=fill(title, TITLE_WIDTH), xlabel="Epoch", ylabel="Loss (nats)")
            handles = [Line2D([], [], label=name, **styles[name]) for name in panel]
            axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16))
        save(figure, path)


def _losses(axes: Axes, table: pd.DataFrame, style: Style) -> None:
    """One seed of one method."""
    train, valid = (table[table["split"] == split] for split in ("train", "valid"))
    if not (valid["epoch"] > 0).any():
        axes.axhline(valid["loss"].min(), **style)
        return
    axes.plot(train["epoch"], train["loss"], **{**style, "linewidth": 0.8, "alpha": 0.55})
    axes.plot(valid["epoch"], valid["loss"], **style)
    best = valid.loc[valid["loss"].idxmin()]
    axes.plot(
        [best["epoch"]],
        [best["loss"]],
        marker="o",
        markersize=6,
        markerfacecolor="white",
        markeredgewidth=1.6,
        color=style["color"],
        zorder=3,
    )
