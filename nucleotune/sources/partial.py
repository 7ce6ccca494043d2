"""The bytes of a download on their way: a place beside its output, and a note that lets a later run continue with
them.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from nucleotune.files import write_json
from nucleotune.sources.guard import take_lock


@dataclass
class Note:
    """What the bytes of a partial file are of.

    url: without secrets. validator: strong ETag or Last-Modified of that version of the file. total: its size in bytes,
    None where the server did not say. last_modified: the header as served.
    """

    url: str
    validator: str
    total: int | None
    last_modified: str | None


@contextmanager
def partial_file(output: Path) -> Iterator[Path]:
    """Yield the path for the bytes of `output` on their way: `.<name>.part` beside it, what an earlier run left there.

    A partial file without a note (`write_note`) is removed at the end, as is what killed runs left behind. While
    another process writes there, another path is yielded.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    _clean(output)
    shared = output.with_name(f".{output.name}.part")
    with open(shared, "ab") as file:
        mine = take_lock(file, wait=False) and _is_still(shared, file.fileno())
        path = shared if mine else shared.with_name(f".{output.name}.{os.getpid()}.tmp")
        try:
            yield path
        finally:
            # What is there again after it was renamed to its output is another process's.
            if not mine or (not _note_path(path).exists() and _is_still(path, file.fileno())):
                _note_path(path).unlink(missing_ok=True)
                path.unlink(missing_ok=True)


def discard(partial: Path) -> None:
    """Forget the bytes of a partial file; it stays where it is, since whoever writes it holds a lock on it."""
    _note_path(partial).unlink(missing_ok=True)
    if partial.exists():
        os.truncate(partial, 0)


def write_note(partial: Path, note: Note) -> None:
    """Say what the bytes of `partial` are of, so that a later run can continue with them."""
    write_json(_note_path(partial), asdict(note))


def read_note(partial: Path) -> Note | None:
    """The note of a partial file; None where there is none that can be read."""
    try:
        return Note(**json.loads(_note_path(partial).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget_note(partial: Path) -> None:
    """The bytes are whole: nothing is to be gone on with."""
    _note_path(partial).unlink(missing_ok=True)


def _note_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether an open file is the one at `path`: whoever had the lock before may have renamed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _clean(output: Path) -> None:
    """Remove temporary files of processes that are no more."""
    pattern = re.compile(rf"\.{re.escape(output.name)}(?:\.meta\.json|\.part\.json)?\.(\d+)\.tmp")
    for path in output.parent.iterdir():
        match = pattern.fullmatch(path.name)
        if match and not _is_alive(int(match[1])) and path.is_file():
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
