"""Files that pass between rooms: examples, predictions and metrics are read, written and checked here and nowhere else.

Examples   one row per example: `id` (unique), `sequence` (upper-case ACGTN), `label` (0 or 1), `split`, `group` (gene
           or cluster, for leak-free splits), then metadata columns.
Predictions one row per example: `id`, `split`, `label`, `score` (higher = label 1), `predicted` (the method's own
           decision, 0 or 1: methods without probabilities, such as an SVM margin, decide at their own threshold).
           A method that could not run (a tool that is not installed) leaves a file without rows that holds the reason.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nucleotune.errors import InputError
from nucleotune.files import read_json
from nucleotune.frames import read_metadata, read_parquet, write_parquet

#: `pretrain` is a part of its own for the first of two training stages; a study without such a stage leaves it empty.
#: Beside `test` there may be further test sets, `test-<name>`: the same examples changed, or others to be judged apart.
SPLITS = ("pretrain", "train", "valid", "test")

EXAMPLE_COLUMNS = ("id", "sequence", "label", "split", "group")
PREDICTION_COLUMNS = ("id", "split", "label", "score", "predicted")

#: Key of the reason in the metadata of predictions without rows.
_NOT_RUN = b"not_run"


def further_tests(splits: Iterable[str]) -> list[str]:
    """Those of `splits` that are named `test-<name>`, each once, in order of first occurrence."""
    return [name for name in dict.fromkeys(splits) if name.startswith("test-")]


def check_examples(examples: pd.DataFrame, source: str | Path = "examples") -> pd.DataFrame:
    """Return `examples` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    check_columns(examples, EXAMPLE_COLUMNS, source)
    check_ids_and_splits(examples, source)
    _check_labels(examples, source)
    illegal = ~examples["sequence"].str.fullmatch("[ACGTN]+")
    refuse(source, examples["id"], illegal, "sequence is empty or holds letters other than ACGTN")
    return examples


def check_predictions(
    predictions: pd.DataFrame, source: str | Path = "predictions"
) -> pd.DataFrame:
    """Return `predictions` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    check_columns(predictions, PREDICTION_COLUMNS, source)
    check_ids_and_splits(predictions, source)
    _check_labels(predictions, source)
    broken = ~np.isfinite(predictions["score"].to_numpy(dtype=float))
    refuse(source, predictions["id"], broken, "score is not finite")
    if not predictions["predicted"].isin((0, 1)).all():
        raise InputError(f"{source}: column 'predicted' must hold 0 or 1 only")
    return predictions


def refuse(source: str | Path, ids: Sequence[str], broken: Any, what: str) -> None:
    """Raise InputError naming the first record, of those with `ids` (n,), that is `broken`, bool (n,)."""
    if np.any(broken):
        first = list(ids)[int(np.argmax(broken))]
        raise InputError(f"{source}: record {first!r}: {what}")


def check_columns(table: pd.DataFrame, columns: Iterable[str], source: str | Path) -> None:
    """Raise InputError, beginning with `source`, unless `table` has all `columns`, and rows."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(
            f"{source}: missing column(s) {', '.join(missing)}; found {', '.join(table.columns)}"
        )
    if table.empty:
        raise InputError(f"{source}: no rows")


def check_ids_and_splits(table: pd.DataFrame, source: str | Path) -> None:
    """Raise InputError, beginning with `source`, unless every `id` is unique and every `split` a known one."""
    repeated = table["id"].duplicated()
    if repeated.any():
        raise InputError(
            f"{source}: id {table.loc[repeated, 'id'].iloc[0]!r} occurs more than once"
        )
    found = table["split"].unique()
    unknown = set(found) - {*SPLITS, *further_tests(found)}
    if unknown:
        raise InputError(
            f"{source}: unknown split {sorted(unknown)[0]!r}; expected one of {', '.join(SPLITS)} or test-<name>"
        )


def _check_labels(table: pd.DataFrame, source: str | Path) -> None:
    if not table["label"].isin((0, 1)).all():
        raise InputError(f"{source}: column 'label' must hold 0 or 1 only")


def write_examples(path: str | Path, examples: pd.DataFrame) -> None:
    """Check and write examples as Parquet, atomically; the same rows give the same bytes."""
    check_examples(examples, path)
    columns = [*EXAMPLE_COLUMNS, *(c for c in examples.columns if c not in EXAMPLE_COLUMNS)]
    write_parquet(path, examples[columns].astype({"label": "int8"}))


def read_examples(
    path: str | Path, columns: Sequence[str] | None = None, splits: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read examples, optionally only some columns and splits (both are pushed down to the file)."""
    table = read_parquet(
        path,
        columns=columns,
        filters=None if splits is None else [("split", "in", list(splits))],
    )
    return table.reset_index(drop=True)


def write_predictions(path: str | Path, predictions: pd.DataFrame) -> None:
    """Check and write predictions as Parquet, atomically; the same rows give the same bytes."""
    check_predictions(predictions, path)
    table = predictions[list(PREDICTION_COLUMNS)]
    write_parquet(path, table.astype({"label": "int8", "predicted": "int8", "score": "float64"}))


def read_predictions(path: str | Path, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """Read and check predictions, optionally of some splits only; InputError for a method that did not run."""
    reason = not_run(path)
    if reason:
        raise InputError(f"{path}: no predictions, not run: {reason}")
    filters = None if splits is None else [("split", "in", list(splits))]
    return check_predictions(read_parquet(path, filters=filters).reset_index(drop=True), path)


def write_not_run(path: str | Path, reason: str) -> None:
    """Write the predictions of a method that could not run: no rows, and the reason in the file's metadata."""
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("id", "split")),
            ("label", pa.int8()),
            ("score", pa.float64()),
            ("predicted", pa.int8()),
        ],
        metadata={_NOT_RUN: reason.encode()},
    )
    write_parquet(path, schema.empty_table())


def not_run(path: str | Path) -> str | None:
    """Why the method whose predictions these are did not run; None when it ran."""
    reason = read_metadata(path).get(_NOT_RUN)
    return reason.decode() if reason else None


def read_metrics(paths: Iterable[str | Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """Read `metrics.json` files: {dataset: {method: content}}, in the order of `paths`.

    The content of a method that did not run has the reason under `not_run`, and no splits.
    """
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for content in map(read_json, paths):
        metrics.setdefault(content["dataset"], {})[content["method"]] = content
    return metrics
