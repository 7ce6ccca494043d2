"""One process at a time at a file, where its file system has locks."""

import errno
import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

#: What flock(2) answers where there is no such thing, as on Lustre without `-o flock` and on some NFS.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF}


@contextmanager
def exclusive(path: str | Path) -> Iterator[None]:
    """Hold the lock that belongs to the file `path`, waiting for whoever has it; the directory is made.

    A sibling, `.<name>.flock`, is locked: the file itself may be replaced, and a lock on it would guard an old inode.
    Where the file system has no locks work continues without one, and a warning says so once.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.flock"), "w") as guard:
        take_lock(guard)
        yield


def take_lock(file: IO, *, wait: bool = True) -> bool:
    """Lock an open file until it is closed; False where another has it and we do not wait.

    Also true where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _say_once(error.strerror)
    return True


@cache
def _say_once(reason: str) -> None:
    logger.warning(
        "the file system has no file locks (%s); continuing without them: start only one run at a time in this"
        " directory",
        reason,
    )
