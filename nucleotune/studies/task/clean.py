"""One stated policy for each thing that can be wrong with a row; every row that leaves is counted.

Order: unlabelled, empty, letters, length, conflicts, duplicates. Further test sets are cleaned within themselves: the
same example may stand in one of them and in training, which the data card counts.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import SPLITS
from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.labelled import shown
from nucleotune.studies.task.labels import label_names
from nucleotune.studies.task.read import where

#: Of equal rows in several parts the first of these stays: nothing that a method is judged by is trained on.
_KEPT_IN = ("test", "valid", "", "train", "pretrain")

_CODES = re.compile("[^ACGTU]", re.IGNORECASE)


def clean(table: pd.DataFrame, task: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Rows of `labels.with_labels` that are left, and what became of the others.

    Sequences come out in upper-case ACGTN. Returned counts: `waterfall` (steps with `class`, `kept`, `dropped`),
    `policies`, `u_as_t` (sequences with U), `with_n` (with N), `cut` (shortened), `conflicts` (sequences with different
    labels), `duplicates` (rows that repeat another with the same label). Raises InputError where a policy is `error`,
    for letters that are no nucleotide codes, and where no row is left.
    """
    counts: dict[str, Any] = {"policies": dict(task["policies"])}
    steps = _Steps(table, task)
    table = steps.policy("unlabelled", table, _unlabelled(table, task), "no label")
    raw = table["sequence"].str.replace(r"\s+", "", regex=True)
    table = steps.policy("empty", table.assign(sequence=raw), raw == "", "no sequence")
    table = _letters(table, task, steps, counts)
    short = table["sequence"].str.len() < task["min_length"]
    table = steps.drop(f"at least {task['min_length']:,} nt", table, short)
    table = _lengths(table, task, steps, counts)
    table = _conflicts(table, task, steps, counts)
    repeated = _later(table, ["sequence"])
    counts["duplicates"] = int(repeated.sum())
    if task["policies"]["duplicates"] == "drop":
        table = steps.drop("each sequence once", table, repeated)
    counts["with_n"] = int(table["sequence"].str.contains("N", regex=False).sum())
    counts["waterfall"] = steps.waterfall
    if table.empty:
        said = "; ".join(f"{one['dropped']:,} dropped: {one['step']}" for one in steps.waterfall)
        raise InputError(
            f"{steps.source}: no row is left ({said}); change the task's policies or its data"
        )
    return table.reset_index(drop=True), counts


class _Steps:
    """The waterfall of filters."""

    def __init__(self, table: pd.DataFrame, task: Mapping[str, Any]) -> None:
        self.task = task
        self.source = ", ".join(dict.fromkeys(map(str, table["path"])))
        self.waterfall: list[dict[str, Any]] = []
        self._note("in the files", table, np.zeros(len(table), bool))

    def drop(self, step: str, table: pd.DataFrame, bad: Any) -> pd.DataFrame:
        """The other rows."""
        bad = np.asarray(bad, bool)
        if bad.any():
            self._note(step, table, bad)
        return table[~bad]

    def policy(self, key: str, table: pd.DataFrame, bad: pd.Series, what: str) -> pd.DataFrame:
        """The other rows, where the policy `key` does not make an error of the first bad one."""
        if self.task["policies"][key] == "error" and bad.any():
            row = table[bad].iloc[0]
            more = f" (and {int(bad.sum()) - 1:,} more rows)" if bad.sum() > 1 else ""
            raise InputError(
                f"{where(row, self.task)}: record {shown(row['id'])}: {what}{more}; correct the file, or set"
                f" policies.{key}: drop, which leaves such rows out and counts them"
            )
        return self.drop(f"without: {what}", table, bad)

    def _note(self, step: str, table: pd.DataFrame, bad: np.ndarray) -> None:
        if self.task["kind"] == "classes":
            label = table["label"].fillna(-1).to_numpy()
            groups = {name: label == n for n, name in enumerate(self.task["classes"])}
        else:
            groups = {"rows": np.ones(len(table), bool)}
        self.waterfall += [
            {
                "class": name,
                "step": step,
                "kept": int((of & ~bad).sum()),
                "dropped": int((of & bad).sum()),
            }
            for name, of in groups.items()
        ]


def _unlabelled(table: pd.DataFrame, task: Mapping[str, Any]) -> pd.Series:
    return table[label_names(task)].isna().all(axis=1)


def _letters(
    table: pd.DataFrame, task: Mapping[str, Any], steps: _Steps, counts: dict[str, Any]
) -> pd.DataFrame:
    letters = []
    for row, sequence in enumerate(table["sequence"]):
        try:
            letters.append(normalise(sequence))
        except ValueError as error:
            one, column = table.iloc[row], task["columns"]["sequence"]
            named = f", column {column!r}" if column else ""
            raise InputError(
                f"{where(one, task)}{named}: {error} ({shown(sequence)}); expected A, C, G, T or U, or IUPAC's codes"
                " for several of them: take gaps and other signs out"
            ) from error
    coded = table["sequence"].str.contains(_CODES)
    counts["u_as_t"] = int(table["sequence"].str.contains("U", case=False, regex=False).sum())
    table = table.assign(sequence=pd.Series(letters, table.index, dtype=object))
    if task["policies"]["letters"] == "n":
        return table
    return steps.policy("letters", table, coded, "letters other than A, C, G, T and U")


def _lengths(
    table: pd.DataFrame, task: Mapping[str, Any], steps: _Steps, counts: dict[str, Any]
) -> pd.DataFrame:
    most, policy = task["max_length"], task["policies"]["long"]
    counts["cut"] = 0
    if most is None:
        return table
    lengths = table["sequence"].str.len()
    if policy in ("error", "drop"):
        return steps.policy("long", table, lengths > most, f"more than {most:,} nt (max_length)")
    counts["cut"] = int((lengths > most).sum())
    share = {"left": 0, "centre": 0.5, "right": 1}[policy]
    cut = [
        one[(begin := int(share * max(0, len(one) - most))) : begin + most]
        for one in table["sequence"]
    ]
    return table.assign(sequence=pd.Series(cut, table.index, dtype=object))


def _conflicts(
    table: pd.DataFrame, task: Mapping[str, Any], steps: _Steps, counts: dict[str, Any]
) -> pd.DataFrame:
    names, policy = label_names(task), task["policies"]["conflicts"]
    keys = [_place(table), table["sequence"]]
    differ = table.groupby(keys, sort=False)[names].transform("nunique", dropna=False)
    # Equal rows in several parts count as one place, but each further test set is one of its own.
    conflict = (differ > 1).any(axis=1)
    counts["conflicts"] = int(table.loc[conflict, "sequence"].nunique())
    if policy == "mean":
        means = table.groupby(keys, sort=False)[names].transform("mean")
        table = table.assign(**{name: means[name] for name in names})
        return steps.drop("mean of each sequence", table, conflict & _later(table, ["sequence"]))
    if policy == "first":
        return steps.drop("first of each sequence", table, conflict & _later(table, ["sequence"]))
    if policy == "error" and conflict.any():
        one = table[conflict].iloc[0]
        same = table[(table["sequence"] == one["sequence"]) & conflict]
        other = same[
            (same[names].astype(object).fillna("") != one[names].fillna("")).any(axis=1)
        ].iloc[0]
        raise InputError(
            f"{where(other, task)}: record {shown(other['id'])} has the sequence of {where(one, task)} and another"
            f" label; {counts['conflicts']:,} sequences have several: correct the file, or set policies.conflicts to"
            " drop or first"
        )
    return steps.drop("one label a sequence", table, conflict)


def _place(table: pd.DataFrame) -> pd.Series:
    """Where rows must not repeat each other: in the data as a whole, and in each further test set."""
    return table["split"].where(~table["split"].isin(["", *SPLITS]), "").rename("place")


def _later(table: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Rows that repeat another: of the part that is kept first, and of one part the first in the file, stays."""
    order = table["split"].map({part: n for n, part in enumerate(_KEPT_IN)}).fillna(0)
    ordered = table.assign(place=_place(table))[[*columns, "place"]].iloc[
        np.argsort(order.to_numpy(), kind="stable")
    ]
    return ordered.duplicated().reindex(table.index)
