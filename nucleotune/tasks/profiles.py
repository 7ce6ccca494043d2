"""Examples that have counts along their sequence, in one or more tracks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.evaluation.profile_intervals import (
    compare_profiles,
    evaluate_profiles,
    judge_split,
)
from nucleotune.evaluation.unrelated import without_relatives
from nucleotune.profile_contracts import (
    read_profile_examples,
    read_profile_predictions,
    write_profile_examples,
    write_profile_predictions,
)

read_examples, write_examples = read_profile_examples, write_profile_examples
read_predictions, write_predictions = read_profile_predictions, write_profile_predictions

#: What methods are compared by.
MAIN = "pearson_median"


def evaluate(
    examples: str | Path,
    predictions: Mapping[int, str | Path],
    *,
    bootstrap: Mapping[str, Any],
    source: str,
    relatives: str | Path | None = None,
) -> dict[str, Any]:
    """Metrics of one method with intervals; with `relatives`, their path, also those on rows without (`unrelated`)."""
    tables = {seed: read_profile_predictions(path) for seed, path in predictions.items()}
    known = read_profile_examples(examples)
    found = evaluate_profiles(tables, known, **bootstrap, source=source)
    found["main_metric"] = MAIN
    if relatives is not None:

        def of_rows(split: str, ids: set[str]) -> Mapping[str, Any]:
            kept = {seed: one.of_ids(ids) for seed, one in tables.items()}
            return judge_split(kept, known.of_ids(ids), split, **bootstrap, source=source)

        found["without_relatives"] = without_relatives(
            relatives, found["splits"], next(iter(tables.values())).table, of_rows, source=source
        )
    return found


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
