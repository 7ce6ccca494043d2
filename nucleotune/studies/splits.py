"""Dividing examples into pretrain / train / valid / test; what leaks between the parts is counted in `leaks`."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from nucleotune.contracts import SPLITS
from nucleotune.errors import InputError


def sample_rows(table: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """`n` random rows in file order (all rows when there are no more)."""
    if len(table) <= n:
        return table
    chosen = np.random.default_rng(seed).choice(len(table), size=n, replace=False)
    return table.iloc[np.sort(chosen)]


def split_rows(labels: pd.Series, fractions: Mapping[str, float], seed: int) -> pd.Series:
    """Random split, stratified by class: each class is permuted and cut at the cumulated `fractions`.

    labels: class per row. Returns the split name per row, on the index of `labels`.
    """
    return split_groups(
        labels, pd.Series(np.arange(len(labels)), index=labels.index), fractions, seed
    )


def split_groups(
    labels: pd.Series, groups: pd.Series, fractions: Mapping[str, float], seed: int
) -> pd.Series:
    """Random split in which no group has rows in two parts, stratified by class.

    Groups are permuted within the class of their first row and cut where the cumulated number of *rows* crosses the
    cumulated `fractions`, so parts keep their size although groups differ in theirs.

    Raises InputError when a part with a positive fraction would stay empty.
    """
    generator = np.random.default_rng(seed)
    first = pd.DataFrame({"label": labels, "group": groups}).groupby("group", sort=True)["label"]
    table = pd.DataFrame({"label": first.first(), "rows": first.size()})
    names = [name for name in SPLITS if fractions.get(name, 0) > 0]
    edges = np.cumsum([fractions[name] for name in names])
    assigned = pd.Series("", index=table.index, dtype=object)
    for _, members in table.groupby("label", sort=True):
        order = members.index.to_numpy()[generator.permutation(len(members))]
        rows = members["rows"].loc[order].to_numpy()
        middle = (np.cumsum(rows) - rows / 2) / rows.sum()
        part = np.minimum(np.searchsorted(edges, middle), len(names) - 1)
        assigned.loc[order] = np.asarray(names, dtype=object)[part]
    result = groups.map(assigned)
    empty = [name for name in names if not (result == name).any()]
    if empty:
        raise InputError(
            f"too few rows to split: part {empty[0]!r} would be empty with {len(labels)} rows in {len(table)} groups;"
            " add data or change the study's fractions"
        )
    return result


def split_counts(
    examples: pd.DataFrame, names: Mapping[int, str] | Sequence[str]
) -> dict[str, dict[str, int]]:
    """Rows by split and class; `names` says what each label is called."""
    counts: dict[str, dict[str, int]] = {}
    for (part, label), rows in examples.groupby(["split", "label"]).size().items():
        counts.setdefault(str(part), {})[names[label]] = int(rows)
    return counts


def lacking(
    examples: pd.DataFrame, names: Mapping[int, str] | Sequence[str], parts: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """(part, class) pairs without rows, of `parts` and all that there are; further test sets are not looked at."""
    counts = split_counts(examples, names)
    found = dict.fromkeys([*parts, *(part for part in counts if part in SPLITS)])
    labels = names if isinstance(names, Mapping) else dict(enumerate(names))
    return [
        (part, name)
        for part in sorted(found, key=SPLITS.index)
        for name in labels.values()
        if not counts.get(part, {}).get(name)
    ]


def check_classes(
    examples: pd.DataFrame, names: Mapping[int, str] | Sequence[str], source: str, cure: str
) -> None:
    """Raise InputError, with the rows of every part, where a part lacks a class: no metric could be taken there.

    source: begins the message. cure: ends it, saying what to change.
    """
    missing = lacking(examples, names)
    if missing:
        counts = split_counts(examples, names)
        parts = "; ".join(
            f"{part} " + ", ".join(f"{n:,} {name}" for name, n in counts[part].items())
            for part in SPLITS
            if part in counts
        )
        part, name = missing[0]
        raise InputError(f"{source}: part {part!r} has no {name} (rows: {parts}); {cure}")
