"""Quotients and means of what may be undefined."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ratio(numerator: Floats, denominator: Floats, known: Any = True) -> Floats:
    """The quotient: 0 where the denominator is 0, NaN where it is not `known`."""
    found = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
    return np.where(known, found, np.nan)


def mean_known(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN, itself NaN where there is nothing: (resamples,)."""
    known = ~np.isnan(values)
    size = known.sum(axis=-1)
    return ratio(np.where(known, values, 0).sum(axis=-1), size, size > 0)
