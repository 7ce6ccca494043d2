"""Rows that belong together in more than one way, as transcripts of one gene and those of one sequence do."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def join_groups(*groups: ArrayLike) -> np.ndarray:
    """Number of each row's joined group, int64 (n,): rows that any of `groups` has together, perhaps through others.

    groups: one value per row each; a missing one (None, NaN) is grouped with no other row. Numbers are in order of
    first occurrence.
    """
    codes, first = [], 0
    for one in groups:
        found = pd.factorize(np.asarray(one, dtype=object))[0]
        codes.append(np.where(found < 0, -1, found + first))
        first += found.max(initial=-1) + 1
    n = len(codes[0])
    named = [np.flatnonzero(code >= 0) for code in codes]
    rows = np.concatenate(named)
    nodes = np.concatenate([n + code[row] for code, row in zip(codes, named, strict=True)])
    graph = coo_array((np.ones(len(rows)), (rows, nodes)), shape=(n + first, n + first))
    joined = connected_components(graph, directed=False)[1][:n]
    return pd.factorize(joined)[0]


def named_after_first(groups: pd.Series, joined: np.ndarray) -> pd.Series:
    """Joined groups (numbers of `join_groups`) under the name that the first row of each has in `groups`."""
    return groups.groupby(joined).transform("first")
