"""Cut-offs of scores that are chosen on validation rows; test rows choose nothing."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: What a cut-off may be chosen by.
CHOSEN_BY = ("mcc", "f1")

Floats = NDArray[np.float64]


class Columns(NamedTuple):
    """Names of the columns of one decision in predictions."""

    label: str
    score: str
    predicted: str


def best_cut_off(labels: NDArray, scores: Floats, by: str = "mcc") -> float | None:
    """The cut-off that is best by `by` ("mcc" or "f1"): label 1 is called from this score on.

    `labels` (0 or 1) and `scores` have shape (n,). It lies half-way between two scores that occur, so that it stands
    off both, or is the lowest score (all are called); of several that are as good it is the highest. None where scores
    tell nothing: all are equal, or no cut-off has an MCC above 0. ValueError when only one label occurs.
    """
    y = np.asarray(labels, dtype=bool)
    if y.all() or not y.any():
        raise ValueError("a cut-off needs both labels")
    if by not in CHOSEN_BY:
        raise ValueError(f"chosen by {by!r}; expected one of {', '.join(CHOSEN_BY)}")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    tp = np.cumsum(y[order])[ends].astype(float)
    fp = ends + 1 - tp
    fn, tn = y.sum() - tp, (~y).sum() - fp
    if by == "f1":
        values = 2 * tp / (2 * tp + fp + fn)
    else:
        scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        values = np.divide(tp * tn - fp * fn, scale, out=np.zeros_like(tp), where=scale > 0)
    if len(ends) == 1 or (by == "mcc" and values.max() <= 0):
        return None
    best = ends[np.argmax(values)]
    if best == ranked.size - 1:
        return float(ranked[best])
    above, below = ranked[best], ranked[best + 1]
    middle = below + (above - below) / 2
    return float(middle if below < middle <= above else above)


def decide_anew(
    tables: Mapping[int, pd.DataFrame], parts: Mapping[str, Columns], by: str
) -> tuple[dict[int, pd.DataFrame], dict[str, dict[str, float | None]]]:
    """Predictions of every seed, decided by cut-offs chosen on its own validation rows, and the cut-offs.

    `parts` are the decisions by name; rows whose label is not known choose nothing. Returns tables as they were but for
    the columns of decisions, and {part: {seed: cut-off}}. Where the validation rows do not hold both labels of a part,
    or `best_cut_off` finds none, its cut-off is None and the decisions stay the method's own.
    """
    decided: dict[int, pd.DataFrame] = {}
    chosen: dict[str, dict[str, float | None]] = {part: {} for part in parts}
    for seed in sorted(tables):
        table = tables[seed].copy()
        valid = table.loc[table["split"] == "valid"]
        for part, columns in parts.items():
            known = valid.loc[valid[columns.label].notna()]
            labels = known[columns.label].to_numpy(dtype=float)
            cut_off = None
            if len(np.unique(labels)) > 1:
                cut_off = best_cut_off(labels, known[columns.score].to_numpy(dtype=float), by)
            chosen[part][str(seed)] = cut_off
            if cut_off is not None:
                table[columns.predicted] = (table[columns.score] >= cut_off).astype("int8")
        decided[seed] = table
    return decided, chosen
