"""Rows of a user's files: one table of texts, with file and line of each, whatever the form they come in.

Columns: `path`, `line` (of a Parquet file: the row, from 1), `id`, `group`, `split`, `label_<n>` (texts as they stand,
"" where there is none), and of sequences `sequence`; of places, and where they are named, `seqname`, `start`, `end`
(0-based half-open, int64) and `strand`.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nucleotune.delimited import blanks_to_tabs, read_table, records, split_cells, whole_numbers
from nucleotune.errors import InputError, did_you_mean
from nucleotune.genome.contigs import MAX_UNKNOWN, rename_contigs
from nucleotune.genome.genome_file import open_genome
from nucleotune.genome.windows import with_sequences
from nucleotune.sequence.fasta import read_letters
from nucleotune.sequence.labelled import shown
from nucleotune.studies.task.plugin import BED, PLACE, label_columns

#: What may stand between the cells of a table; the first of them that the header has.
SEPARATORS = "\t,;"

_SEQUENCE = re.compile("[ACGTUNacgtun]{20,}")


def read_rows(files: Mapping[str, str | Path], task: Mapping[str, Any]) -> pd.DataFrame:
    """All rows of a task, in the order of its `entries` (`plan.computed_task`) and files.

    files: key of an entry -> path. Raises InputError for a file that is not of the task's form, a column that is not
    there, a place that is none, a part that has no meaning and an id that comes twice.
    """
    parts = []
    for key, entry in task["entries"].items():
        table = read_file(files[key], task)
        if entry["class"] is not None:
            table["label_0"] = entry["class"]
        if entry["test"] is not None:
            table["split"] = f"test-{entry['test']}"
        elif entry["split"] is not None:
            table["split"] = entry["split"]
        elif task["split"]["by"] == "given":
            table["split"] = _parts(table, task)
        else:
            table["split"] = ""
        unit = "row" if task["format"] == "parquet" else "line"
        prefix = f"{unit}-" if len(task["entries"]) == 1 else f"{key}:{unit}-"
        numbered = prefix + table["line"].astype(str)
        named = f"{entry['test']}:" + table["id"] if entry["test"] else table["id"]
        parts.append(table.assign(id=named.where(table["id"] != "", numbered)))
    table = pd.concat(parts, ignore_index=True)
    repeated = table["id"].duplicated()
    if repeated.any():
        row = table[repeated].iloc[0]
        first = table[table["id"] == row["id"]].iloc[0]
        raise InputError(
            f"{where(row, task)}{_column(task, 'id')}: id {shown(row['id'])} is that of {where(first, task)}, too; ids"
            " are unique: name another column under columns.id, or leave the key out"
        )
    return table


def read_file(path: str | Path, task: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of one file, as the module says, but with `id` and `split` as they stand."""
    if task["format"] == "fasta":
        return _of_fasta(path, task)
    if task["format"] == "bed":
        return _of_bed(path, task)
    table = read_parquet_texts(path) if task["format"] == "parquet" else read_texts(path)
    columns = task["columns"]
    labels = label_columns(task)
    named = {key: name for key, name in columns.items() if key != "label" and name is not None}
    for key, name in [*named.items(), *(("label", name) for name in labels)]:
        if name not in table:
            hint = did_you_mean(name, list(table), f"it has {', '.join(table)}")
            raise InputError(f"{path}: no column {name!r} (columns.{key}); {hint}")
    found = {key: table[name] for key, name in named.items()}
    found |= {f"label_{n}": table[name] for n, name in enumerate(labels)}
    return _finished(path, table.index, found, task, first=task["first"])


def read_texts(path: str | Path) -> pd.DataFrame:
    """Read a TSV or CSV file as columns of texts; index: the number of each record's line.

    Raises InputError as `read_table`, for a file without records and for one without a header line.
    """
    table = read_table(path, SEPARATORS)
    for name in table.columns:
        if _SEQUENCE.fullmatch(name):
            raise InputError(
                f"{path}: line 1 holds a sequence ({shown(name)}), not the names of columns; put a header line above"
                " it, such as sequence<TAB>label"
            )
    if table.empty:
        raise InputError(f"{path}: no rows below the header line; expected one a sequence")
    return table


def read_parquet_texts(path: str | Path) -> pd.DataFrame:
    """Read a user's Parquet file as columns of texts ("" for null); index: the number of each row, from 1."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise InputError(f"{path}: not readable as Parquet ({reason})") from error
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        try:
            texts = pc.fill_null(column.cast(pa.large_string()), "")
        except (pa.ArrowException, NotImplementedError):
            continue  # lists, structures: nothing that a task reads
        columns[name] = pc.utf8_trim(texts, " \t\n").to_pandas()
    if not table.num_rows:
        raise InputError(f"{path}: no rows; expected one a sequence")
    return pd.DataFrame(columns).set_axis(pd.RangeIndex(1, table.num_rows + 1))


def where(row: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """File and line of a row, for messages."""
    return f"{row['path']}: {'row' if task['format'] == 'parquet' else 'line'} {row['line']}"


def cut_sequences(
    table: pd.DataFrame, genome: str | Path, task: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of places with the `sequence` of each, and how many were left out: `unknown_contig`, `off_contig`.

    Sequences run 5' to 3' on the strand of the place. Raises InputError where more than a tenth of the places lie on
    contigs that the genome has not, or beyond their ends: data and genome are then of different assemblies.
    """
    if task["window"]:
        start = (table["start"] + table["end"]) // 2 - task["window"] // 2
        table = table.assign(start=start, end=start + task["window"])
    source = ", ".join(dict.fromkeys(map(str, table["path"])))
    with open_genome(genome) as fasta:
        kept, unknown = rename_contigs(table, list(fasta.keys()), source=source, genome=genome)
        kept = kept.assign(seqname=kept["seqname"].astype(str))
        lengths = kept["seqname"].map({one.name: len(one) for one in fasta})
        outside = (kept["start"] < 0) | (kept["end"] > lengths)
        if outside.sum() > MAX_UNKNOWN * len(table):
            row = kept[outside].iloc[0]
            raise InputError(
                f"{where(row, task)}: {int(outside.sum())} of {len(table)} places lie beyond the ends of their contigs"
                f" in {genome}, such as {row['seqname']}:{row['start']}-{row['end']}; are they of the same assembly?"
            )
        kept = with_sequences(fasta, kept[~outside])
    counts = {"unknown_contig": sum(unknown.values()), "off_contig": int(outside.sum())}
    return kept.reset_index(drop=True), counts


def _of_fasta(path: str | Path, task: Mapping[str, Any]) -> pd.DataFrame:
    pattern = re.compile(task["header"]) if task["header"] else None
    columns = {key: name or key for key, name in task["columns"].items() if key != "label"}
    labels = label_columns(task)
    lines, cells = [], []
    for header, letters, line in read_letters(path):
        fields: dict[str, str | None] = {"id": header.split(maxsplit=1)[0]}
        if pattern is not None:
            match = pattern.search(header)
            if match is None:
                raise InputError(
                    f"{path}: line {line}: header {shown(header)} does not match the task's pattern 'header'"
                    f" ({task['header']!r}); correct the pattern"
                )
            fields |= match.groupdict()
        lines.append(line)
        row = {key: fields.get(name) or "" for key, name in columns.items()}
        row |= {f"label_{n}": fields.get(name) or "" for n, name in enumerate(labels)}
        cells.append(row | {"sequence": letters})
    table = pd.DataFrame(cells, index=lines)
    empty = [name for name in PLACE if not (table[name] != "").any()]
    return _finished(
        path, table.index, dict(table.drop(columns=empty).items()), task, first=task["first"]
    )


def _of_bed(path: str | Path, task: Mapping[str, Any]) -> pd.DataFrame:
    lines, rows, width = [], [], 0
    for number, line in records(path):
        tabs = "\t" in line.strip(" \t")  # some editors leave tabs at line ends
        cells = split_cells(line if tabs else blanks_to_tabs(line))
        while len(cells) > (width or 3) and not cells[-1]:
            cells.pop()
        if len(cells) < 3 or (width and len(cells) != width):
            expected = f"{width}, as in the lines before" if width else "chromosome, start and end"
            raise InputError(
                f"{path}: line {number}: {len(cells)} columns ({shown(line)}); expected {expected}"
            )
        width = len(cells)
        lines.append(number)
        rows.append(cells)
    if not rows:
        raise InputError(
            f"{path}: no places; expected BED: chromosome, start, end and further columns"
        )
    names = [*BED, *(str(n) for n in range(len(BED) + 1, width + 1))][:width]
    table = pd.DataFrame(rows, columns=names, index=lines)
    asked = {key: task["columns"][key] for key in ("id", "group", "split")}
    asked |= {f"label_{n}": name for n, name in enumerate(label_columns(task))}
    for name in filter(None, asked.values()):
        if name not in table:
            raise InputError(
                f"{path}: no column {name!r}; its lines have {width} columns: {', '.join(names)}"
            )
    found = {key: table[name] for key, name in asked.items() if name}
    found |= {name: table[name] for name in PLACE if name in table}
    return _finished(path, table.index, found, task, first=0)


def _finished(
    path: str | Path,
    lines: Iterable[int],
    found: dict[str, pd.Series],
    task: Mapping[str, Any],
    first: int,
) -> pd.DataFrame:
    """The table that the module describes, of columns of texts."""
    table = pd.DataFrame({"path": str(path), "line": list(lines)})
    for key, texts in found.items():
        table[key] = texts.to_numpy(dtype=object)
    for key in ("id", "group", "split"):
        if key not in table:
            table[key] = ""
    if "start" in table:
        _check_places(table, task, first)
    elif "seqname" in table and "strand" not in table:
        table["strand"] = ""
    return table


def _check_places(table: pd.DataFrame, task: Mapping[str, Any], first: int) -> None:
    """Numbers for `start` and `end`, + for a strand that is not given; the first place that is none is an error.

    Rows of sequences may have no place at all: they get "", -1, -1 and "".
    """
    if "strand" not in table:
        table["strand"] = "+"
    nowhere = (table[["seqname", "start", "end"]] == "").all(axis=1) & (task["genome"] is None)
    table["strand"] = table["strand"].replace({"": "+", ".": "+", "1": "+", "-1": "-"})
    table.loc[nowhere, "strand"] = ""
    _refuse(table, ~table["strand"].isin(["+", "-"]) & ~nowhere, "strand", task, "expected + or -")
    _refuse(table, (table["seqname"] == "") & ~nowhere, "seqname", task, "expected a chromosome")
    for key in ("start", "end"):
        numbers, known = whole_numbers(table[key])
        _refuse(table, ~known & ~nowhere, key, task, "expected a position, a whole number")
        table[key] = np.where(nowhere, -1, numbers - first if key == "start" else numbers)
    wrong = ((table["start"] < 0) | (table["end"] <= table["start"])) & ~nowhere
    if wrong.any():
        row = table[wrong].iloc[0]
        raise InputError(
            f"{where(row, task)}: the place from {row['start'] + first} to {row['end']} has no base; positions count"
            f" from {first} (key 'first')"
        )


def _refuse(
    table: pd.DataFrame, wrong: pd.Series, key: str, task: Mapping[str, Any], expected: str
) -> None:
    """Raise InputError for the first row that is `wrong` in column `key`."""
    if wrong.any():
        row = table[wrong].iloc[0]
        raise InputError(
            f"{where(row, task)}{_column(task, key)}: {key} {shown(row[key])}; {expected}"
        )


def _parts(table: pd.DataFrame, task: Mapping[str, Any]) -> pd.Series:
    """Part of each row by the texts of its column."""
    known = {
        name.casefold(): part for part, names in task["split"]["parts"].items() for name in names
    }
    parts = table["split"].str.casefold().map(known)
    if parts.isna().any():
        row = table[parts.isna()].iloc[0]
        raise InputError(
            f"{where(row, task)}{_column(task, 'split')}: {shown(row['split'])} names no part; expected one of"
            f" {', '.join(known)}: add it to split.parts"
        )
    return parts


def _column(task: Mapping[str, Any], key: str) -> str:
    name = task["columns"][key]
    return f", column {name!r}" if name else ""
