"""Writing where a user says: a file, whole or not at all, or a pipe, a device or the standard output.

Every command with `-o` goes through here. What the workflow names itself is written by `nucleotune.files`.
"""

import gzip
import io
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from nucleotune.errors import InputError
from nucleotune.files import atomic_path
from nucleotune.text import STDIN

STDOUT = "-"

#: Names of what is open already. Opened anew, a file behind them would be cut off, or written from its beginning.
_DESCRIPTOR = re.compile(r"/dev/(?P<name>stdout|stderr)|/(?:dev|proc/self)/fd/(?P<number>\d+)")
_STANDARD = {"stdout": 1, "stderr": 2}


def check_output(path: str, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InputError where `open_output` could not write, or would replace one of the `inputs`.

    To be asked before any work is done. `path` is the text that the user gave: a Path has lost the slash at its end.
    """
    if path == STDOUT or _descriptor(path) is not None:
        return
    if path.endswith("/") or Path(path).name in ("", "..") or os.path.isdir(path):
        raise InputError(f"-o {path!r} names a directory; give a file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        if not os.access(path, os.W_OK):
            raise InputError(f"-o {path!r}: no permission to write to it")
        return
    for one in inputs:
        if _is_same(path, one):
            raise InputError(f"-o {path!r} is the input {one}; give another file")
    parent = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(parent):
        raise InputError(f"-o {path!r}: no directory {parent}; make it, or correct the name")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"-o {path!r}: no permission to write in {parent}")


@contextmanager
def open_output(path: str, inputs: Iterable[str | Path] = ()) -> Iterator[TextIO]:
    r"""Open `path` for writing UTF-8 text with `\n` at line ends.

    A file gets its content at the end, all of it or nothing; of a link the file behind it, with the mode that it had.
    A name that ends in `.gz` is compressed. `-` is the standard output; that, /dev/fd/<n>, a named pipe and a device
    are written to as they are. Raises InputError as `check_output`.
    """
    check_output(path, inputs)
    descriptor = _descriptor(path)
    if path == STDOUT:
        yield sys.stdout
        sys.stdout.flush()
        return
    if descriptor is not None:
        with open(os.dup(descriptor), "wb") as stream, _text(stream, "") as text:
            yield text
        return
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as stream, _text(stream, path) as text:
            yield text
        return
    target = Path(os.path.realpath(path))
    with atomic_path(target) as temporary:
        with temporary.open("wb") as stream, _text(stream, path) as text:
            yield text
        if target.exists():
            shutil.copymode(target, temporary)


@contextmanager
def _text(stream: BinaryIO, name: str) -> Iterator[TextIO]:
    if not name.lower().endswith(".gz"):
        with io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
            yield text
        return
    # No name and no time in the header: the same content gives the same bytes.
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        yield text


def _descriptor(path: str) -> int | None:
    """The number of the open file that `path` is a name of, if it is one."""
    match = _DESCRIPTOR.fullmatch(path)
    if match is None:
        return None
    return _STANDARD[match["name"]] if match["name"] else int(match["number"])


def _is_same(output: str, one: str | Path) -> bool:
    """Whether an input is the very file that would be written to, by whatever name."""
    try:
        found = os.fstat(sys.stdin.fileno()) if str(one) == STDIN else os.stat(one)
        return stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.stat(output))
    except (OSError, ValueError):  # not there yet; a standard input that is no file
        return False
