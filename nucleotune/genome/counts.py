"""Counts by position inside many windows at once."""

import numpy as np
import pandas as pd

from nucleotune.genome.ends import PLACE


def count_in_windows(ends: pd.DataFrame, windows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Counts of 3' ends inside windows, on the strand of each.

    Args:
        ends: as the readers of `ends` return it.
        windows: n rows with seqname (named as in `ends`), start, end (0-based half-open; all of one length L), strand.

    Returns counts int64 (n, tracks, L), first and last position in the orientation of the window, and in how many
    windows each row of `ends` lies, int64 (rows,).
    """
    length = int((windows["end"] - windows["start"]).max()) if len(windows) else 0
    names = {name: i for i, name in enumerate(pd.unique(windows["seqname"].astype("str")))}
    far = 1 + max(ends["position"].max(), windows["end"].max()) if len(ends) * len(windows) else 1

    def lane(table: pd.DataFrame) -> np.ndarray:
        contig = table["seqname"].astype("str").map(names).fillna(len(names)).to_numpy(np.int64)
        return (2 * contig + (table["strand"] == "-").to_numpy()) * far

    place = lane(ends) + ends["position"].to_numpy(np.int64)
    order = np.argsort(place, kind="stable")
    bounds = [
        np.searchsorted(place[order], lane(windows) + windows[side].to_numpy(np.int64))
        for side in ("start", "end")
    ]
    within = bounds[1] - bounds[0]
    window = np.repeat(np.arange(len(windows)), within)
    row = order[np.arange(len(window)) - (np.cumsum(within) - within - bounds[0])[window]]
    position = ends["position"].to_numpy(np.int64)[row]
    start, end = (windows[side].to_numpy(np.int64)[window] for side in ("start", "end"))
    minus = (windows["strand"] == "-").to_numpy()[window]
    offset = np.where(minus, end - 1 - position, position - start)
    tracks = [name for name in ends if name not in PLACE]
    counts = np.zeros((len(windows), len(tracks), length), np.int64)
    for number, track in enumerate(tracks):
        np.add.at(counts, (window, number, offset), ends[track].to_numpy(np.int64)[row])
    return counts, np.bincount(row, minlength=len(ends))
