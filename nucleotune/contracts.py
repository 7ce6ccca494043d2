"""Files that pass between rooms: examples, predictions and metrics are read, written and checked here and nowhere else.

Examples   one row per example: `id` (unique), `sequence` (upper-case ACGTN), `label` (0 or 1; 0 to K - 1 of K classes),
           `split`, `group` (gene or cluster, for leak-free splits), then metadata columns.
Predictions one row per example: `id`, `split`, `label`, `score` (higher = label 1), `predicted` (the method's own
           decision, 0 or 1: methods without probabilities, such as an SVM margin, decide at their own threshold).
           Of more than two classes: `id`, `split`, `label`, `predicted` (0 to K - 1), and for every class a column
           `score:<k>` (higher = class k): probabilities that add up to 1, or margins of any size.
           A method that could not run (a tool that is not installed) leaves a file without rows that holds the reason.
Relatives  one row per test row of a data set: `id`, `split`, `identity` (0 to 1) to its nearest relative in training, 0
           where there is none. Where relatives were not looked for, a file without rows that holds the reason.

Kinds of label other than classes have `id`, `sequence`, `split`, `group` in common with these, and columns of their own
in place of `label`: see `nucleotune.tasks` and `profile_contracts`.
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
RELATIVE_COLUMNS = ("id", "split", "identity")

#: What examples of every kind of label have.
COMMON_COLUMNS = ("id", "sequence", "split", "group")

#: Begins the column of one class, label or target: `score:<k>` of classes, `score:<name>` of labels.
SCORE = "score:"

#: Begin the names of columns of several labels or numbers: what is known of them, and what a method says.
LABEL, VALUE, PREDICTED = "label:", "value:", "predicted:"

#: Classes that int8 can number.
MOST_CLASSES = 128

#: Key of the reason in the metadata of predictions or relatives without rows.
_NOT_RUN = b"not_run"


def further_tests(splits: Iterable[str]) -> list[str]:
    """Those of `splits` that are named `test-<name>`, each once, in order of first occurrence."""
    return [name for name in dict.fromkeys(splits) if name.startswith("test-")]


def check_examples(
    examples: pd.DataFrame, source: str | Path = "examples", classes: int = 2
) -> pd.DataFrame:
    """Return `examples` if it keeps the contract, else raise InputError naming `source`, the column and a record."""
    check_columns(examples, EXAMPLE_COLUMNS, source)
    check_ids_and_splits(examples, source)
    _check_classes(examples, "label", classes, source)
    check_sequences(examples, source)
    return examples


def check_predictions(
    predictions: pd.DataFrame, source: str | Path = "predictions"
) -> pd.DataFrame:
    """Return `predictions` if it keeps the contract, else raise InputError naming `source`, the column and a record.

    The columns of scores say of how many classes they are.
    """
    classes = classes_of(predictions, source)
    check_columns(predictions, prediction_columns(classes), source)
    check_ids_and_splits(predictions, source)
    _check_classes(predictions, "label", classes, source)
    check_finite(predictions, score_columns(classes), source)
    _check_classes(predictions, "predicted", classes, source)
    return predictions


def score_columns(classes: int) -> tuple[str, ...]:
    """Columns of scores: `score` of two classes, `score:0`, `score:1`, ... of more."""
    return ("score",) if classes == 2 else tuple(f"{SCORE}{k}" for k in range(classes))


def prediction_columns(classes: int) -> tuple[str, ...]:
    """Columns of predictions, in the order of the file."""
    if classes == 2:
        return PREDICTION_COLUMNS
    return ("id", "split", "label", "predicted", *score_columns(classes))


def classes_of(predictions: pd.DataFrame, source: str | Path = "predictions") -> int:
    """Number of classes that predictions have scores of; InputError, beginning with `source`, when a class has none."""
    names = names_of(predictions, SCORE)
    if not names:
        return 2
    missing = set(map(str, range(len(names)))) - set(names)
    if missing or not 2 < len(names) <= MOST_CLASSES:
        raise InputError(
            f"{source}: columns {', '.join(SCORE + name for name in names)}; expected {SCORE}0, {SCORE}1, ... of"
            f" 3 to {MOST_CLASSES} classes"
        )
    return len(names)


def names_of(table: pd.DataFrame, prefix: str) -> tuple[str, ...]:
    """What stands behind `prefix` in the names of columns, in their order."""
    return tuple(c.removeprefix(prefix) for c in table.columns if c.startswith(prefix))


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


def check_sequences(table: pd.DataFrame, source: str | Path) -> None:
    """Raise InputError, beginning with `source`, unless every `sequence` is of upper-case ACGTN, and not empty."""
    illegal = ~table["sequence"].str.fullmatch("[ACGTN]+")
    refuse(source, table["id"], illegal, "sequence is empty or holds letters other than ACGTN")


def check_finite(table: pd.DataFrame, columns: Iterable[str], source: str | Path) -> None:
    """Raise InputError, beginning with `source`, unless all numbers of some columns are finite."""
    for column in columns:
        broken = ~np.isfinite(table[column].to_numpy(dtype=float))
        refuse(source, table["id"], broken, f"{column} is not finite")


def refuse(source: str | Path, ids: Sequence[str], broken: Any, what: str) -> None:
    """Raise InputError naming the first record, of those with `ids` (n,), that is `broken`, bool (n,)."""
    if np.any(broken):
        first = list(ids)[int(np.argmax(broken))]
        raise InputError(f"{source}: record {first!r}: {what}")


def _check_classes(table: pd.DataFrame, column: str, classes: int, source: str | Path) -> None:
    if not table[column].isin(range(classes)).all():
        expected = "0 or 1 only" if classes == 2 else f"whole numbers from 0 to {classes - 1} only"
        raise InputError(f"{source}: column {column!r} must hold {expected}")


def write_examples(path: str | Path, examples: pd.DataFrame, classes: int = 2) -> None:
    """Check and write examples as Parquet, atomically; the same rows give the same bytes."""
    check_examples(examples, path, classes)
    table = examples[in_order(examples, EXAMPLE_COLUMNS)]
    write_parquet(path, table.astype({"label": "int8"}))


def in_order(table: pd.DataFrame, first: Sequence[str]) -> list[str]:
    """The columns of `table`: those of the contract, in its order, then the others."""
    return [*first, *(column for column in table.columns if column not in first)]


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
    classes = classes_of(predictions, path)
    table = predictions[list(prediction_columns(classes))]
    scores = dict.fromkeys(score_columns(classes), "float64")
    write_parquet(path, table.astype({"label": "int8", "predicted": "int8", **scores}))


def read_predictions(path: str | Path, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """Read and check predictions, optionally of some splits only; InputError for a method that did not run."""
    return check_predictions(read_ran(path, splits), path)


def read_ran(path: str | Path, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """Predictions of any kind as a table, unchecked; InputError for a method that did not run."""
    reason = not_run(path)
    if reason:
        raise InputError(f"{path}: no predictions, not run: {reason}")
    filters = None if splits is None else [("split", "in", list(splits))]
    return read_parquet(path, filters=filters).reset_index(drop=True)


def write_not_run(path: str | Path, reason: str) -> None:
    """Write the predictions of a method that could not run: no rows, and the reason in the file's metadata.

    The file is the same for all kinds of label.
    """
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
    """Why the method whose predictions these are did not run, or relatives were not looked for; None otherwise."""
    reason = read_metadata(path).get(_NOT_RUN)
    return reason.decode() if reason else None


def write_relatives(path: str | Path, table: pd.DataFrame, reason: str | None = None) -> None:
    """Write relatives as Parquet, atomically; where there is a `reason` without rows."""
    kinds = dict(zip(RELATIVE_COLUMNS, (pa.string(), pa.string(), pa.float64()), strict=True))
    schema = pa.schema(kinds.items(), metadata={_NOT_RUN: reason.encode()} if reason else None)
    rows = table[list(RELATIVE_COLUMNS)][: 0 if reason else None]
    write_parquet(path, pa.Table.from_pandas(rows, schema, preserve_index=False))


def read_relatives(path: str | Path) -> tuple[pd.DataFrame, str | None]:
    """Relatives, and why they were not looked for."""
    return read_parquet(path, columns=RELATIVE_COLUMNS), not_run(path)


def read_metrics(paths: Iterable[str | Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """Read `metrics.json` files: {dataset: {method: content}}, in the order of `paths`.

    The content of a method that did not run has the reason under `not_run`, and no splits.
    """
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for content in map(read_json, paths):
        metrics.setdefault(content["dataset"], {})[content["method"]] = content
    return metrics
