"""Examples that have counts along their sequence, in one or more tracks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.evaluation.profile_intervals import compare_profiles, evaluate_profiles
from nucleotune.profile_contracts import (
    read_profile_examples,
    read_profile_predictions,
    write_profile_examples,
    write_profile_predictions,
)

read_examples, write_examples = read_profile_examples, write_profile_examples
read_predictions, write_predictions = read_profile_predictions, write_profile_predictions


def evaluate(
    examples: str | Path,
    predictions: Mapping[int, str | Path],
    *,
    bootstrap: Mapping[str, Any],
    source: str,
) -> dict[str, Any]:
    """Metrics of one method with intervals."""
    tables = {seed: read_profile_predictions(path) for seed, path in predictions.items()}
    return evaluate_profiles(tables, read_profile_examples(examples), **bootstrap, source=source)


def compare(
    examples: str | Path,
    predictions: Mapping[str, Mapping[int, str | Path]],
    *,
    against: Sequence[str],
    bootstrap: Mapping[str, Any],
) -> pd.DataFrame:
    """Every method against the line that `against` names, on the same test sequences."""
    (line,) = against
    tables = {
        method: {seed: read_profile_predictions(path, splits=["test"]) for seed, path in of.items()}
        for method, of in predictions.items()
    }
    return compare_profiles(
        tables, line, read_profile_examples(examples, splits=["test"]), **bootstrap
    )
