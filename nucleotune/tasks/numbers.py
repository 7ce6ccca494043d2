"""Examples that have one or more numbers, in the user's unit, some of which may be unknown.

Examples    `id`, `sequence`, `split`, `group` as in `contracts`, and for every target a column `value:<name>`: a finite
            number, or missing. In the file float64 with nulls; read, float64 with NaN.
Predictions `id`, `split`, and for every target `value:<name>` as in the examples, and `predicted:<name>`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import (
    COMMON_COLUMNS,
    PREDICTED,
    VALUE,
    check_columns,
    check_finite,
    check_ids_and_splits,
    names_of,
    read_examples,
    read_ran,
)
from nucleotune.evaluation.number_metrics import numbers
from nucleotune.evaluation.titles import COMPARED_NUMBERS, NUMBER_METRICS
from nucleotune.tasks.base import (
    Judging,
    Paths,
    check_named_examples,
    check_values,
    compare_kind,
    evaluate_kind,
    named_columns,
    names_in,
    write_named,
)

__all__ = [
    "check_examples",
    "check_predictions",
    "compare",
    "evaluate",
    "read_examples",
    "read_predictions",
    "write_examples",
    "write_predictions",
]


def check_examples(examples: pd.DataFrame, source: str | Path = "examples") -> pd.DataFrame:
    """Return `examples` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    return check_named_examples(examples, VALUE, source, "a finite number", np.isfinite)


def check_predictions(
    predictions: pd.DataFrame, source: str | Path = "predictions"
) -> pd.DataFrame:
    """Return `predictions` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    named_columns(predictions, VALUE, source)
    check_columns(predictions, _columns(predictions), source)
    check_ids_and_splits(predictions, source)
    for name in names_of(predictions, VALUE):
        check_values(predictions, VALUE + name, source, "a finite number", np.isfinite)
        check_finite(predictions, [PREDICTED + name], source)
    return predictions


def write_examples(path: str | Path, examples: pd.DataFrame) -> None:
    """Check and write examples as Parquet, atomically; the same rows give the same bytes."""
    check_examples(examples, path)
    kinds = dict.fromkeys(named_columns(examples, VALUE, path), "float64")
    write_named(path, examples, COMMON_COLUMNS, kinds, further=True)


def write_predictions(path: str | Path, predictions: pd.DataFrame) -> None:
    """Check and write predictions as Parquet, atomically; the same rows give the same bytes."""
    check_predictions(predictions, path)
    write_named(path, predictions, ("id", "split"), _columns(predictions), further=False)


def read_predictions(path: str | Path, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """Read and check predictions, optionally of some splits only; InputError for a method that did not run."""
    return check_predictions(read_ran(path, splits), path)


def evaluate(
    examples: str | Path, predictions: Paths, *, names: Sequence[str] | None = None, **asked: Any
) -> dict[str, Any]:
    """Metrics of one method with intervals, those of each target in `parts`; the reason alone if it did not run.

    `names` are those of the targets, by default all; `asked` are the arguments of `evaluate_kind`.
    """
    judging = partial(_judging, names)
    return evaluate_kind(examples, predictions, read_predictions, judging, **asked)


def compare(
    examples: str | Path,
    predictions: Mapping[str, Paths],
    *,
    names: Sequence[str] | None = None,
    **asked: Any,
) -> pd.DataFrame:
    """Every method that ran against the best baseline; `asked` are the arguments of `compare_kind`."""
    judging = partial(_judging, names)
    return compare_kind(examples, predictions, read_predictions, judging, **asked)


def _columns(predictions: pd.DataFrame) -> dict[str, str]:
    """Columns of each target, and their types in the file."""
    names = names_of(predictions, VALUE)
    return {prefix + name: "float64" for name in names for prefix in (VALUE, PREDICTED)}


def _judging(names: Sequence[str] | None, tables: Iterable[pd.DataFrame], source: str) -> Judging:
    names = names_in(tables, VALUE, names, source)
    return Judging(
        partial(numbers, names=names),
        NUMBER_METRICS,
        COMPARED_NUMBERS,
        states=lambda tables: {"targets": names},
    )
