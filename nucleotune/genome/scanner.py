"""The lines of a GTF or GFF3 file in columns, compiled: one pass over the bytes, every text kept once.

An annotation says the same few hundred thousand words millions of times, so a text becomes a number (its code) as soon
as it is met, and no object is made per line. Block after block is unpacked in a second thread and then forgotten, so
memory goes with the number of rows and of distinct texts, not with the size of the file.

The formats: nine columns between tabs. In GTF the last holds `key "value";` with some values unquoted and `;` allowed
between quotes; in GFF3 (version 1.26 of the specification) it holds `key=value;`. Lines that are empty or begin with #
carry no feature; `##FASTA` in GFF3 ends them.
"""

import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from nucleotune.errors import InputError
from nucleotune.genome.strings import StringTable, intern, same
from nucleotune.text import open_text

STRANDS = ("+", "-", ".")

_BLOCK = 1 << 24  # bytes

#: What a code of `_scan` says was expected, in the order of the codes from 1 on.
_EXPECTED = (
    "nine tab-separated columns",
    "start and end as whole numbers with 1 <= start <= end in columns 4 and 5",
    "a strand (+, -, . or ?) in column 7",
    "attributes of the form {form} in column 9",
)


class Features(NamedTuple):
    """The n features of a file, in file order.

    gff3        whether the file is GFF3, not GTF
    start, end  int64 (n,), 0-based half-open
    strand      int8 (n,), index into STRANDS
    codes       int32 (n,) by name: index into `strings`, or -1 where a feature has no such attribute
    strings     every text once
    """

    gff3: bool
    start: np.ndarray
    end: np.ndarray
    strand: np.ndarray
    codes: dict[str, np.ndarray]
    strings: pa.LargeStringArray


def scan(
    path: str | Path,
    *,
    gtf: dict[str, Sequence[str]],
    gff3: dict[str, Sequence[str]],
    joined: str,
) -> Features:
    """Read the features of a GTF or GFF3 file, plain or gzip, with some of their attributes.

    Which of the formats it is follows from the first lines, not from the name; the file is opened once.

    Args:
        path: the file.
        gtf: if it is GTF, keys of column 9 by the name their value gets in `codes`; of several keys, or of a key that
            is repeated, the first value counts. Columns 1 and 3 are in `codes` as `seqname` and `feature`.
        gff3: the same if it is GFF3.
        joined: the one of these names of which all values are kept, joined by ";" (GFF3 lists them with commas).

    Raises InputError for a line that is not of the format (file, line, what was expected), text that is not UTF-8, and
    a damaged gzip stream.
    """
    blocks = _blocks(path)
    is_gff3, read = _form(path, blocks)
    attributes = gff3 if is_gff3 else gtf
    names = ("seqname", "feature", *attributes)
    keys = [(key, names.index(name)) for name, keys in attributes.items() for key in keys]
    wanted = (
        np.frombuffer("".join(key for key, _ in keys).encode(), np.uint8),
        np.cumsum([0, *(len(key) for key, _ in keys)]),
        np.array([slot for _, slot in keys]),
        names.index(joined),
    )
    table, parts, lines_before = StringTable(), [], 0
    for text in chain(read, blocks):
        line_ends = np.flatnonzero(text == ord("\n"))
        n = len(line_ends)
        table.reserve(strings=n * len(names), size=len(text))
        columns = (
            *np.empty((2, n), np.int64),
            np.empty(n, np.int8),
            np.full((len(names), n), -1, np.int32),
        )
        rows, lines, wrong, finished = _scan(
            text, line_ends, is_gff3, *wanted, np.empty_like(text), *table.arrays, *columns
        )
        if wrong:
            form = "key=value;" if is_gff3 else 'key "value";'
            line = text.tobytes().split(b"\n")[lines - 1].decode(errors="replace")
            raise InputError(
                f"{path}: line {lines_before + lines}: expected {_EXPECTED[wrong - 1].format(form=form)},"
                f" found {line[:200]!r}"
            )
        parts.append([column[..., :rows] for column in columns])
        lines_before += lines
        if finished:
            break
    try:
        strings = table.to_arrow()
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not UTF-8 text ({error}); expected GTF or GFF3") from error
    starts, ends, strands, codes = zip(*parts, strict=True)
    return Features(
        is_gff3,
        *map(np.concatenate, (starts, ends, strands)),
        {name: np.concatenate([part[i] for part in codes]) for i, name in enumerate(names)},
        strings,
    )


def _form(path: str | Path, blocks: Iterator[np.ndarray]) -> tuple[bool, list[np.ndarray]]:
    """Whether the attributes of the first feature are written `key=value`, as in GFF3; and the blocks read for it."""
    read, number = [], 0
    for block in blocks:
        read.append(block)
        for line in io.BytesIO(block):
            number += 1
            if line.startswith(b"##gff-version") and line.split()[-1].startswith(b"3"):
                return True, read
            if line.strip() and not line.startswith(b"#"):
                attributes = line.split(b"\t", 8)[-1].strip()
                if match := re.match(rb"[^\s=;]+(=|\s+\S)", attributes):
                    return match[1] == b"=", read
                raise InputError(
                    f"{path}: line {number}: expected nine tab-separated columns, the last with attributes of the form"
                    f' key "value"; (GTF) or key=value; (GFF3), found {line[:200].decode(errors="replace")!r}'
                )
    raise InputError(f"{path}: no features; expected GTF or GFF3")


def _blocks(path: str | Path) -> Iterator[np.ndarray]:
    """The bytes of a file as uint8 arrays of whole lines; the next is read while one is used."""
    rest = b""
    with open_text(path) as stream, ThreadPoolExecutor(1) as reader:
        following = reader.submit(stream.read, _BLOCK)
        while block := following.result():
            following = reader.submit(stream.read, _BLOCK)
            end = block.rfind(b"\n") + 1
            if end:
                yield np.frombuffer(rest + block[:end], np.uint8)
                rest = b""
            rest += block[end:]
    rest = rest.rstrip(b"\x1a")  # end-of-file mark of old DOS editors
    if rest:
        yield np.frombuffer(rest + b"\n", np.uint8)


_TAB, _BLANK, _QUOTE, _HASH, _DOT, _COMMA, _SEMICOLON, _EQUALS, _RETURN = b'\t "#.,;=\r'
_PLUS, _MINUS, _UNKNOWN, _ZERO, _NINE = b"+-?09"
_END_OF_FEATURES = np.frombuffer(b"##FASTA", np.uint8)


@njit(cache=True, nogil=True)
def _number(text, begin, end):  # pragma: no cover (compiled)
    """The whole number written in text[begin:end], or -1."""
    if begin == end or end - begin > 18:
        return -1
    value = 0
    for i in range(begin, end):
        if text[i] < _ZERO or text[i] > _NINE:
            return -1
        value = 10 * value + text[i] - _ZERO
    return value


@njit(cache=True, nogil=True)
def _after_blanks(text, at, end):  # pragma: no cover (compiled)
    while at < end and (text[at] == _BLANK or text[at] == _TAB):
        at += 1
    return at


@njit(cache=True, nogil=True)
def _find_value(text, at, end, gff3):  # pragma: no cover (compiled)
    """Begin and end of the value of the key that ends at `at`, and where to read on; (0, 0, -1) if there is none."""
    begin = at + 1 if gff3 else _after_blanks(text, at, end)
    if gff3:
        if at == end or text[at] != _EQUALS:
            return 0, 0, -1
    elif begin == at or begin == end or text[begin] == _SEMICOLON:  # noqa: SIM109 (compiled)
        return 0, 0, -1
    elif text[begin] == _QUOTE:  # the closing quote is that before the end or a semicolon
        for i in range(begin + 1, end):
            if text[i] == _QUOTE:
                after = _after_blanks(text, i + 1, end)
                if after == end or text[after] == _SEMICOLON:
                    return begin + 1, i, after
        return 0, 0, -1
    after = begin
    while after < end and text[after] != _SEMICOLON:
        after += 1
    stop = after
    while stop > begin and text[stop - 1] == _BLANK:
        stop -= 1
    return begin, stop, after


@njit(cache=True, nogil=True)
def _scan(
    text, line_ends, gff3, key_text, key_bounds, key_slots, joined_slot, joined,
    slots, hashes, offsets, pool, count, start, end, strand, codes,
):  # fmt: skip  # pragma: no cover (compiled)
    """Fill in the features of whole lines of `text`.

    Returns the number of features, of lines read, what was wrong (0: nothing; else the number of the last line read is
    that of the wrong one), and whether the features end here. `joined` is room for as many bytes as `text` has.
    """
    ends = np.empty(8, np.int64)
    row, spare, stop = 0, np.int64(0), -1
    for line in range(len(line_ends)):
        begin, stop = stop + 1, line_ends[line]
        last = stop - 1 if stop > begin and text[stop - 1] == _RETURN else stop
        if text[begin] == _HASH:
            if last - begin >= 7 and same(text, begin, begin + 7, _END_OF_FEATURES, 0, 7):
                return row, line + 1, 0, True
            continue
        if _after_blanks(text, begin, last) == last:
            continue

        # The first eight columns.
        at = begin
        for column in range(8):
            while at < last and text[at] != _TAB:
                at += 1
            if at == last:
                return row, line + 1, 1, True
            ends[column] = at
            at += 1
        start[row] = _number(text, ends[2] + 1, ends[3]) - 1
        end[row] = _number(text, ends[3] + 1, ends[4])
        if start[row] < 0 or end[row] <= start[row]:
            return row, line + 1, 2, True
        sign = text[ends[5] + 1]
        strand[row] = 0 if sign == _PLUS else 1 if sign == _MINUS else 2
        known = strand[row] < 2 or sign == _DOT or sign == _UNKNOWN  # noqa: SIM109 (compiled)
        if ends[6] - ends[5] != 2 or not known:
            return row, line + 1, 3, True
        for slot, first, after in ((0, begin, ends[0]), (1, ends[1] + 1, ends[2])):
            hint = codes[slot, row - 1] if row else -1
            codes[slot, row] = intern(text, first, after, hint, slots, hashes, offsets, pool, count)

        # The attributes.
        spare_begin = spare
        while last > at and (text[last - 1] == _TAB or text[last - 1] == _BLANK):  # noqa: SIM109 (compiled)
            last -= 1
        if gff3 and last - at == 1 and text[at] == _DOT:
            at = last
        while True:
            while at < last and (text[at] == _SEMICOLON or text[at] == _BLANK):
                at += 1
            if at == last:
                break
            key = at
            while at < last and text[at] != _BLANK and text[at] != _SEMICOLON:
                if gff3 and text[at] == _EQUALS:
                    break
                at += 1
            key_end = at
            first, after, at = _find_value(text, at, last, gff3)
            if at < 0:
                return row, line + 1, 4, True
            slot = -1
            for k in range(len(key_slots)):
                if same(text, key, key_end, key_text, key_bounds[k], key_bounds[k + 1]):
                    slot = key_slots[k]
                    break
            if slot < 0 or first == after:
                continue
            if slot == joined_slot:
                if spare > spare_begin:
                    joined[spare] = _SEMICOLON
                    spare += 1
                for i in range(first, after):
                    listed = gff3 and text[i] == _COMMA
                    joined[spare] = _SEMICOLON if listed else text[i]
                    spare += 1
            elif codes[slot, row] < 0:
                hint = codes[slot, row - 1] if row else -1
                codes[slot, row] = intern(
                    text, first, after, hint, slots, hashes, offsets, pool, count
                )
        if spare > spare_begin:
            hint = codes[joined_slot, row - 1] if row else -1
            codes[joined_slot, row] = intern(
                joined, spare_begin, spare, hint, slots, hashes, offsets, pool, count
            )
        row += 1
    return row, len(line_ends), 0, False
