"""From the branches and tags that model files name to commits, once, on a machine with network."""

import json
import logging
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nucleotune.errors import InputError
from nucleotune.files import atomic_path
from nucleotune.sources.guard import exclusive
from nucleotune.sources.hub import COLUMNS, HUB, Locked, is_commit, read_revisions, revision_url
from nucleotune.sources.transfer import TransferError, fetch

logger = logging.getLogger(__name__)


def lock_revisions(
    checkpoints: Mapping[str, Mapping[str, Any]],
    lock: str | Path,
    *,
    endpoint: str = HUB,
    retries: int = 5,
    timeout: float = 60.0,
    pause: float = 1.0,
) -> dict[str, Locked]:
    """Find the commit of each model's revision and keep it in the table `lock`; return the table.

    checkpoints: model name -> the `checkpoint` of its model file. Those with a `path`, and those whose revision is a
        commit already, need no line.
    endpoint: the hub; `retries`, `timeout` (seconds) and `pause` as in `nucleotune.sources.transfer.fetch`.
    A line made for another repository or revision is replaced. A line is kept, and reported by an InputError, when its
    revision has become another commit meanwhile; the other models' lines are written all the same.
    Raises InputError when the hub does not answer with a commit.
    """
    lock = Path(lock)
    problems = []
    with exclusive(lock):
        locked = read_revisions(lock)
        for name, checkpoint in sorted(checkpoints.items()):
            hub, revision = checkpoint["hub"], checkpoint["revision"]
            if hub is None or is_commit(revision):
                logger.info("%s: nothing to resolve", name)
                continue
            try:
                commit = resolve_revision(
                    hub, revision, endpoint=endpoint, retries=retries, timeout=timeout, pause=pause
                )
            except InputError as error:
                problems.append(f"{name}: {error}")
                continue
            old = locked.get(name)
            if old is None or (old.hub, old.revision) != (hub, revision):
                date = datetime.now(UTC).isoformat(timespec="seconds")
                locked[name] = Locked(hub, revision, commit, date)
                logger.info("%s: %s %s is commit %s", name, hub, revision, commit)
            elif old.commit != commit:
                problems.append(
                    f"{name}: {revision!r} of {hub} is commit {commit} now, but {lock} has {old.commit} of {old.date}; "
                    f"the locked one stays in use. To take the new one, delete the line of {name} in {lock}"
                )
            else:
                logger.info("%s: still commit %s", name, commit)
        _write(lock, locked)
    if problems:
        raise InputError("\n".join(problems))
    return locked


def resolve_revision(
    hub: str,
    revision: str,
    *,
    endpoint: str = HUB,
    retries: int = 5,
    timeout: float = 60.0,
    pause: float = 1.0,
) -> str:
    """Ask the hub at `endpoint` for the commit of a branch or tag: 40 hexadecimal digits.

    Raises InputError when it cannot be reached, does not know the repository or revision, or answers something else.
    """
    url = endpoint + urlsplit(revision_url(hub, revision)).path
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "revision.json"
        try:
            fetch(url, answer, retries=retries, timeout=timeout, pause=pause)
            commit = str(json.loads(answer.read_text(encoding="utf-8"))["sha"])
        except TransferError as error:
            raise InputError(
                f"cannot resolve {revision!r} of {hub}: {url}: {error}; check both names and the network"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{url}: expected JSON with the key 'sha' ({error!r})") from error
    if not is_commit(commit):
        raise InputError(f"{url}: 'sha': expected 40 hexadecimal digits, found {commit!r}")
    return commit


def _write(lock: Path, locked: Mapping[str, Locked]) -> None:
    rows = [(name, *vars(line).values()) for name, line in sorted(locked.items())]
    with atomic_path(lock) as temporary:
        text = "\n".join("\t".join(row) for row in (COLUMNS, *rows))
        temporary.write_text(text + "\n", encoding="utf-8")
