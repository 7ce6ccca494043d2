"""Atomic writing: a file either is not there or is whole."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it there on success, remove it on any failure.

    Works for a file or a directory; an old directory at `path` is replaced. Parent directories are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Make `target` a hard link to the file `source`, or a copy where the file system has none; directories likewise.

    All get the present as their time of change, since workflow engines compare it with the inputs'.
    """

    def place(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:
            shutil.copyfile(old, new)
        os.utime(new)

    with atomic_path(target) as temporary:
        if Path(source).is_dir():
            shutil.copytree(source, temporary, copy_function=place)
            os.utime(temporary)
        else:
            place(str(source), str(temporary))


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON (keys in the order given), atomically; NaN is refused."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text())


def describe_file(path: str | Path) -> dict[str, Any]:
    """Path, size (bytes) and sha256 of a file, for data cards and reports."""
    path = Path(path)
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": file_digest(path)}


def file_digest(path: str | Path, method: str = "sha256") -> str:
    """Hexadecimal digest of a file, read in blocks; `method` is `sha256` or `md5`.

    A process reads a file once for it, as long as its size and time of change stay the same.
    """
    status = Path(path).stat()
    return _digest(Path(path), method, status.st_size, status.st_mtime_ns)


@lru_cache
def _digest(path: Path, method: str, size: int, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, method).hexdigest()
