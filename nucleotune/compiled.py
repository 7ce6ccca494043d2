"""Where compiled code is kept when neither the library nor the home directory can be written, as in containers.

numba keeps what it has compiled beside the source or under the home directory, and refuses to compile where it can do
neither. It reads its settings once, so this is looked at before its first import. Standard library only.
"""

import importlib.util
import os
from collections.abc import Iterable

_NAME = "nucleotune-numba-"


def choose_cache() -> None:
    """Set NUMBA_CACHE_DIR unless the user has, or numba needs none.

    One that the process got from another of ours is looked at anew: it may have been chosen on another machine.
    """
    if _NAME not in (os.environ.get("NUMBA_CACHE_DIR") or _NAME):
        return
    sources = [os.path.dirname(os.path.abspath(__file__))]
    modisco = importlib.util.find_spec("modiscolite")  # has compiled functions of its own
    if modisco and modisco.origin:
        sources.append(os.path.dirname(modisco.origin))
    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if needs_directory(sources, os.path.join(cache, "numba")) and (folder := own_directory()):
        os.environ["NUMBA_CACHE_DIR"] = folder


def needs_directory(sources: Iterable[str], cache: str) -> bool:
    """Whether some directory of `sources` takes no compiled code, and the user's `cache` none in its place."""
    beside = all(can_write(os.path.join(source, "__pycache__")) for source in sources)
    return not beside and not can_write(cache)


def can_write(path: str) -> bool:
    """Whether files can be made in the directory `path`, which need not be there yet."""
    path = os.path.abspath(path)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def own_directory() -> str | None:
    """A directory of this user's among the temporary ones, the same each time; None where there is none to be had.

    Compiled code is run, so it must not be somebody else's.
    """
    import tempfile  # only here: it is slower to import than all of the above

    try:
        folder = os.path.join(tempfile.gettempdir(), f"{_NAME}{os.getuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
        if os.path.islink(folder) or status.st_uid != os.getuid() or status.st_mode & 0o022:
            return tempfile.mkdtemp(prefix=_NAME)
    except OSError:
        return None
    return folder
