"""What every workflow script needs around its body: the library's path, a log, and readable errors."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from nucleotune.errors import InputError

#: How a line of a log looks; the keywords of `logging.basicConfig`.
LOG_FORMAT = {"format": "%(asctime)s %(levelname)s %(message)s", "datefmt": "%H:%M:%S"}


@contextmanager
def job(log_file: str | Path) -> Iterator[logging.Logger]:
    """Run a script's body with its log in `log_file`; the process ends with status 1 after an error.

    An InputError is logged as its message alone: it tells the user what to mend. Anything else is a defect of ours and
    is logged with its traceback. What the library warns of also goes to the terminal: nobody opens the log of a job
    that went well.
    """
    path = Path(log_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter(LOG_FORMAT["format"], LOG_FORMAT["datefmt"]))
        root = logging.getLogger()
        root.addHandler(handler)
        terminal = _warnings_to(sys.stderr, path)
        root.addHandler(terminal)
        level = root.level
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        stderr, sys.stderr = sys.stderr, stream
        try:
            yield logging.getLogger("nucleotune")
        except InputError as error:
            stream.write(f"\nError: {error}\n")
            sys.exit(1)
        except Exception:
            traceback.print_exc(file=stream)
            sys.exit(1)
        finally:
            sys.stderr = stderr
            root.removeHandler(handler)
            root.removeHandler(terminal)
            root.setLevel(level)
            logging.captureWarnings(False)


def _warnings_to(stream: TextIO, log_file: Path) -> logging.Handler:
    """Handler that writes the library's own warnings to a stream, with the name of the job's log."""
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.WARNING)
    handler.addFilter(logging.Filter("nucleotune"))
    handler.setFormatter(logging.Formatter(f"Warning: %(message)s ({log_file})"))
    return handler


def share_library(root: str | Path) -> None:
    """Set up the environment of the jobs started from this process.

    Puts `root` on PYTHONPATH, so that they find the library whatever environment they run in; keeps the model hub
    offline, because compute jobs never reach for the network; and lets idle OpenMP threads sleep: spinning ones slow a
    small training down several times when another job wants the core.
    """
    known = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(root), *known]))
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
