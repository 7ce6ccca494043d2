"""Metrics on the test rows without a relative in training: beside those on all rows, what similarity is worth."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import read_relatives
from nucleotune.errors import InputError

#: From this identity on a training row is a relative: the lowest that is looked for, so the strictest count.
IDENTITY = 0.5
#: Fewer rows, in all or of a class, are not judged.
FEWEST, FEWEST_OF_CLASS = 10, 5

Entries = Mapping[str, Mapping[str, Any]]
#: Of a test set and ids of some of its rows: {metric: entry}, as in metrics.json.
Judge = Callable[[str, set[str]], Entries]


def without_relatives(
    relatives: str | Path,
    splits: Mapping[str, Entries],
    predicted: pd.DataFrame,
    judge: Judge,
    *,
    source: str,
) -> dict[str, Any]:
    """Every metric on the rows of each test set that have no relative in training: a part of metrics.json.

    Test sets are those whose relatives were looked for.

    Args:
        relatives: path of the data set's relatives (`contracts`).
        splits: {split: {metric: entry}} on all rows.
        predicted: columns `id`, `split` and, of classes, `label`, all that was predicted.
        judge: may raise InputError where rows cannot be judged, which is then the reason.
        source: begins the message of an error.

    Returns {"identity": IDENTITY, "splits": {test set: {"rows": int, metric: entry}}}. Where rows cannot be judged,
    every entry has the value None and the reason; `rows` is None where relatives were not looked for. Raises InputError
    when relatives are those of other rows.
    """
    table, unknown = read_relatives(relatives)
    found: dict[str, dict[str, Any]] = {}
    if unknown:
        nothing = _unjudged(splits["test"], f"relatives were not looked for: {unknown}")
        return {"identity": IDENTITY, "splits": {"test": {"rows": None, **nothing}}}
    for split, part in table.groupby("split", sort=False):
        rows = predicted[predicted["split"] == split]
        difference = np.setxor1d(part["id"].to_numpy(), rows["id"].to_numpy())
        if difference.size:
            raise InputError(
                f"{source}: split {split!r}: record {difference[0]!r} is not in both predictions and relatives: repeat"
                " predictions made from older examples"
            )
        ids = set(part.loc[part["identity"] < IDENTITY, "id"])
        kept = rows[rows["id"].isin(ids)]
        found[split] = {"rows": len(kept), **_judged(split, kept, rows, splits[split], judge)}
    return {"identity": IDENTITY, "splits": found}


def _judged(
    split: str, kept: pd.DataFrame, rows: pd.DataFrame, measured: Entries, judge: Judge
) -> Entries:
    if len(kept) == len(rows):  # the same rows, so the same numbers
        return measured
    reason = _too_few(kept, rows)
    if reason is None:
        try:
            return judge(split, set(kept["id"]))
        except InputError as error:
            reason = str(error)
    return _unjudged(measured, reason)


def _too_few(kept: pd.DataFrame, rows: pd.DataFrame) -> str | None:
    """Why the rows that are left cannot be judged; a class that had few rows from the start may keep them."""
    if len(kept) < FEWEST:
        return f"{len(kept)} of {len(rows)} test rows have no relative in training: too few"
    if "label" in rows:
        before = rows["label"].value_counts()
        left = kept["label"].value_counts().reindex(before.index, fill_value=0)
        if (left < before.clip(upper=FEWEST_OF_CLASS)).any():
            return f"of a class {left.min()} test rows have no relative in training: too few"
    return None


def _unjudged(measured: Entries, reason: str) -> Entries:
    nothing = {"value": None, "ci_low": None, "ci_high": None, "reason": reason}
    return dict.fromkeys(measured, nothing)
