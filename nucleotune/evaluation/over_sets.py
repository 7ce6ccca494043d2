"""Methods compared over many data sets: a data set is the unit, not an example.

The bootstrap draws data sets. So its intervals tell how much the choice of data sets matters (of proteins, in the RBP
study), and hold the noise of each one's test examples.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nucleotune.errors import InputError
from nucleotune.evaluation.paired import holm

COLUMNS = (
    "method",
    "against",
    "sets",
    "difference",
    "ci_low",
    "ci_high",
    "wins",
    "ties",
    "losses",
    "p",
    "p_holm",
)


def mean_over_sets(
    values: ArrayLike, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, float | None]:
    """Mean of `values` (sets,) with its percentile bootstrap interval: {value, ci_low, ci_high}.

    The interval is None for fewer than two data sets. Raises InputError when there is none.
    """
    values = np.asarray(values, dtype=float)
    if not values.size:
        raise InputError("no data set has a value: there is no mean")
    result: dict[str, Any] = {"value": float(values.mean()), "ci_low": None, "ci_high": None}
    if values.size > 1:
        generator = np.random.default_rng(seed)
        drawn = generator.integers(0, values.size, size=(resamples, values.size))
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        low, high = np.quantile(values[drawn].mean(axis=1), tails)
        result |= {"ci_low": float(low), "ci_high": float(high)}
    return result


def compare_over_sets(
    values: pd.DataFrame,
    method: str,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """One method against each other one over the data sets where both have a value, paired by data set.

    `values` has one row per data set and one column per method, NaN where it did not run. One row per method that
    shares a data set with `method`, in the order of the columns, with COLUMNS: `difference` is the mean of `method`
    minus the other, with its bootstrap interval over the data sets (none for one data set); `wins`, `ties` and `losses`
    count data sets by the sign of the difference; `p` is that of Wilcoxon's signed-rank test, two-sided, ties left out
    (1 where all are), `p_holm` after Holm's correction over the rows. With n data sets no p is below 2 / 2^n.

    Raises InputError when `method` is not among the columns.
    """
    if method not in values:
        raise InputError(f"method {method!r} has no values; found {', '.join(map(str, values))}")
    from scipy.stats import wilcoxon  # takes a second, and figures need none of it

    rows = []
    for other in (name for name in values if name != method):
        pairs = values[[method, other]].dropna()
        if pairs.empty:
            continue
        differences = (pairs[method] - pairs[other]).to_numpy()
        interval = mean_over_sets(
            differences, resamples=resamples, confidence=confidence, seed=seed
        )
        rows.append(
            {
                "method": method,
                "against": other,
                "sets": len(pairs),
                "difference": interval["value"],
                "ci_low": interval["ci_low"],
                "ci_high": interval["ci_high"],
                "wins": int((differences > 0).sum()),
                "ties": int((differences == 0).sum()),
                "losses": int((differences < 0).sum()),
                "p": float(wilcoxon(differences).pvalue) if differences.any() else 1.0,
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    return table.astype({"ci_low": float, "ci_high": float})
