"""The table contract: published beside measured numbers, long for machines, wide for people."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from nucleotune.files import atomic_path

#: Columns after the keys; one row per key and metric. `n_test` and `seeds` are counts.
COLUMNS = (
    "metric",
    "published",
    "measured",
    "ci_low",
    "ci_high",
    "n_test",
    "seeds",
    "status",
    "note",
)
#: What a note says of a model whose predictions are all one class: its decisions carry no information.
ONE_CLASS = "predicts one class"
ONE_NUMBER = "predicts one number"

STATUSES = ("reached", "below", "above", "not comparable", "not run")
#: Why a measured number is not comparable, where nothing more is known.
NOTHING_PUBLISHED = "the paper has no such number"
OTHER_DATA = "data or procedure differ from the paper's"
NUMBERS = ("published", "measured", "ci_low", "ci_high", "n_test", "seeds")

Number = float | int | None

#: What a spreadsheet takes for a formula; a number and a strand, which is a sign alone, are none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!$|[\d.]+(e[+-]?\d+)?%?$)", re.IGNORECASE)

environment = Environment(
    loader=PackageLoader("nucleotune.reporting"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def status(
    published: Number, measured: Number, ci_low: Number, ci_high: Number, comparable: bool
) -> str:
    """One of STATUSES; None and NaN both stand for no number.

    "reached" means that the published number is inside the interval. A number without an interval
    is compared at the decimals in which the published one is written.
    """
    if _missing(measured):
        return "not run"
    if not comparable or _missing(published):
        return "not comparable"
    if _missing(ci_low) or _missing(ci_high):
        ci_low = ci_high = round(float(measured), _decimals(published))
    if ci_low <= published <= ci_high:
        return "reached"
    return "below" if ci_high < published else "above"


def row(
    keys: Mapping[str, str],
    metric: str,
    published: Number,
    measured: Mapping[str, Any] | None,
    *,
    comparable: bool,
    n_test: int | None = None,
    seeds: int | None = None,
    note: str = "",
) -> dict[str, Any]:
    """One row of the table contract.

    `measured` is {value[, ci_low, ci_high, one_class, constant]} as in metrics.json, or None; a note says where
    the model predicts one class or number only.
    """
    measured = measured or {}
    for flag, said in (("one_class", ONE_CLASS), ("constant", ONE_NUMBER)):
        if collapsed := measured.get(flag):
            some = f" in {collapsed} of {seeds} seeds" if seeds and collapsed < seeds else ""
            note = "; ".join(filter(None, (said + some, note)))
    value, low, high = (measured.get(name) for name in ("value", "ci_low", "ci_high"))
    numbers = (published, value, low, high, n_test, seeds)
    found = status(published, value, low, high, comparable)
    if found == "not comparable" and not note:
        note = NOTHING_PUBLISHED if _missing(published) else OTHER_DATA
    return {
        **keys,
        "metric": metric,
        **dict(zip(NUMBERS, numbers, strict=True)),
        "status": found,
        "note": note,
    }


def long_table(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> pd.DataFrame:
    """Rows made by `row` as a table with columns `keys` and COLUMNS; missing numbers are NaN."""
    table = pd.DataFrame(list(rows), columns=[*keys, *COLUMNS])
    return table.astype(dict.fromkeys(NUMBERS, "float64"))


def write_table(
    path_tsv: str | Path,
    path_html: str | Path,
    table: pd.DataFrame,
    title: str,
    caption: str,
    labels: Mapping[str, str] | None = None,
    statuses: bool = True,
) -> None:
    """Write a table of the contract as TSV and as an HTML fragment, atomically.

    Missing numbers are empty fields in the TSV, and text that a spreadsheet would run as a formula has an
    apostrophe before it. `labels` gives the words people see for keys and metrics; a name without a label
    is kept as it is. `statuses`: as in `render_table`.
    """
    text = table.map(_no_formula)
    for name in NUMBERS:
        text[name] = [_plain(value) for value in table[name]]
    with atomic_path(path_tsv) as temporary:
        text.to_csv(temporary, sep="\t", index=False, lineterminator="\n")
    with atomic_path(path_html) as temporary:
        temporary.write_text(
            render_table(table, title, caption, labels, statuses), encoding="ascii"
        )


def render_table(
    table: pd.DataFrame,
    title: str,
    caption: str,
    labels: Mapping[str, str] | None = None,
    statuses: bool = True,
) -> str:
    """The table for people, as an HTML fragment in ASCII that carries its own style.

    One row per key, in the order in which keys first occur; for each metric the published number, if
    any row has one, and the measured one with its interval. A row with one status shows it once, a
    row with several shows it in each cell. `statuses` False leaves them out, where no paper's numbers stand beside.
    """
    labels = labels or {}
    keys = list(table.columns[: list(table.columns).index("metric")])
    if table.duplicated([*keys, "metric"]).any():
        repeated = table.loc[table.duplicated([*keys, "metric"]), [*keys, "metric"]].iloc[0]
        raise ValueError(f"more than one row for {repeated.to_dict()}")
    metrics = [_metric(name, table, labels) for name in table["metric"].unique()]
    counts = [
        {"name": name, "title": heading}
        for name, heading in (("n_test", "n test"), ("seeds", "seeds"))
        if table[name].notna().any()
    ]
    notes = [note for note in table["note"].unique() if note]
    groups = table.groupby(keys, sort=False, dropna=False)
    html = environment.get_template("table.html.j2").render(
        title=title,
        caption=caption,
        keys=[labels.get(key, key) for key in keys],
        metrics=metrics,
        counts=counts,
        rows=[_wide_row(key, group, metrics, counts, notes) for key, group in groups],
        notes=notes,
        intervals=table["ci_low"].notna().any(),
        statuses=statuses,
    )
    return html.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _metric(name: str, table: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, Any]:
    part = table.loc[table["metric"] == name]
    values = part[["published", "measured"]].to_numpy(dtype=float)
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    large = sizes.size > 0 and sizes.max() > 1
    # A decimal is noise beside hundreds, unless other values are below 1.
    spared = large and sizes.max() >= 100 and sizes.min() >= 1
    whole = large and (spared or (sizes == sizes.round()).all())
    return {
        "name": name,
        "title": labels.get(name, name),
        "published": part["published"].notna().any(),
        "whole": whole,
    }


def _wide_row(
    key: tuple[str, ...],
    group: pd.DataFrame,
    metrics: Sequence[Mapping[str, Any]],
    counts: Sequence[Mapping[str, str]],
    notes: Sequence[str],
) -> dict[str, Any]:
    by_metric = {record["metric"]: record for record in group.to_dict("records")}
    compared = group.loc[group["published"].notna(), "status"]
    tally = (compared if len(compared) else group["status"]).value_counts()
    statuses = [name for name in STATUSES if name in tally]
    cells = []
    for metric in metrics:
        cell = by_metric.get(metric["name"], dict.fromkeys(COLUMNS))
        shown = [_rounded(cell[name], metric["whole"]) for name in NUMBERS[:4]]
        published, measured, low, high = shown
        single = _missing(cell["published"]) or len(statuses) == 1
        cells.append(
            {
                "with_published": metric["published"],
                "published": published,
                "measured": measured,
                "interval": _beside(cell["note"], low, high),
                "status": "" if single else cell["status"],
            }
        )
    several = len(statuses) > 1
    return {
        "heads": key,
        "cells": cells,
        "counts": [_rounded(group[count["name"]].max(), True) for count in counts],
        "idle": (group["status"] == "not run").all(),
        "statuses": [
            {"name": name, "text": f"{tally[name]} {name}" if several else name}
            for name in statuses
        ],
        "note": ", ".join(str(notes.index(n) + 1) for n in group["note"].unique() if n),
    }


def _beside(note: str | None, low: str, high: str) -> str:
    """The line under a number: its interval, or that it says nothing."""
    if low:
        return f"{low}\u2013{high}"
    for said in (ONE_CLASS, ONE_NUMBER):
        if (note or "").startswith(said):
            return said.removeprefix("predicts ")
    return ""


def _no_formula(value: Any) -> Any:
    """A cell as a spreadsheet may see it: titles, motifs and notes come from files of users."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _missing(value: Number) -> bool:
    return value is None or bool(np.isnan(value))


def _decimals(value: float) -> int:
    """How many decimals a number is written with: 3 for 0.985, 0 for 1363."""
    return len(f"{float(value):.12g}".partition(".")[2])


def _plain(value: float) -> str:
    """A number for machines: at most 9 digits, integers without decimals; a missing number is an empty string."""
    if _missing(value):
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:.9g}"


def _rounded(value: Number, whole: bool) -> str:
    """A number for people: thousands apart, or three decimals (two digits when those show 0)."""
    if _missing(value):
        return ""
    if whole:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1e}"
