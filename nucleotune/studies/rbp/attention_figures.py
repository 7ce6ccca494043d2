"""Figures 3 to 5 of the RBP study: what attention heads look at.

They are drawn from tables alone: summary, heads and curves of the attention analyses (`studies.rbp.findings`), with
the protein in a first column `rbp`. There layers and heads count from 0; in the figures from 1, as in the paper.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from nucleotune.reporting.figures import COLOURS, SETTINGS, note_figure, save
from nucleotune.studies.rbp.figures import place, strip

#: Coefficient of variation at which figure 3a ends, as in the paper.
SATURATED = 0.2

_CONTROL = "#A6A6A6"


def region_figure(
    summary: pd.DataFrame,
    heads: pd.DataFrame,
    curves: pd.DataFrame,
    path: str | Path,
    *,
    titles: Mapping[str, str],
    example: tuple[str, str] | None = None,
) -> None:
    """Figure 3: attention and transcript regions, of the fine-tuned model and the one trained from random weights.

    titles: of the models `after` and, where it ran, `scratch`. example: protein and region of panels b, c and e; None
    takes those of the highest correlation. Writes `path` (.svg) and a PNG next to it.
    """
    summary = summary[(summary["property"] == "region") & summary["model"].isin(titles)]
    example = example or best_example(summary)
    if summary["cv"].isna().all() or example is None:
        note_figure("No protein of this run has enough sequences with known regions", path)
        return
    proteins = list(dict.fromkeys(summary["rbp"]))
    regions = list(dict.fromkeys(summary["kind"]))
    models = [name for name in ("scratch", "after") if name in titles]
    colours = {"scratch": _CONTROL, "after": COLOURS[0]}
    width = max(9.8, 0.17 * len(proteins))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width + 0.8, 12.6))
        panels = [place(figure, 0.8, 11.2 - 1.2 * i, width, 1.0) for i in range(len(regions))]
        for axes, region in zip(panels, regions, strict=True):
            for name in models:
                part = _of(summary, kind=region, model=name)
                _specialisation(axes, part, proteins, colours[name], titles[name])
            axes.set_ylabel(region)
            axes.set_ylim(0, SATURATED * 1.12)
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            _name_proteins(axes, proteins if axes is panels[-1] else [""] * len(proteins))
        panels[0].set_title("a   Coefficient of variation of relative attention", loc="left")
        panels[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)

        rbp, region = example
        shown = _of(heads, rbp=rbp, property="region", kind=region)
        values = shown[shown["model"].isin(models)]["value"]
        reach = max(float(np.abs(values - 1).max()), 1e-6)
        for i, (name, letter) in enumerate(zip(models, "bc", strict=False)):
            axes = place(figure, 0.8 + 3.7 * i, 4.3, 2.2, 2.2)
            bar = place(figure, 3.1 + 3.7 * i, 4.3, 0.1, 2.2)
            chosen = _of(summary, rbp=rbp, kind=region, model=name)
            _head_map(axes, bar, _of(shown, model=name), chosen, reach)
            axes.set_title(f"{letter}   {titles[name]}\n{rbp}, {region}", loc="left")
        axes = place(figure, 0.9 + 3.7 * len(models), 4.3, 2.2, 2.2)
        curve = _of(curves, rbp=rbp, property="region", kind=region, model="after", chosen="own")
        _curve(axes, curve, _of(summary, rbp=rbp, kind=region, model="after"))
        axes.set_title(f"e   {titles['after']}\n{rbp}, {_head(curve)}", loc="left")
        axes.set(xlabel="Raw attention to [CLS]", ylabel=f"Share of sequences with {region}")

        axes = place(figure, 0.8, 1.0, width, 2.3)
        for i, region in enumerate(regions):
            at = np.arange(len(proteins)) + 0.16 * (i - (len(regions) - 1) / 2)
            for name in models:
                part = _of(summary, kind=region, model=name).set_index("rbp")
                # The control in rings: a best head of many is correlated by chance as well.
                face, label = (COLOURS[i], region) if name == "after" else ("none", None)
                axes.scatter(
                    at,
                    part["spearman"].reindex(proteins),
                    s=18,
                    facecolors=face,
                    edgecolors=COLOURS[i],
                    linewidths=0.7,
                    label=label,
                )
        axes.axhline(0, color="#D0D0D0", linewidth=0.8, zorder=0)
        axes.set(ylim=(-1.05, 1.05), ylabel="Spearman's correlation")
        axes.set_title("d   Attention and share of the region, in the best head", loc="left")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(regions), borderaxespad=0)
        _name_proteins(axes, proteins)
        save(figure, path)


def best_example(summary: pd.DataFrame) -> tuple[str, str] | None:
    """Protein and kind of the highest correlation in the fine-tuned model; None without any."""
    after = summary[(summary["model"] == "after") & summary["cv"].notna()]
    if after.empty:
        return None
    best = after.loc[after["spearman"].fillna(-2).idxmax()]
    return best["rbp"], best["kind"]


def similarity_figure(
    summary: pd.DataFrame, path: str | Path, *, titles: Mapping[str, str]
) -> None:
    """Figure 4: likeness of attention patterns to the fine-tuned model's, a panel for boundaries, one for structures.

    titles: of the models `before` and, where it ran, `scratch`. Writes `path` (.svg) and a PNG next to it.
    """
    summary = summary[summary["similarity"].notna() & summary["model"].isin(titles)]
    levels = [name for name in ("boundary", "structure") if (summary["property"] == name).any()]
    if not levels:
        note_figure("No protein of this run has enough sequences to compare models", path)
        return
    colours = {"before": COLOURS[0], "scratch": _CONTROL}
    models = [name for name in colours if name in titles]
    with matplotlib.rc_context(SETTINGS):
        kinds = [list(dict.fromkeys(_of(summary, property=name)["kind"])) for name in levels]
        figure = Figure(figsize=(1.2 + 1.15 * sum(map(len, kinds)) + 0.6 * len(levels), 3.6))
        left, grid = 0.8, []
        for names in kinds:
            grid.append(place(figure, left, 0.6, 1.15 * len(names), 2.7))
            left += 1.15 * len(names) + 0.6
        for axes, level, names, letter in zip(grid, levels, kinds, "ab", strict=False):
            for i, kind in enumerate(names):
                for j, name in enumerate(models):
                    values = _of(summary, property=level, kind=kind, model=name)["similarity"]
                    shift = 0.4 * (j - (len(models) - 1) / 2)
                    strip(axes, i + shift, values.to_numpy(), colours[name], np.median, 0.38)
            axes.set_xticks(
                range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=8
            )
            axes.set_title(
                f"{letter}   {'Boundaries' if level == 'boundary' else 'Structures'}", loc="left"
            )
        lowest = min(0.0, float(summary["similarity"].min()))
        for axes in grid:
            axes.set_ylim(lowest - 0.05, 1.05)
        grid[0].set_ylabel("Pearson's correlation of attention ratios")
        for name in models:
            grid[-1].scatter([], [], s=14, color=colours[name], label=titles[name])
        grid[-1].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        save(figure, path)


def structure_figure(
    summary: pd.DataFrame,
    curves: pd.DataFrame,
    rbp: str | None,
    path: str | Path,
    *,
    titles: Mapping[str, str],
    engine: str = "",
) -> None:
    """Figure 5: structures by raw attention in one head, before (above) and after fine-tuning, of one protein.

    titles: of the models `before` and `after`. rbp: None takes the first protein that has such curves. engine: what
    found the structures, written below. Writes `path` (.svg) and a PNG next to it.
    """
    curves = _of(curves, property="structure", chosen="loops")
    curves = curves[curves["model"].isin(titles)]
    rbp = rbp or next(iter(curves["rbp"]), None)
    curves = _of(curves, rbp=rbp)
    if curves.empty:
        note_figure("No protein of this run has enough sequences with known structures", path)
        return
    kinds = list(dict.fromkeys(curves["kind"]))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(0.8 + 2.2 * len(kinds), 6.2))
        for j, kind in enumerate(kinds):
            column = []
            for i, (name, letter) in enumerate((("before", "a"), ("after", "b"))):
                axes = place(figure, 0.8 + 2.2 * j, 3.6 - 3.0 * i, 1.7, 1.9)
                curve = _of(curves, kind=kind, model=name)
                _curve(axes, curve, _of(summary, rbp=rbp, kind=kind, model=name))
                axes.set_xlabel("Raw attention")
                axes.set_title(kind, fontsize=9, fontweight="normal")
                if j == 0:
                    axes.set_ylabel("Share of tokens")
                    title = f"{letter}   {titles[name]}: {rbp}, {_head(curve)}"
                    axes.text(0, 1.2, title, transform=axes.transAxes, fontweight="bold")
                column.append(axes)
            # Before and after on one scale.
            limits = [limit for axes in column for limit in axes.get_ylim()]
            for axes in column:
                axes.set_ylim(min(limits), max(limits))
        if engine:
            figure.text(0.02, 0.012, f"Structures: {engine}", fontsize=7)
        save(figure, path)


def _specialisation(
    axes: Axes, part: pd.DataFrame, proteins: list[str], colour: str, title: str
) -> None:
    """Dots of figure 3a; those above its edge lie on it, with their value."""
    values = part.set_index("rbp")["cv"].reindex(proteins)
    axes.scatter(
        range(len(proteins)),
        values.clip(upper=SATURATED),
        s=22,
        color=colour,
        linewidths=0,
        label=title,
        clip_on=False,
    )
    for x, value in enumerate(values):
        if value > SATURATED:
            text = f"{100 * value:.0f}"
            offset = (0, 4)
            axes.annotate(
                text,
                (x, SATURATED),
                offset,
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color=colour,
            )


def _name_proteins(axes: Axes, proteins: list[str]) -> None:
    axes.set_xticks(range(len(proteins)), proteins, rotation=90, fontsize=7)
    axes.set_xlim(-0.6, len(proteins) - 0.4)


def _head_map(
    axes: Axes, bar: Axes, values: pd.DataFrame, chosen: pd.DataFrame, reach: float
) -> None:
    """Relative attention of every head, white where a region makes no difference; the most specialised is framed."""
    if values.empty:
        axes.text(0.5, 0.5, "too few sequences", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        bar.set_axis_off()
        return
    table = values.pivot(index="layer", columns="head", values="value")
    image = axes.imshow(table, cmap="RdBu_r", vmin=1 - reach, vmax=1 + reach, origin="lower")
    layer, head = int(chosen["layer"].iloc[0]), int(chosen["head"].iloc[0])
    axes.add_patch(Rectangle((head - 0.5, layer - 0.5), 1, 1, fill=False, linewidth=1.4))
    for axis, names, label in (
        (axes.xaxis, table.columns, "Head"),
        (axes.yaxis, table.index, "Layer"),
    ):
        axis.set_ticks(range(len(names)), [str(name + 1) for name in names], fontsize=7)
        axis.set_label_text(label)
    axes.figure.colorbar(image, cax=bar, label="Relative attention")


def _curve(axes: Axes, curve: pd.DataFrame, row: pd.DataFrame) -> None:
    """Mean and deviation by bins of attention, and the background."""
    filled = curve[curve["n"] > 0]
    if filled.empty:
        axes.text(0.5, 0.5, "too few sequences", ha="center", transform=axes.transAxes)
        return
    centres = (filled["begin"] + filled["end"]) / 2
    axes.errorbar(
        centres,
        filled["mean"],
        yerr=filled["sd"].fillna(0),
        color=COLOURS[0],
        marker="o",
        markersize=3,
        linewidth=1,
        elinewidth=0.8,
        capsize=2,
    )
    axes.axhline(row["background"].iloc[0], color="#595959", linewidth=0.8, linestyle="--")
    axes.set_xlim(0, curve["end"].max())


def _head(curve: pd.DataFrame) -> str:
    """A head as the paper writes it: layer and head, both from 1."""
    if curve.empty:
        return "no head"
    return f"head {int(curve['layer'].iloc[0]) + 1}-{int(curve['head'].iloc[0]) + 1}"


def _of(table: pd.DataFrame, **keys: str | None) -> pd.DataFrame:
    """Rows with these values."""
    for name, value in keys.items():
        table = table[table[name] == value]
    return table
