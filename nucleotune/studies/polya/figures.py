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
from nucleotune.studies.rbp.figures import place

#: Percentiles of the genes of Figure 3 among the test genes, by Pearson's correlation.
PERCENTILES = (10, 50, 90)

OBSERVED = "#8C8C8C"

#: Inches of Figure 3: a panel, the gaps between panels, and what is left free around them.
WIDTH, HEIGHT, ACROSS, DOWN = 3.6, 0.42, 0.25, 0.09
LEFT, ABOVE, BELOW = 1.75, 0.6, 0.5


class GeneProfiles(NamedTuple):
    """One gene of Figure 3.

    title      its name, place and correlation
    counts     reads by position (tracks, positions)
    predicted  method title -> profile (tracks, positions), not more positions than there are counts
    pearson    method title -> correlation (tracks,)
    """

    title: str
    counts: NDArray[np.int64]
    predicted: dict[str, NDArray[np.float64]]
    pearson: dict[str, NDArray[np.float64]]


def typical_genes(
    examples: ProfileExamples, predictions: Mapping[str, ProfilePredictions], lines: Sequence[str]
) -> list[GeneProfiles]:
    """Genes at PERCENTILES of Pearson's correlation, among the half with most reads in their poorest track.

    Args:
        examples: of the test split.
        predictions: method title -> predictions of the same genes.
        lines: titles of methods that do not count in the correlation, a mean over methods and tracks.
    """
    profiles, pearson = {}, {}
    for name, one in predictions.items():
        order = pd.Index(one.table["id"]).get_indexer(examples.table["id"])
        profiles[name] = one.profiles[order].astype(float)
        counts = examples.counts[:, :, : profiles[name].shape[2]]
        pearson[name] = pearson_by_gene(counts, profiles[name])
    judged = [name for name in profiles if name not in lines] or list(profiles)
    mean = np.mean([pearson[name] for name in judged], axis=(0, 2))
    fewest = examples.counts.sum(axis=2).min(axis=1)
    enough = np.flatnonzero(fewest >= max(np.median(fewest), 1))
    ranked = enough[np.argsort(mean[enough], kind="stable")]
    genes = []
    for percentile in PERCENTILES:
        gene = ranked[round(percentile / 100 * (len(ranked) - 1))]
        one = examples.table.iloc[gene]
        title = (
            f"{one['id']} ({one['seqname']}:{one['start'] + 1:,}\u2013{one['end']:,} {one['strand']}),"
            f" mean correlation {mean[gene]:.2f} ({percentile}th percentile)"
        )
        of_gene = ({name: each[gene] for name, each in by.items()} for by in (profiles, pearson))
        genes.append(GeneProfiles(title, examples.counts[gene], *of_gene))
    return genes


def profiles_figure(
    genes: Mapping[str, Sequence[GeneProfiles]],
    tracks: Mapping[str, Sequence[str]],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
) -> None:
    """Figure 3: observed above predicted profiles of some genes, one column per track, one data set under the other.

    `genes` and `tracks` are {data set title: ...}. Writes `path` (.svg) and a PNG next to it.
    """
    shown = [(title, gene) for title, some in genes.items() for gene in some]
    styles = styles or method_styles(name for _, gene in shown for name in gene.predicted)
    blocks = [ABOVE + (1 + len(gene.predicted)) * (HEIGHT + DOWN) + BELOW for _, gene in shown]
    columns = max(map(len, tracks.values()))
    with matplotlib.rc_context(SETTINGS):
        width, top = LEFT + columns * (WIDTH + ACROSS), sum(blocks)
        figure = Figure(figsize=(width, top))
        for (dataset, gene), block in zip(shown, blocks, strict=True):
            title = f"{dataset}: {gene.title}" if len(genes) > 1 else gene.title
            figure.text(0.1 / width, (top - 0.15) / sum(blocks), title, weight="bold", va="top")
            for number, track in enumerate(tracks[dataset]):
                _column(figure, LEFT + number * (WIDTH + ACROSS), top, gene, number, track, styles)
            top -= block
        save(figure, path)


def _column(
    figure: Figure,
    left: float,
    top: float,
    gene: GeneProfiles,
    number: int,
    track: str,
    styles: Mapping[str, Style],
) -> None:
    """One track of one gene, from `left` and `top` (inches) to the right and down; all panels have one scale."""
    counts = gene.counts[number]
    profiles = {"observed": counts / max(counts.sum(), 1)}
    profiles |= {name: profile[number] for name, profile in gene.predicted.items()}
    highest = max(float(profile.max()) for profile in profiles.values())
    for line, (name, profile) in enumerate(profiles.items()):
        bottom = top - ABOVE - (line + 1) * (HEIGHT + DOWN)
        axes = place(figure, left, bottom, WIDTH, HEIGHT)
        edges = np.arange(len(profile) + 1) - 0.5
        colour = styles[name]["color"] if line else OBSERVED
        axes.stairs(profile, edges, fill=True, color=colour, linewidth=0)
        axes.set(xlim=(-0.5, len(counts) - 0.5), ylim=(0, highest), yticks=[])
        axes.spines["left"].set_visible(False)
        corner = f"r {gene.pearson[name][number]:.2f}" if line else f"0\u2013{highest:.2g}"
        axes.text(1, 0.95, corner, transform=axes.transAxes, ha="right", va="top", fontsize=7)
        if number == 0:
            side = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 8}
            axes.set_ylabel(fill(name, 22), **side)
        if line == 0:
            axes.set_title(f"{track}, {counts.sum():,} reads", fontsize=8, weight="normal", pad=4)
        if line < len(profiles) - 1:
            axes.tick_params(bottom=False, labelbottom=False)
        else:
            axes.set_xlabel("Position from the stop codon (nt)", fontsize=8)
            axes.tick_params(labelsize=8)


def loss_figure(
    histories: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]],
    path: str | Path,
    *,
    styles: Mapping[str, Style] | None = None,
) -> None:
    """Figure 6: training and validation loss by epoch, the best epoch marked; one panel per data set.

    `histories` is {data set title: {method title: [training.tsv of each seed]}}; a method without an epoch of training
    is a horizontal line at its validation loss. Writes `path` (.svg) and a PNG next to it.
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
