"""Places that belong together because they overlap: what must not be on both sides of a split."""

import numpy as np
import pandas as pd

from nucleotune.groups import join_groups, named_after_first


def overlap_clusters(places: pd.DataFrame) -> np.ndarray:
    """Number of each row's cluster, int64 (n,): rows that share a base on a strand, directly or through others.

    Args:
        places: columns `seqname`, `start`, `end` (0-based half-open) and `strand`; "" as `seqname` is no place, and
            such a row has -1.
    """
    clusters = np.full(len(places), -1)
    start, end = places["start"].to_numpy(), places["end"].to_numpy()
    known = places.reset_index(drop=True)
    known = known[known["seqname"] != ""]
    first = 0
    for rows in known.groupby(["seqname", "strand"], observed=True).indices.values():
        rows = known.index.to_numpy()[rows]
        rows = rows[np.argsort(start[rows], kind="stable")]
        reach = np.maximum.accumulate(end[rows])
        begins = np.concatenate([[True], start[rows][1:] >= reach[:-1]])
        clusters[rows] = first + np.cumsum(begins) - 1
        first += int(begins.sum())
    return clusters


def join_overlapping(places: pd.DataFrame) -> pd.Series:
    """Groups in which no two rows overlap across groups: those of `places["group"]`, joined where their rows overlap.

    A joined group is called as its first row's was. Rows without place keep their group.
    """
    clusters = overlap_clusters(places)
    known = pd.Series(clusters, dtype=object).where(clusters >= 0)
    return named_after_first(places["group"], join_groups(places["group"], known))


def overlapping(rows: pd.DataFrame, others: pd.DataFrame) -> int:
    """How many `rows` share a base with one of `others` on the same strand; rows without place share none."""
    strands = dict(list(others[others["seqname"] != ""].groupby(["seqname", "strand"])))
    total = 0
    for strand, mine in rows[rows["seqname"] != ""].groupby(["seqname", "strand"]):
        if strand not in strands:
            continue
        theirs = strands[strand].sort_values("start")
        reach = np.maximum.accumulate(theirs["end"].to_numpy())
        before = np.searchsorted(theirs["start"].to_numpy(), mine["end"].to_numpy(), side="left")
        total += int((reach[before - 1] > mine["start"].to_numpy())[before > 0].sum())
    return total
