"""The sha256 of every file at its first fetch, so that a file that changes at its host is noticed.

The table is meant for version control: `path`, `sha256`, `bytes`, `date`, sorted by path.
"""

from pathlib import Path

from nucleotune.errors import InputError
from nucleotune.files import atomic_path
from nucleotune.sources.guard import exclusive
from nucleotune.text import read_rows

COLUMNS = ("path", "sha256", "bytes", "date")


def check_lock(lock: str | Path) -> None:
    """Raise InputError where the table `lock` is damaged; no downloads need begin then."""
    with exclusive(lock):
        _read(Path(lock))


def check_or_record(lock: str | Path, path: str, sha256: str, size: int, date: str) -> None:
    """Compare a file with its line in `lock`, or add the line where there is none.

    path: `local_path` of the source's first candidate, whichever candidate or mirror served the
    bytes. Safe between processes and threads: one at a time reads and replaces the table, where the file system has
    locks.
    Raises InputError when the recorded sha256 is another, or the table is damaged.
    """
    lock = Path(lock)
    with exclusive(lock):
        rows = _read(lock)
        if path not in rows:
            rows[path] = (sha256, str(size), date)
            _write(lock, rows)
        elif rows[path][0] != sha256:
            recorded, recorded_size, recorded_date = rows[path]
            raise InputError(
                f"{path}: sha256 is {sha256} ({size} bytes), but {lock} recorded {recorded} "
                f"({recorded_size} bytes) on {recorded_date}: the file changed. To accept the new "
                f"one, delete the line of {path} in {lock}"
            )


def _read(lock: Path) -> dict[str, tuple[str, str, str]]:
    rows: dict[str, tuple[str, str, str]] = {}
    for where, row in read_rows(lock, COLUMNS) if lock.exists() else ():
        path, *recorded = row.values()
        if path in rows:
            raise InputError(f"{where}: {path!r} occurs twice; delete the wrong line")
        rows[path] = tuple(recorded)
    return rows


def _write(lock: Path, rows: dict[str, tuple[str, str, str]]) -> None:
    lines = ["\t".join((path, *values)) for path, values in sorted(rows.items())]
    with atomic_path(lock) as temporary:
        temporary.write_text("\n".join(["\t".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
