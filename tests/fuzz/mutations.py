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
            lines[min(at, len(lines) - 1)] += rng.choice(("\t", "\t\t", " ", "\x1a"))


def pack(rng: random.Random, text: str) -> bytes:
    """A text as some editor, system or transfer leaves it."""
    if sometimes(rng, 0.02):
        return rng.choice((b"", b"\n", b"\xef\xbb\xbf", b"\x1f\x8b", b"\x1f", b"\r", b" "))
    if sometimes(rng, 0.25):
        text = text.replace("\n", rng.choice(("\r\n", "\r\n", "\r")))
    if sometimes(rng, 0.1):
        text = text.rstrip("\r\n")
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


def plain_lines(data: bytes) -> list[str] | None:
    """The lines of a file by their slow reading, without line ends; None for what is no text (UTF-8, plain or gzip)."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError:
        return None
    lines = re.split("\r\n|\r|\n", text)
    if lines[-1] == "":
        lines.pop()
    return [line.rstrip("\x1a") for line in lines]
