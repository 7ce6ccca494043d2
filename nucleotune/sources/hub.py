"""Where the files of a published model are: URLs on the model hub, commits, places in a mirror.

Weights take the way of every other external file (`nucleotune.sources.download`): mirrors laid out as `wget -x` does,
offline mode, resume and the sha256 lock also hold for them. Standard library only: the Snakefile comes here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nucleotune.errors import InputError
from nucleotune.sources.registry import Source, local_path
from nucleotune.text import read_rows

HUB = "https://huggingface.co"

#: Columns of the lock of model revisions, `resources/models.lock.tsv`.
COLUMNS = ("model", "hub", "revision", "commit", "date")

_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Locked:
    """The commit that `revision` of the repository `hub` was when it was locked; `date` in UTC, ISO 8601."""

    hub: str
    revision: str
    commit: str
    date: str


#: The file that a kind of tokenizer is checked by, or made from.
TOKENIZER_FILES = {
    "kmer": "vocab.txt",
    "sixmer": "vocab.txt",
    "single": "vocab.txt",
    "file": "tokenizer.json",
}


def check_checkpoint(model: Mapping[str, Any]) -> None:
    """Raise InputError where the `checkpoint` of a model file contradicts itself or lacks a file that is needed."""
    title, checkpoint = model["title"], model["checkpoint"]
    if checkpoint is None:
        if model["architecture"] is None:
            raise InputError(
                f"model {title!r}: give 'architecture', or a 'checkpoint' to take it from"
            )
        return
    if bool(checkpoint["hub"]) == bool(checkpoint["path"]):
        raise InputError(f"model {title!r}: checkpoint: give either 'hub' or 'path'")
    if bool(checkpoint["hub"]) != bool(checkpoint["revision"]):
        raise InputError(
            f"model {title!r}: checkpoint: 'hub' needs a 'revision' (a commit, tag or branch), 'path' has none"
        )
    names = [file.rpartition("/")[2] for file in checkpoint["files"]]
    for name in names:
        if name in ("", ".", ".."):
            raise InputError(
                f"model {title!r}: checkpoint.files: {name!r} is not the name of a file"
            )
    if len(set(names)) < len(names):
        raise InputError(f"model {title!r}: checkpoint.files: two files with the same name")
    tokenizer = TOKENIZER_FILES[model["tokenizer"]["kind"]]
    for name in ("config.json", tokenizer):
        if name not in names:
            raise InputError(
                f"model {title!r}: checkpoint.files: {name} is missing (tokenizer kind {model['tokenizer']['kind']!r})"
            )
    if not any(name.endswith((".safetensors", ".bin")) for name in names):
        raise InputError(
            f"model {title!r}: checkpoint.files: no weights (.safetensors or .bin) among {', '.join(names)}"
        )


def is_commit(revision: str) -> bool:
    """Tell whether `revision` is a whole commit hash, which a hub cannot move."""
    return _COMMIT.fullmatch(revision) is not None


def read_revisions(path: str | Path) -> dict[str, Locked]:
    """Read the lock of model revisions: model name -> what it was locked to; empty where there is no such file.

    Raises InputError naming file and line of a fault.
    """
    path = Path(path)
    if not path.exists():
        return {}
    locked: dict[str, Locked] = {}
    for where, row in read_rows(path, COLUMNS):
        model, *values = row.values()
        if not is_commit(row["commit"]):
            raise InputError(
                f"{where}: commit: expected 40 hexadecimal digits, found {row['commit']!r}"
            )
        if model in locked:
            raise InputError(f"{where}: model {model!r} occurs twice; delete the wrong line")
        locked[model] = Locked(*values)
    return locked


def locked_commit(
    name: str, checkpoint: Mapping[str, Any], revisions: Mapping[str, Locked]
) -> str | None:
    """The commit to use for a model: its revision where that is one, else the locked one, else None.

    A line of the lock that was made for another repository or revision does not count.
    """
    if checkpoint["hub"] is None:
        return None
    if is_commit(checkpoint["revision"]):
        return checkpoint["revision"]
    line = revisions.get(name)
    if line is None or (line.hub, line.revision) != (checkpoint["hub"], checkpoint["revision"]):
        return None
    return line.commit


def hub_sources(
    name: str,
    model: Mapping[str, Any],
    commit: str | None = None,
    mirrors: Iterable[str | Path] = (),
) -> dict[str, Source]:
    """Sources of a model's files on the hub: file name -> source.

    With a `commit` the network is asked for that commit and no other. A mirror may hold the files under the commit, or
    under the revision as the model file writes it: who filled it had no lock to read.
    """
    checkpoint = model["checkpoint"]
    sources = {}
    for file in checkpoint["files"]:
        asked = _url(checkpoint["hub"], checkpoint["revision"], file)
        urls = [asked]
        if commit not in (None, checkpoint["revision"]):
            mirrored = [str(Path(mirror) / local_path(asked)) for mirror in mirrors]
            urls = [_url(checkpoint["hub"], commit, file), *mirrored]
        sources[file] = Source(
            name=f"{name}: {file}",
            urls=tuple(urls),
            checksum="none",
            min_bytes=1,
            kind="text" if file.endswith((".json", ".txt")) else "binary",
            licence=model.get("licence", ""),  # texts are no part of what a stand-in is made from
            note=f"checkpoint.files of config/models/{name}.yaml",
        )
    return sources


def revision_url(hub: str, revision: str) -> str:
    """What the hub's API answers with the commit of `revision` (JSON, key `sha`)."""
    return f"{HUB}/api/models/{hub}/revision/{quote(revision, safe='')}"


def _url(hub: str, revision: str, file: str) -> str:
    return f"{HUB}/{hub}/resolve/{quote(revision, safe='')}/{quote(file)}"
