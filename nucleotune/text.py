"""Opening text as users have it: plain or gzip, from a file or a pipe, with any line end, with or without a BOM.

Every reader of outside text goes through here, so that what one of them bears all of them bear. A file is opened once
and read forward only: a pipe (`<(zcat x.gz)`, `/dev/stdin`) and `-`, the standard input, serve wherever a file does.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nucleotune.bounds import most_unpacked, unpacks_to_too_much
from nucleotune.errors import InputError

STDIN = "-"

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def open_binary(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file, plain or gzip by its first bytes, for reading bytes; `-` is the standard input.

    Raises InputError for what is missing, no file or not readable, and, also while the caller reads, for a damaged gzip
    stream and one that unpacks to more than allowed (`nucleotune.bounds`).
    """
    try:
        with _opened(path) as file:
            first = _read_fully(file, len(_GZIP))
            stream = _rewound(file, first)
            if first == _GZIP:
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    yield io.BufferedReader(_Bounded(path, unpacked), 1 << 18)
            else:
                yield stream
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: a directory; expected a file") from error
    except PermissionError as error:
        raise InputError(f"{path}: no permission to read it") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged gzip file ({error}); fetch or copy it again") from error


@contextmanager
def open_text(path: str | Path) -> Iterator[BinaryIO]:
    r"""Open a text file for reading bytes in which every line ends in `\n` and no byte order mark is left.

    The bytes are not decoded: readers that count or compile work on them. Raises InputError as `open_binary`, and for
    UTF-16.
    """
    with open_binary(path) as stream:
        first = _read_fully(stream, len(_BOM))
        if first[:2] in _UTF16:
            raise InputError(f"{path}: UTF-16 text; save it as UTF-8")
        yield io.BufferedReader(_UnixLines(b"" if first == _BOM else first, stream), 1 << 20)


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 text file with their numbers from 1 on, without line ends.

    Only LF, CRLF and CR end a line: a form feed or U+2028 in a name is a letter as any other. Raises InputError as
    `open_text`, and for text that is not UTF-8.
    """
    with open_text(path) as stream:
        number, line = 0, b""
        try:
            for number, line in enumerate(stream, start=1):  # noqa: B007
                # \x1a: end-of-file mark of old DOS editors.
                yield number, line.decode().rstrip("\n\x1a")
        except UnicodeDecodeError as error:
            raise _not_utf8(path, number, line[error.start]) from error


def read_rows(path: str | Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a table of ours: where each stands, for messages, and its cells by column.

    Tab separated; empty lines and those that begin with `#` do not count. Raises InputError where the first other line
    is not the header `columns`, or a row has more or fewer cells.
    """
    header_seen = False
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        where, cells = f"{path}: line {number}", [cell.strip() for cell in line.split("\t")]
        if not header_seen and cells != list(columns):
            raise InputError(
                f"{where}: expected the tab-separated header {' '.join(columns)}, found {line!r}"
            )
        if len(cells) != len(columns):
            raise InputError(
                f"{where}: expected {len(columns)} tab-separated columns, found {len(cells)}"
            )
        if header_seen:
            yield where, dict(zip(columns, cells, strict=True))
        header_seen = True


def read_text(path: str | Path) -> str:
    r"""The whole of a UTF-8 text file, with `\n` at line ends; InputError as `read_lines`."""
    with open_text(path) as stream:
        data = stream.read()
    try:
        return data.decode().rstrip("\x1a")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise _not_utf8(path, number, data[error.start]) from error


def _not_utf8(path: str | Path, line: int, byte: int) -> InputError:
    return InputError(
        f"{path}: line {line}: not UTF-8 text (byte 0x{byte:02x}); save the file as UTF-8"
    )


@contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    """The next `size` bytes, or all that are left; a pipe may give them one at a time."""
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _rewound(file: BinaryIO, first: bytes) -> BinaryIO:
    """The stream from its beginning, of which `first` was read."""
    if file.seekable():
        file.seek(-len(first), io.SEEK_CUR)
        return file
    return io.BufferedReader(_Prefixed(first, file), 1 << 16)


class _Prefixed(io.RawIOBase):
    """`first`, then the rest of a stream."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._first, self._stream = first, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        return self._stream.read(size)


class _Bounded(_Prefixed):
    """An unpacked stream that ends with an InputError where it is larger than allowed."""

    def __init__(self, path: str | Path, stream: BinaryIO) -> None:
        super().__init__(b"", stream)
        self._path, self._most, self._size = path, most_unpacked(), 0

    def _next(self, size: int) -> bytes:
        data = self._stream.read1(size)
        self._size += len(data)
        if self._size > self._most:
            raise InputError(f"{self._path}: {unpacks_to_too_much()}")
        return data


class _UnixLines(_Prefixed):
    r"""The same with `\n` for `\r\n` and `\r`."""

    _after_return = False

    def _next(self, size: int) -> bytes:
        while data := super()._next(size):
            if self._after_return and data[:1] == b"\n":
                data = data[1:]
                self._after_return = False
                if not data:
                    continue
            self._after_return = data[-1:] == b"\r"
            if b"\r" in data:
                data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            return data
        return b""
