"""How much two ways of attribution agree, sequence by sequence."""

import numpy as np
import pandas as pd


def agreement(a: np.ndarray, b: np.ndarray) -> pd.DataFrame:
    """Correlations of two sets of contributions along each sequence.

    Args:
        a: (n, L), actual contributions; NaN where a model saw nothing, left out.
        b: as `a`, by another method or of another model.

    Returns:
        One row per sequence: `pearson`, `spearman` (ties have mean ranks); NaN where either does not vary.
    """
    from scipy.stats import rankdata  # takes a second, and tables need none of it

    rows = []
    for x, y in zip(a, b, strict=True):
        seen = np.isfinite(x) & np.isfinite(y)
        x, y = x[seen].astype(np.float64), y[seen].astype(np.float64)
        rows.append((_pearson(x, y), _pearson(rankdata(x), rankdata(y))))
    return pd.DataFrame(rows, columns=["pearson", "spearman"])


def mean_with_interval(
    values: np.ndarray, *, seed: int, resamples: int = 1000, confidence: float = 0.95
) -> dict[str, float | int]:
    """Mean over sequences with its percentile bootstrap interval: `value`, `ci_low`, `ci_high`, `n`; without NaN."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return {"value": float("nan"), "ci_low": float("nan"), "ci_high": float("nan"), "n": 0}
    drawn = np.random.default_rng(seed).integers(0, values.size, size=(resamples, values.size))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(values[drawn].mean(axis=1), tails)
    return {
        "value": float(values.mean()),
        "ci_low": float(low),
        "ci_high": float(high),
        "n": int(values.size),
    }


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation, NaN where either is constant."""
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm > 0 else float("nan")
