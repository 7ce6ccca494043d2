"""What stands in a user's rows as label, as columns of examples: classes, several labels at once, or numbers."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import LABEL, VALUE
from nucleotune.delimited import finite_number
from nucleotune.errors import InputError, did_you_mean
from nucleotune.sequence.labelled import shown
from nucleotune.studies.task.plugin import label_columns
from nucleotune.studies.task.read import where

#: Cells that hold no label or number, in lower case.
MISSING = ("", "na", "nan", "n/a", "null", "none", ".", "?")
PRESENT = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}


def label_names(task: Mapping[str, Any]) -> list[str]:
    """Columns of examples that hold the label: `label`, `label:<name>` or `value:<name>`."""
    if task["kind"] == "classes":
        return ["label"]
    prefix = {"labels": LABEL, "numbers": VALUE}[task["kind"]]
    return [prefix + name for name in task["names"]]


def with_labels(table: pd.DataFrame, task: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of `read.read_rows` with the columns of `label_names` in place of texts, null where there is no label.

    `label` is a nullable Int8 of 0 to K - 1, `label:<name>` a nullable Int8 of 0 and 1, `value:<name>` a float64.
    Raises InputError naming file, line, column and value of the first cell that is no label of the task.
    """
    texts = sorted(name for name in table if name.startswith("label_"))
    found = {"classes": _classes, "labels": _labels, "numbers": _numbers}[task["kind"]](table, task)
    return table.drop(columns=texts).assign(**found)


def _classes(table: pd.DataFrame, task: Mapping[str, Any]) -> dict[str, pd.Series]:
    numbers = {name: n for n, name in enumerate(task["classes"])}
    known = {name: n for name, n in numbers.items() if name not in task["written_as"]}
    for name, cells in task["written_as"].items():
        known |= dict.fromkeys([*cells, name], numbers[name])
    known[""] = None

    def read(text: str) -> int | None:
        if text not in known:
            cells = [cell for cell in known if cell]
            raise ValueError(did_you_mean(text, cells, f"expected {_some(cells)}"))
        return known[text]

    return {
        "label": _mapped(table, 0, task, read, "no class of the task", "classes").astype("Int8")
    }


def _labels(table: pd.DataFrame, task: Mapping[str, Any]) -> dict[str, pd.Series]:
    if task["separator"]:
        return _listed(table, task)

    def read(text: str) -> int | None:
        if text.lower() in MISSING:
            return None
        if text.lower() not in PRESENT:
            raise ValueError("expected 1 or 0, or nothing where it is not known")
        return PRESENT[text.lower()]

    return {
        name: _mapped(table, n, task, read, "neither present nor absent", "columns.label").astype(
            "Int8"
        )
        for n, name in enumerate(label_names(task))
    }


def _listed(table: pd.DataFrame, task: Mapping[str, Any]) -> dict[str, pd.Series]:
    """Labels that stand in one column: all that a row does not name are absent."""
    names = task["names"]

    def read(text: str) -> frozenset[str]:
        cells = [cell.strip() for cell in text.split(task["separator"])]
        for cell in cells:
            if cell and cell not in names:
                raise ValueError(
                    f"{shown(cell)} is no label; {did_you_mean(cell, names, f'expected {_some(names)}')}"
                )
        return frozenset(cells)

    sets = _mapped(table, 0, task, read, "not a list of labels", "names")
    return {
        LABEL + name: pd.Series([int(name in one) for one in sets], table.index, "Int8")
        for name in names
    }


def _numbers(table: pd.DataFrame, task: Mapping[str, Any]) -> dict[str, pd.Series]:
    def read(text: str) -> float:
        number = np.nan if text.lower() in MISSING else finite_number(text)
        if number is None:
            raise ValueError("expected a finite number, or nothing where it is not known")
        return number

    return {
        name: _mapped(table, n, task, read, "no number", "columns.label").astype("float64")
        for n, name in enumerate(label_names(task))
    }


def _mapped(
    table: pd.DataFrame,
    column: int,
    task: Mapping[str, Any],
    read: Callable[[str], Any],
    what: str,
    key: str,
) -> pd.Series:
    """`read` of each text of a column; a ValueError of it becomes an InputError that names the first such row."""
    texts = table[f"label_{column}"]
    values: dict[str, Any] = {}
    for text in texts.unique():
        try:
            values[text] = read(text)
        except ValueError as error:
            row = table[texts == text].iloc[0]
            names = label_columns(task)
            named = f", column {names[column]!r}" if names else ""
            raise InputError(
                f"{where(row, task)}{named}: {shown(text)} is {what}; {error} (key {key!r})"
            ) from error
    return pd.Series([values[text] for text in texts], table.index, dtype=object)


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
