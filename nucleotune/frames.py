"""Tables that pass between stages, as Parquet and as TSV: one place that writes them and one that reads them.

Parquet's pages carry checksums, and they are verified: what has rotted on a disk is seen, not computed with. Neither
of the two quotes: an id is written to the letter, whatever is in it.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nucleotune.errors import InputError
from nucleotune.files import atomic_path, reading

#: Columns of names, which are read as texts whatever they look like: a gene may be called 850289, a motif 1.10.
NAMES = ("id", "method", "against", "motif", "element")


def write_parquet(path: str | Path, table: pd.DataFrame | pa.Table, **options: Any) -> None:
    """Write a table as Parquet, atomically; the same rows give the same bytes. `options` are pyarrow's."""
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True, **options)


def read_arrow(
    path: str | Path, columns: Sequence[str] | None = None, filters: Any = None
) -> pa.Table:
    """Read a Parquet file, or some columns and the rows that pass pyarrow's `filters`.

    Raises InputError for one that is missing, cut off or damaged, also where only its content is.
    """
    columns = None if columns is None else list(columns)
    with reading(path):
        return pq.read_table(
            path, columns=columns, filters=filters, page_checksum_verification=True
        )


def read_parquet(
    path: str | Path, columns: Sequence[str] | None = None, filters: Any = None
) -> pd.DataFrame:
    """`read_arrow` as a DataFrame."""
    table = read_arrow(path, columns, filters)
    with reading(path):
        return table.to_pandas()


def read_metadata(path: str | Path) -> dict[bytes, bytes]:
    """What was written into a Parquet file beside its table. Raises InputError for a damaged one."""
    with reading(path):
        return pq.read_schema(path).metadata or {}


def write_tsv(target: str | Path | TextIO, table: pd.DataFrame, **options: Any) -> None:
    """Write a table as TSV, a path atomically; nothing is quoted. `options` are those of `to_csv`.

    Raises InputError for a text that holds a tab or a line end.
    """
    if isinstance(target, str | Path):
        with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8") as stream:
            return write_tsv(stream, table, **options)
    try:
        table.to_csv(
            target,
            sep="\t",
            index=False,
            quoting=csv.QUOTE_NONE,
            lineterminator="\n",
            **options,
        )
    except csv.Error as error:
        texts = (one for _, column in table.items() for one in column if isinstance(one, str))
        found = next((one for one in texts if any(letter in one for letter in "\t\n\r")), "a name")
        raise InputError(
            f"{found[:80]!r} contains a tab or a line end, which tab-separated tables cannot; remove it from the input"
        ) from error


def read_tsv(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read what `write_tsv` wrote; `options` are those of `read_csv`.

    Raises InputError for one that is missing, empty, cut off or damaged.
    """
    with reading(path):
        if not Path(path).read_bytes().endswith(b"\n"):
            raise ValueError("the last line has no end")
        # An id may be "NA": only an empty field is a missing value.
        missing: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
        texts = {"dtype": dict.fromkeys(NAMES, "str")}
        return pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE, **missing | texts | options)
