"""Examples that have several labels of yes or no, some of which may be unknown.

Examples    `id`, `sequence`, `split`, `group` as in `contracts`, and for every label a column `label:<name>`: 0, 1 or
            missing. In the file int8 with nulls; read, float64 with NaN.
Predictions `id`, `split`, and for every label `label:<name>` as in the examples, `score:<name>` (higher = 1) and
            `predicted:<name>`, the method's own decision, 0 or 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import (
    COMMON_COLUMNS,
    LABEL,
    PREDICTED,
    SCORE,
    check_columns,
    check_finite,
    check_ids_and_splits,
    names_of,
    read_examples,
    read_ran,
)
from nucleotune.evaluation.cut_off import Columns
from nucleotune.evaluation.label_metrics import several_labels
from nucleotune.evaluation.titles import COMPARED_LABELS, LABEL_METRICS
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

_yes_or_no = partial(np.isin, test_elements=(0, 1))


def check_examples(examples: pd.DataFrame, source: str | Path = "examples") -> pd.DataFrame:
    """Return `examples` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    return check_named_examples(examples, LABEL, source, "0, 1", _yes_or_no)


def check_predictions(
    predictions: pd.DataFrame, source: str | Path = "predictions"
) -> pd.DataFrame:
    """Return `predictions` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    named_columns(predictions, LABEL, source)
    check_columns(predictions, _columns(predictions), source)
    check_ids_and_splits(predictions, source)
    for name in names_of(predictions, LABEL):
        check_values(predictions, LABEL + name, source, "0, 1", _yes_or_no)
        check_finite(predictions, [SCORE + name], source)
        check_values(predictions, PREDICTED + name, source, "0 or 1", _yes_or_no, missing=False)
    return predictions


def write_examples(path: str | Path, examples: pd.DataFrame) -> None:
    """Check and write examples as Parquet, atomically; the same rows give the same bytes."""
    check_examples(examples, path)
    kinds = dict.fromkeys(named_columns(examples, LABEL, path), "Int8")
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
    """Metrics of one method with intervals, those of each label in `parts`; the reason alone if it did not run.

    `names` are those of the labels, by default all; `asked` are the arguments of `evaluate_kind`.
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
    """Columns of each label, and their types in the file."""
    kinds = {LABEL: "Int8", SCORE: "float64", PREDICTED: "int8"}
    names = names_of(predictions, LABEL)
    return {prefix + name: kind for name in names for prefix, kind in kinds.items()}


def _judging(names: Sequence[str] | None, tables: Iterable[pd.DataFrame], source: str) -> Judging:
    names = names_in(tables, LABEL, names, source)
    return Judging(
        partial(several_labels, names=names),
        LABEL_METRICS,
        COMPARED_LABELS,
        {name: Columns(LABEL + name, SCORE + name, PREDICTED + name) for name in names},
        states=lambda tables: {"labels": names},
    )
