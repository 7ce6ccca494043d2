"""Examples that belong to one of two classes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import not_run, read_examples, read_predictions
from nucleotune.evaluation.intervals import evaluate_predictions
from nucleotune.evaluation.resampling import unmeasured


def evaluate(
    examples: str | Path,
    predictions: Mapping[int, str | Path],
    *,
    bootstrap: Mapping[str, Any],
    source: str,
) -> dict[str, Any]:
    """Metrics of one method with intervals; the reason alone if it did not run."""
    reason = next(filter(None, map(not_run, predictions.values())), None)
    if reason:
        return unmeasured(reason)
    tables = {seed: read_predictions(path) for seed, path in predictions.items()}
    return evaluate_predictions(tables, groups=_groups(examples), **bootstrap, source=source)


def compare(
    examples: str | Path,
    predictions: Mapping[str, Mapping[int, str | Path]],
    *,
    against: Iterable[str],
    bootstrap: Mapping[str, Any],
) -> pd.DataFrame:
    """Every method that ran against the best of the baselines `against`, on the same test rows."""
    from nucleotune.evaluation.paired import compare_methods  # scipy.stats takes a second

    tables: dict[str, dict[int, pd.DataFrame]] = {}
    for method, paths in predictions.items():
        for seed, path in paths.items():
            if not not_run(path):
                table = read_predictions(path, splits=["valid", "test"])
                tables.setdefault(method, {})[seed] = table
    baselines = [method for method in tables if method in against]
    return compare_methods(tables, baselines, groups=_groups(examples), **bootstrap)


def _groups(examples: str | Path) -> pd.Series:
    return read_examples(examples, columns=["id", "group"]).set_index("id")["group"]
