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

from nucleotune.errors import InputError


@contextmanager
def atomic_path(path: str | Path, *, replace_directory: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it there on success, remove it on any failure.

    Works for a file or a directory. Parent directories are made.

    Args:
        path: where the result belongs.
        replace_directory: a directory at `path` is replaced. For directories that the workflow itself makes: those that
            a user names are written by `new_directory`.

    Raises:
        InputError: a directory is at `path`, and `replace_directory` is False.
    """
    path = Path(path)
    if path.is_dir() and not replace_directory:
        raise InputError(f"{path}: a directory; expected the name of a file to be written")
    if replace_directory:
        path = path.resolve()  # a link stays, and its directory is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.is_dir():
            _swap(temporary, path)
        else:
            os.replace(temporary, path)
    finally:
        _remove(temporary)


def _swap(temporary: Path, path: Path) -> None:
    """Put `temporary` in the place of the directory `path`; what was there is removed only once that has worked."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.old")
    os.rename(path, aside)
    try:
        os.rename(temporary, path)
    except OSError:
        os.rename(aside, path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_new_directory(path: str | Path, known_by: str) -> None:
    """Raise InputError unless a directory can be made at `path` without loss: see `new_directory`."""
    resolved = Path(path).resolve()
    if Path.cwd().is_relative_to(resolved):
        raise InputError(f"{path}: it contains the current directory; name a separate directory")
    if not resolved.exists():
        return
    if not resolved.is_dir():
        raise InputError(f"{path}: a file; expected the name of a directory to be written")
    if any(resolved.iterdir()) and not (resolved / known_by).is_file():
        raise InputError(
            f"{path}: a directory with other files in it (no {known_by} among them), which is not replaced;"
            " name one that is empty or does not exist"
        )


@contextmanager
def new_directory(path: str | Path, known_by: str) -> Iterator[Path]:
    """Yield an empty directory that takes the place of `path` on success.

    `path` may be any that a user names: what is there is replaced only if it is empty or one of ours, known by a file
    of the name `known_by` in it. Raises InputError otherwise, and if it contains the current directory.
    """
    check_new_directory(path, known_by)
    with atomic_path(path, replace_directory=True) as temporary:
        temporary.mkdir()
        yield temporary


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Make `target` a hard link to the file `source`, or a copy where the file system has none; directories likewise.

    All get the present as their time of change, since workflow engines compare it with the inputs'. Raises InputError
    where `target` is a directory that holds anything.
    """

    def place(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:
            shutil.copyfile(old, new)
        os.utime(new)

    target = Path(target)
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"{target}: a directory with files in it, which is not replaced")
    with atomic_path(target, replace_directory=True) as temporary:
        if Path(source).is_dir():
            shutil.copytree(source, temporary, copy_function=place)
            os.utime(temporary)
        else:
            place(str(source), str(temporary))


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Around the one call that reads a file which this project wrote: whatever it raises becomes an InputError.

    A file that was cut off or has rotted makes libraries raise all kinds of exceptions, few of which name the file.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; rerun the step that makes it") from error
    except PermissionError as error:
        raise InputError(f"{path}: no permission to read it") from error
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise InputError(
            f"{path}: damaged, or not the file it should be ({reason}); delete it and run again"
        ) from error


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON (keys in the order given), atomically; NaN is refused."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file; InputError for one that is missing or damaged."""
    with reading(path):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def describe_file(path: str | Path) -> dict[str, Any]:
    """Path, size (bytes) and sha256 of a file, for data cards and reports."""
    path = Path(path)
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": file_digest(path)}


def is_file_name(name: Any) -> bool:
    """Whether a text from outside can be the name of a file in a directory: no path, and no longer than disks take."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and Path(name).name == name
        and "\0" not in name
        and len(name.encode("utf-8", "surrogatepass")) <= 255
    )


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
