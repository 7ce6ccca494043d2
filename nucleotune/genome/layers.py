"""Intervals that overlap, of which the one on top counts."""

from typing import NamedTuple

import numpy as np


class Layers(NamedTuple):
    """A line cut at m edges (int64, ascending): what is on top from each edge to the next, in `values`.

    `values` has m + 1 entries; the last one is for positions before the first edge.
    """

    edges: np.ndarray
    values: np.ndarray

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return what is on top at each position; fastest where positions ascend."""
        return self.values[np.searchsorted(self.edges, positions, side="right") - 1]


def lay(starts: np.ndarray, ends: np.ndarray, values: np.ndarray, empty: int) -> Layers:
    """Lay n half-open intervals with their values (n,) on a line, each on top of those before it.

    `empty` is the value where there is none.
    """
    edges = np.unique(np.concatenate([starts, ends]))
    result = np.full(len(edges) + 1, empty, values.dtype)
    first, last = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
    for begin, end, value in zip(first.tolist(), last.tolist(), values.tolist(), strict=True):
        result[begin:end] = value
    return Layers(edges, result)
