"""Tables in text files, every cell of which is a text until somebody asks for a number.

No value is guessed at: a contig called 1.10 or 1e2 keeps its name. A quote joins no two lines, so that one that is
never closed loses no record; a cell that is quoted as a whole loses its quotes. Blanks around cells and empty cells
after the last column do not count.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nucleotune.errors import InputError
from nucleotune.text import read_lines

#: Largest number that is read: far beyond any position or count, and whole in every type that follows.
MOST = 10**15

#: What ends a cell while a table is put together: ASCII's own mark, which no file has.
_END = "\x1f"

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_CELL = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:,|$)|([^,]*)(?:,|$)')


def read_table(path: str | Path, separators: str = "\t,") -> pd.DataFrame:
    """Read a table with a header line: columns of texts by name; the index holds the number of each record's line.

    separators: what may separate cells; the first of them that the header has. Empty lines are passed over. Raises
    InputError for an empty file, a name that occurs twice, and a record with more or fewer cells than the header.
    """
    return table_of(path, ((n, line) for n, line in read_lines(path) if line.strip()), separators)


def table_of(
    path: str | Path, lines: Iterable[tuple[int, str]], separators: str = "\t,"
) -> pd.DataFrame:
    """The same of lines that are no whole file, with their numbers; the first is the header."""
    lines = iter(lines)
    number, header = next(lines, (0, ""))
    if not number:
        raise InputError(f"{path}: the file is empty; expected a header line and records")
    separator = next((one for one in separators if one in header), separators[0])
    names = header_names(path, number, split_cells(header, separator))
    return columns_of(path, lines, names, separator, f"as in the header (line {number})")


def header_names(path: str | Path, line: int, cells: Sequence[str]) -> list[str]:
    """Names of columns, without the empty ones at the end; InputError where one occurs twice."""
    names = list(cells)
    while names and not names[-1]:
        names.pop()
    for name in names:
        if names.count(name) > 1:
            places = ", ".join(str(i + 1) for i, one in enumerate(names) if one == name)
            raise InputError(
                f"{path}: line {line}: columns {places} are all called {name!r}; give each its own name"
            )
    return names


def columns_of(
    path: str | Path,
    lines: Iterable[tuple[int, str]],
    names: Sequence[str],
    separator: str,
    as_in: str,
) -> pd.DataFrame:
    """Records, one per line, as columns of texts; index: numbers of the lines. `as_in` says where the width is from."""
    width, kept, numbers = len(names), [], []
    for number, line in lines:
        if line.count(separator) != width - 1 or '"' in line or _END in line:
            line = _regular(path, number, line, width, separator, as_in)
        else:
            line = line.replace(separator, _END)
        kept.append(line)
        numbers.append(number)
    text = _END.join([*kept, ""])
    del kept
    blanks = " " in text or "\t" in text
    data = np.frombuffer(text.encode(), np.uint8)
    ends = np.flatnonzero(data == ord(_END))
    offsets = np.append(0, ends - np.arange(len(ends))).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data[data != ord(_END)])]
    cells = pa.LargeStringArray.from_buffers(len(ends), buffers[1], buffers[2])
    columns = {}
    for i, name in enumerate(names):
        texts = cells.take(pa.array(np.arange(i, len(ends), width)))
        columns[name] = (pc.utf8_trim(texts, " \t") if blanks else texts).to_pandas()
    table = pd.DataFrame(columns, columns=pd.Index(names, dtype=object), copy=False)
    return table.set_axis(pd.Index(numbers, dtype=np.int64))


def split_cells(line: str, separator: str = "\t") -> list[str]:
    """The cells of a line without blanks around them, and without quotes around all of a cell.

    Between commas, a quoted cell may hold some. A quote that is not closed in the line is a letter.
    """
    if '"' not in line:
        return [cell.strip(" \t") for cell in line.split(separator)]
    if separator != ",":
        return [_unquoted(cell.strip(" \t")) for cell in line.split(separator)]
    cells, at = [], 0
    while at <= len(line):
        match = _CELL.match(line, at)
        quoted = match[1] is not None
        cells.append(match[1].replace('""', '"') if quoted else match[2].strip(" \t"))
        at = match.end() if match[0].endswith(",") else len(line) + 1
    return cells


def blanks_to_tabs(line: str) -> str:
    """The line with one tab for each run of blanks and tabs, and none at its ends."""
    return "\t".join(re.split("[ \t]+", line.strip(" \t")))


def is_note(line: str) -> bool:
    """Whether a line of a BED-like file carries no record: empty, a comment, or for a genome browser."""
    return not line.strip() or line[0] == "#" or line.split(None, 1)[0] in ("track", "browser")


def whole_number(text: str) -> int | None:
    """The whole number that a text says in ASCII (12, +12, 12.0, 1.2e1), None where it says none up to MOST."""
    number = finite_number(text)
    if number is None or abs(number) > MOST or number != int(number):
        return None
    return int(number)


def finite_number(text: str) -> float | None:
    """The number that a text says in ASCII, None where it says none, or one that is not finite."""
    number = float(text) if _NUMBER.fullmatch(text) else np.inf
    return number if np.isfinite(number) else None


def whole_numbers(texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """`whole_number` of n texts: int64 (n,), 0 where there is none; and where there is one, bool (n,)."""
    array = pa.array(texts, pa.large_string())
    plain = pc.match_substring_regex(array, "^[0-9]{1,15}$").to_numpy(zero_copy_only=False)
    numbers, known = np.zeros(len(texts), np.int64), plain.astype(bool)
    numbers[known] = pc.cast(array.filter(pa.array(known)), pa.int64()).to_numpy()
    if not known.all():
        codes, distinct = pd.factorize(texts[~known])
        values = [whole_number(text) for text in distinct]
        numbers[~known] = np.array([value or 0 for value in values], np.int64)[codes]
        known[~known] = np.array([value is not None for value in values])[codes]
    return numbers, known


def records(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a BED-like file that carry a record (`is_note`), with their numbers."""
    return ((number, line) for number, line in read_lines(path) if not is_note(line))


def _unquoted(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _regular(
    path: str | Path, number: int, line: str, width: int, separator: str, as_in: str
) -> str:
    cells = split_cells(line, separator)
    found = len(cells)
    while found > width and not cells[found - 1]:
        found -= 1
    if found != width:
        raise InputError(
            f"{path}: line {number}: expected {width} columns, {as_in}, found {found} ({line[:80]!r})"
        )
    return _END.join(cell.replace(_END, " ") for cell in cells[:width])
