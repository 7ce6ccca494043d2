"""What happens to text files on their way: how they are packed, saved, cut and edited; and their slow reading."""

import gzip
import random
import re
import zlib
from collections.abc import Sequence

#: Cells that tables hold where nobody expected them.
ODD_CELLS = (
    *("", " ", "NA", "nan", "inf", "-inf", "-1", "-100", "0", "01", "1e1", "1.0", "4.5", "1e25", "1e300"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551615", "1_000", "+5", "0x10", " 7 "),
    *('"', '"quoted"', "'", "a b", "chr1", "1.10", "1.1", "=1+1", "\u00fc", "\u2028", "\u0661", "\x0c", "\x00"),
    *(".", "-", "+", "*", "True", "x" * 300),
)  # fmt: skip


def sometimes(rng: random.Random, share: float) -> bool:
    return rng.random() < share


def edit_cells(rng: random.Random, rows: list[list[str]], share: float = 0.3) -> None:
    """With a probability of `share`: put an odd cell in a row, leave one out, add one, or repeat a row; in place."""
    while rows and sometimes(rng, share):
        row = rng.choice(rows)
        at = rng.randrange(len(row) + 1)
        kind = rng.randrange(5)
        if kind == 0 and row:
            del row[min(at, len(row) - 1)]
        elif kind == 1:
            row.insert(at, rng.choice(ODD_CELLS))
        elif kind == 2:
            rows.insert(rng.randrange(len(rows) + 1), list(row))
        elif row:
            row[min(at, len(row) - 1)] = rng.choice(ODD_CELLS)


def edit_lines(rng: random.Random, lines: list[str], extra: Sequence[str] = ()) -> None:
    """Trailing tabs and blanks, blank lines, a line of `extra`, lines lost or cut; in place."""
    while sometimes(rng, 0.3):
        at = rng.randrange(len(lines) + 1)
        kind = rng.randrange(8)
        if kind == 0 or not lines:
            lines.insert(at, rng.choice(("", " ", "\t", *extra)))
        elif kind == 1 and extra:
            lines.insert(at, rng.choice(extra))
        elif kind == 2:
            at = min(at, len(lines) - 1)
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        elif kind == 3 and sometimes(rng, 0.3):
            del lines[min(at, len(lines) - 1)]
        elif kind == 4:
            end = rng.choice(("\t", "\t\t", " "))
            lines[:] = [line + end for line in lines]
        else:
            lines[min(at, len(lines) - 1)] += rng.choice(("\t", "\t\t", " "))


def pack(rng: random.Random, text: str) -> bytes:
    """A text as some editor, system or transfer leaves it."""
    if sometimes(rng, 0.02):
        return rng.choice((b"", b"\n", b"\xef\xbb\xbf", b"\x1f\x8b", b"\x1f", b"\r", b" "))
    if sometimes(rng, 0.25):
        text = text.replace("\n", rng.choice(("\r\n", "\r\n", "\r")))
    if sometimes(rng, 0.1):
        text = text.rstrip("\r\n") + rng.choice(("", "", "\x1a"))
    encoding = "utf-8-sig" if sometimes(rng, 0.15) else "utf-8"
    data = text.encode("utf-16" if sometimes(rng, 0.01) else encoding)
    if data and sometimes(rng, 0.03):
        at = rng.randrange(len(data))
        data = (
            data[:at] + bytes([rng.choice((0, 0xFF, 0xE9, 0x80))]) + data[at + rng.randrange(2) :]
        )
    if sometimes(rng, 0.15):
        data = gzip.compress(data, 1)
        if sometimes(rng, 0.25):
            data = _damage(rng, data)
    return data


def _damage(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(2, len(data))
    kind = rng.randrange(3)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data + b"garbage"
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def plain_lines(data: bytes, encoding: str = "utf-8") -> list[str] | None:
    """The lines of a file by their slow reading, without line ends; None for what is no text, plain or gzip."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(encoding)
    except UnicodeDecodeError:
        return None
    lines = re.split("\r\n|\r|\n", text)
    if lines[-1] == "":
        lines.pop()
    return [line.rstrip("\x1a") for line in lines]


def number(text: str) -> float | None:
    """The finite number that a text says in plain digits."""
    digits = "0123456789"
    if not text or set(text) - set(digits + "+-.eE") or not set(text) & set(digits):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def whole(text: str, least: int = 0, most: int = 10**15) -> int | None:
    """The whole number that a text says, if it is one from `least` to `most`."""
    value = number(text)
    if value is None or value != value // 1 or not least <= value <= most:
        return None
    return int(value)


def table_cells(line: str, separator: str) -> list[str]:
    """Cells of a line, character by character: quotes around all of a cell go, and hold commas between commas."""
    cells, at = [], 0
    while at <= len(line):
        end = line.find(separator, at)
        end = len(line) if end < 0 else end
        cell = line[at:end].strip(" \t")
        start = at
        while start < len(line) and line[start].isspace():
            start += 1
        if separator == "," and line[start : start + 1] == '"':
            text, i = "", start + 1
            while i < len(line) and (line[i] != '"' or line[i : i + 2] == '""'):
                text += line[i]
                i += 2 if line[i] == '"' else 1
            after = i + 1
            while after < len(line) and line[after].isspace():
                after += 1
            if i < len(line) and (after == len(line) or line[after] == ","):
                cell, end = text.strip(" \t"), after
        elif separator != "," and len(cell) > 1 and cell[0] == cell[-1] == '"':
            cell = cell[1:-1].replace('""', '"').strip(" \t")
        cells.append(cell)
        at = end + 1
    return cells


def table_rows(lines: list[str], names: list[str], separator: str) -> list[dict[str, str]] | None:
    """Records as dicts; None where one has more or fewer cells than there are names."""
    rows = []
    for line in lines:
        cells = [cell.replace("\x1f", " ").strip(" \t") for cell in table_cells(line, separator)]
        if len(cells) < len(names) or any(cells[len(names) :]):
            return None
        rows.append(dict(zip(names, cells, strict=False)))
    return rows


def table_header(line: str, separator: str) -> list[str] | None:
    """Names of columns; None where one occurs twice."""
    names = table_cells(line, separator)
    while names and not names[-1]:
        names.pop()
    return names if len(set(names)) == len(names) else None


def bed_rows(data: bytes) -> list[list[str]] | None:
    """Records of a BED-like file, each as wide as the first; None where there is none or one is not."""
    lines = plain_lines(data)
    if lines is None:
        return None
    lines = [
        line
        for line in lines
        if line.strip() and line[0] != "#" and line.split()[0] not in ("track", "browser")
    ]
    if not lines:
        return None
    if "\t" not in lines[0].strip(" \t"):
        lines = [re.sub("[ \t]+", "\t", line.strip(" \t")) for line in lines]
    width = len(lines[0].strip(" \t").split("\t"))
    rows = table_rows(lines, list(map(str, range(width))), "\t")
    return rows and [list(row.values()) for row in rows]
