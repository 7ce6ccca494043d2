"""Files of a profile regression, which predicts counts along a sequence: examples and predictions.

Examples    one row per sequence: `id` (unique), `sequence` (upper-case ACGTN, all of one length), `split`, `group`, its
            place on the assembly (`seqname`, `start`, `end`: 0-based half-open; `strand`), and for every track a column
            `counts_<track>`: a list of counts, one per nucleotide, in the orientation of the sequence.
Predictions one row per sequence: `id`, `split`, and for every track `profile_<track>`, a list of probabilities over the
            first positions of the sequence (over all of them, unless a method predicts fewer), and `log_count_<track>`,
            the predicted log(1 + total count).

Tracks are the conditions that were measured, such as `ypd` and `gal`; their order is that of the columns.
"""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nucleotune.contracts import (
    check_columns,
    check_ids_and_splits,
    check_sequences,
    in_order,
    refuse,
)
from nucleotune.errors import InputError
from nucleotune.frames import read_arrow, write_parquet

PROFILE_EXAMPLE_COLUMNS = (
    "id",
    "sequence",
    "split",
    "group",
    "seqname",
    "start",
    "end",
    "strand",
)
PROFILE_PREDICTION_COLUMNS = ("id", "split")

COUNTS, PROFILE, LOG_COUNT = "counts_", "profile_", "log_count_"

#: How far the sum of a predicted profile, kept in float32, may be from 1.
TOLERANCE = 1e-3


class ProfileExamples(NamedTuple):
    """Examples in memory.

    table   PROFILE_EXAMPLE_COLUMNS, then metadata columns; index 0 to n - 1
    counts  int64 (n, tracks, positions)
    tracks  their names
    """

    table: pd.DataFrame
    counts: NDArray[np.int64]
    tracks: tuple[str, ...]

    def of_splits(self, splits: Sequence[str]) -> "ProfileExamples":
        """The examples of some splits, in their order."""
        return self._of(self.table["split"].isin(list(splits)))

    def of_ids(self, ids: Collection[str]) -> "ProfileExamples":
        """The examples with these ids, in their order."""
        return self._of(self.table["id"].isin(list(ids)))

    def _of(self, wanted: pd.Series) -> "ProfileExamples":
        rows = np.flatnonzero(wanted)
        table = self.table.iloc[rows].reset_index(drop=True)
        return ProfileExamples(table, self.counts[rows], self.tracks)


class ProfilePredictions(NamedTuple):
    """Predictions in memory.

    table       PROFILE_PREDICTION_COLUMNS; index 0 to n - 1
    profiles    float32 (n, tracks, positions), each profile adds up to 1
    log_counts  float64 (n, tracks): predicted log(1 + total count)
    tracks      their names
    """

    table: pd.DataFrame
    profiles: NDArray[np.float32]
    log_counts: NDArray[np.float64]
    tracks: tuple[str, ...]

    def of_ids(self, ids: Collection[str]) -> "ProfilePredictions":
        """The predictions with these ids, in their order."""
        rows = np.flatnonzero(self.table["id"].isin(list(ids)))
        table = self.table.iloc[rows].reset_index(drop=True)
        return ProfilePredictions(table, self.profiles[rows], self.log_counts[rows], self.tracks)


def check_profile_examples(
    examples: ProfileExamples, source: str | Path = "examples"
) -> ProfileExamples:
    """Return `examples` if they keep the contract, else raise InputError naming `source` and a column or record."""
    table, counts = examples.table, examples.counts
    check_columns(table, PROFILE_EXAMPLE_COLUMNS, source)
    check_ids_and_splits(table, source)
    lengths = table["sequence"].str.len()
    expected = (len(table), len(examples.tracks), int(lengths.iloc[0]))
    if not examples.tracks or counts.shape != expected:
        raise InputError(
            f"{source}: counts of shape {counts.shape}, expected {expected}: sequences, tracks (at least one),"
            " nucleotides"
        )
    refuse(
        source, table["id"], lengths != lengths.iloc[0], f"sequence is not of {lengths.iloc[0]} nt"
    )
    check_sequences(table, source)
    if not np.issubdtype(counts.dtype, np.integer):
        raise InputError(f"{source}: counts must be whole numbers, found {counts.dtype}")
    refuse(source, table["id"], (counts < 0).any(axis=(1, 2)), "counts must not be negative")
    return examples


def examples_digest(examples: ProfileExamples) -> str:
    """sha256 of what results depend on: tracks, counts, and id, sequence and split of each row, in their order."""
    digest = hashlib.sha256("\n".join(examples.tracks).encode())
    for column in ("id", "sequence", "split"):
        digest.update(f"\n{column}\n".encode())
        digest.update("\n".join(examples.table[column].astype(str)).encode())
    digest.update(np.ascontiguousarray(examples.counts, dtype=np.int64).tobytes())
    return digest.hexdigest()


def check_profile_predictions(
    predictions: ProfilePredictions, source: str | Path = "predictions"
) -> ProfilePredictions:
    """Return `predictions` if they keep the contract, else raise InputError naming `source` and a column or record."""
    table, profiles, log_counts = predictions[:3]
    check_columns(table, PROFILE_PREDICTION_COLUMNS, source)
    check_ids_and_splits(table, source)
    expected = (len(table), len(predictions.tracks))
    if profiles.shape[:2] != expected or profiles.ndim != 3 or log_counts.shape != expected:
        raise InputError(
            f"{source}: profiles of shape {profiles.shape} and log counts of shape {log_counts.shape} for"
            f" {expected[0]} sequences and {expected[1]} tracks"
        )
    broken = ~np.isfinite(log_counts).all(axis=1) | ~(profiles >= 0).all(axis=(1, 2))
    refuse(source, table["id"], broken, "a prediction is negative or not finite")
    wrong = np.abs(profiles.sum(axis=2, dtype=float) - 1) > TOLERANCE
    refuse(source, table["id"], wrong.any(axis=1), "a profile does not add up to 1")
    return predictions


def write_profile_examples(path: str | Path, examples: ProfileExamples) -> None:
    """Check and write examples as Parquet, atomically; the same rows give the same bytes."""
    check_profile_examples(examples, path)
    table = examples.table
    columns = table[in_order(table, PROFILE_EXAMPLE_COLUMNS)]
    lists = {
        COUNTS + track: _lists(examples.counts[:, i], pa.int32())
        for i, track in enumerate(examples.tracks)
    }
    _write(path, columns, lists)


def read_profile_examples(path: str | Path, splits: Sequence[str] | None = None) -> ProfileExamples:
    """Read and check examples, optionally of some splits only."""
    table, arrays, tracks = _read(path, splits, COUNTS)
    counts = np.stack([arrays[COUNTS + track] for track in tracks], axis=1).astype(np.int64)
    return check_profile_examples(ProfileExamples(table, counts, tracks), path)


def write_profile_predictions(path: str | Path, predictions: ProfilePredictions) -> None:
    """Check and write predictions as Parquet, atomically; the same rows give the same bytes."""
    check_profile_predictions(predictions, path)
    columns: dict[str, pa.Array] = {}
    for i, track in enumerate(predictions.tracks):
        columns[PROFILE + track] = _lists(predictions.profiles[:, i], pa.float32())
        columns[LOG_COUNT + track] = pa.array(predictions.log_counts[:, i], pa.float64())
    _write(path, predictions.table[list(PROFILE_PREDICTION_COLUMNS)], columns)


def read_profile_predictions(
    path: str | Path, splits: Sequence[str] | None = None
) -> ProfilePredictions:
    """Read and check predictions, optionally of some splits only."""
    table, arrays, tracks = _read(path, splits, PROFILE)
    check_columns(table, [LOG_COUNT + track for track in tracks], path)
    profiles = np.stack([arrays[PROFILE + track] for track in tracks], axis=1)
    log_counts = np.stack([table.pop(LOG_COUNT + track).to_numpy() for track in tracks], axis=1)
    predictions = ProfilePredictions(table, profiles.astype(np.float32), log_counts, tracks)
    return check_profile_predictions(predictions, path)


def _lists(rows: NDArray[Any], kind: pa.DataType) -> pa.ListArray:
    """The rows (n, positions) as one list each."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, pa.array(rows.ravel(), kind))


def _write(path: str | Path, columns: pd.DataFrame, more: dict[str, pa.Array]) -> None:
    table = pa.Table.from_pandas(columns, preserve_index=False)
    for name, values in more.items():
        table = table.append_column(name, values)
    write_parquet(path, table)


def _read(
    path: str | Path, splits: Sequence[str] | None, prefix: str
) -> tuple[pd.DataFrame, dict[str, NDArray[Any]], tuple[str, ...]]:
    """Plain columns; the list columns that begin with `prefix` as arrays (n, positions); the tracks they name."""
    filters = None if splits is None else [("split", "in", list(splits))]
    table = read_arrow(path, filters=filters)
    names = [name for name in table.column_names if name.startswith(prefix)]
    if not names:
        raise InputError(
            f"{path}: no column {prefix}<track>; found {', '.join(table.column_names)}"
        )
    if not table.num_rows:
        raise InputError(f"{path}: no rows{'' if splits is None else ' of ' + ', '.join(splits)}")
    arrays = {name: _rectangle(path, name, table.column(name)) for name in names}
    plain = table.drop_columns(names).to_pandas()
    return plain, arrays, tuple(name.removeprefix(prefix) for name in names)


def _rectangle(path: str | Path, name: str, column: pa.ChunkedArray) -> NDArray[Any]:
    lists = column.combine_chunks()
    lengths = lists.value_lengths().to_numpy(zero_copy_only=False)
    if lists.null_count or (lengths != lengths[0]).any():
        raise InputError(f"{path}: column {name!r}: lists are missing or of several lengths")
    return lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)
