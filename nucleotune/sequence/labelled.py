"""Tables of sequences and labels: rows of a CSV file, and what they have in common with other separators.

Standard library only: the Snakefile looks at headers before the first job.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from nucleotune.errors import InputError
from nucleotune.text import read_lines

#: Names of the two columns, in any case.
SEQUENCE_NAMES = ("sequence", "seq", "sequences")
LABEL_NAMES = ("label", "labels", "class", "target")


def find_columns(header: Sequence[str]) -> tuple[int, int] | None:
    """Places of sequence and label in a header of these two columns, in either order; None where it has others."""
    names = [name.strip().lower() for name in header]
    if len(names) == 2:
        for sequence, label in ((0, 1), (1, 0)):
            if names[sequence] in SEQUENCE_NAMES and names[label] in LABEL_NAMES:
                return sequence, label
    return None


def read_label(text: str) -> int:
    """0 or 1; ValueError for anything else, the caller knows file and line."""
    if text.strip(" ") not in ("0", "1"):
        raise ValueError(f"label {text[:40]!r}; expected 0 or 1")
    return int(text)


def shown(text: str) -> str:
    """A text as shown in a message: its beginning, invisible characters escaped."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def read_rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Line and cells (sequence, label) of each row of a CSV file with these columns; blank lines are none.

    Quotes enclose a cell, and never more than one line. Raises InputError for another header or number of cells.
    """
    columns: tuple[int, int] | None = None
    for line, cells in _cells(path):
        if columns is None:
            columns = _columns(path, cells)
        elif len(cells) != 2:
            raise InputError(
                f"{path}: line {line}: {len(cells)} fields where the header has 2; expected a sequence and a"
                " label separated by a comma"
            )
        else:
            yield line, [cells[i] for i in columns]
    if columns is None:
        _columns(path, [])


def check_header(path: str | Path) -> None:
    """Raise InputError unless the header of a CSV file is that of sequences and labels."""
    _columns(path, next(_cells(path), (0, []))[1])


def _columns(path: str | Path, header: Sequence[str]) -> tuple[int, int]:
    columns = find_columns(header)
    if columns is None:
        others = ", ".join(SEQUENCE_NAMES[1:] + LABEL_NAMES[1:])
        found = shown(",".join(header)) if header else "an empty file"
        page = header and header[0].lstrip().startswith("<")
        raise InputError(
            f"{path}: expected the header '{SEQUENCE_NAMES[0]},{LABEL_NAMES[0]}' (or {others}), found {found}"
            + "; this is an HTML page, not a table" * bool(page)
        )
    return columns


def _cells(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of the lines that are not blank."""
    for number, line in read_lines(path):
        line = line.rstrip("\t ")
        if not line:
            continue
        if '"' not in line:
            yield number, line.split(",")
            continue
        try:
            yield number, next(csv.reader([line], strict=True))
        except csv.Error as error:
            raise InputError(f"{path}: line {number}: broken quotes ({error})") from error
