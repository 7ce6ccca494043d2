"""Where the files lie that data sets are built from; standard library only, read by the Snakefile."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nucleotune.plan import DOWNLOADS, remote_source
from nucleotune.sources.registry import Source, local_path

#: (path, source); the source is None for a local file.
Place = tuple[str, Source | None]


def fetched(source: Source) -> Place:
    """Where the file of a source lies once it is downloaded."""
    return f"{DOWNLOADS}/{local_path(source.urls[0])}", source


def given(file: Mapping[str, Any], data_dir: str | Path, named_in: str, plain: str) -> Place:
    """The place of a file that is named by `path`, or else by `urls` (see `plan.remote_source`)."""
    if file["path"]:
        return str(Path(data_dir) / file["path"]), None
    return fetched(remote_source(file, named_in, plain))
