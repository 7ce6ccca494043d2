"""The one download path: mirrors, candidates in order, verification, sha256 lock, final name."""

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from nucleotune.errors import InputError
from nucleotune.files import atomic_path, file_digest, write_json
from nucleotune.sources.addresses import hide, reveal
from nucleotune.sources.lock import check_lock, check_or_record
from nucleotune.sources.mirror import describe_places, mirror_places
from nucleotune.sources.partial import discard, partial_file
from nucleotune.sources.registry import Source, file_path, is_remote, local_path
from nucleotune.sources.transfer import TransferError, fetch
from nucleotune.sources.verify import NO_CHECKSUM, VerificationError, check_end, verify

logger = logging.getLogger(__name__)


def download(
    source: Source,
    output: Path,
    *,
    simulated: Sequence[Path] = (),
    mirrors: Sequence[Path] = (),
    offline: bool = False,
    lock: Path | None = None,
    retries: int = 5,
    timeout: float = 60.0,
    pause: float = 1.0,
) -> dict[str, Any]:
    """Bring a resolved source to `output`, verified, with its metadata in `<output>.meta.json`.

    Searched in this order: every candidate's place in each of `simulated` (mirrors of made-up files)
    and of `mirrors`; then the candidates as listed, those that need the network only unless
    `offline`. The first that passes verification is taken. A network candidate is tried 1 +
    `retries` times, with pauses of `pause` * 1, 2, 4 ... seconds; `timeout` is the longest silence
    of a server in seconds; how much a
    file may take is said by `nucleotune.bounds`.
    lock: table of sha256 at first fetch, see `nucleotune.sources.lock`; None keeps none.

    Returns the metadata: `url` (candidate), `final_url` (after redirects, or the file read), `from`
    ('network', 'simulation', 'mirror' or 'local'), `size` (bytes), `sha256`, `date` and
    `last_modified` (UTC, ISO 8601), `checksum` (what it was verified by, see
    `nucleotune.sources.verify.verify`).
    Raises InputError listing every candidate with its reason and where the file may be put by hand,
    or naming both sha256 when the lock has another. After any failure, `output` and its metadata
    are as before the call. Nothing temporary is left but the bytes that came before an interruption, in
    `.<name>.part` with a note beside it, where the host names the version of its file: the next call continues with
    them.
    """
    output = Path(output)
    source = replace(source, urls=tuple(map(hide, source.urls)))
    if lock is not None:
        check_lock(lock)  # Before the bytes: it must be possible to write them down.
    metadata = output.with_name(f"{output.name}.meta.json")
    # The file is renamed before its metadata: metadata never describe a file that is not there.
    with atomic_path(metadata) as partial_metadata, partial_file(output) as partial:
        patience = {"retries": retries, "timeout": timeout, "pause": pause}
        known = {"simulation": simulated, "mirror": mirrors}
        taken = _take_first(source, output, partial, known, offline, patience)
        sha256 = file_digest(partial)
        date = datetime.now(UTC).isoformat(timespec="seconds")
        size = partial.stat().st_size
        if lock is not None:
            check_or_record(lock, local_path(source.urls[0]), sha256, size, date)
        found = {
            "url": taken["url"],
            "final_url": taken["final_url"],
            "from": taken["from"],
            "size": size,
            "sha256": sha256,
            "date": date,
            "last_modified": taken["last_modified"],
            "checksum": taken["checksum"],
        }
        write_json(partial_metadata, found)
        os.replace(partial, output)
    logger.info("%s: %d bytes from %s", output, size, found["final_url"])
    if found["checksum"] == NO_CHECKSUM:
        logger.warning("%s: no CHECKSUMS entry to verify it by (%s)", output, found["final_url"])
    return found


def _take_first(
    source: Source,
    output: Path,
    partial: Path,
    mirrors: Mapping[str, Sequence[Path]],
    offline: bool,
    patience: dict[str, Any],
) -> dict[str, Any]:
    """Fill `partial` from the first place that works; return what is known of it."""
    places: list[tuple[str, str, Path | None]] = [
        (kind, url, path)
        for kind, folders in mirrors.items()
        for url, path in mirror_places(source, folders)
    ]
    for url in source.urls:
        places.append(("network", url, None) if is_remote(url) else ("local", url, file_path(url)))
    reasons = []
    for origin, url, path in places:
        if path is None and offline:
            reasons.append(f"  {url}: not tried, offline")
            continue
        if path is not None and not path.exists():
            reasons.append(f"  {path}: not there")
            continue
        try:
            if path is None:
                taken = _take_url(source, url, partial, patience)
            else:
                taken = _take_file(source, url, path, partial)
            return {"url": url, "from": origin, **taken}
        except (TransferError, VerificationError) as error:
            reasons.append(f"  {path or url}: {error}")
            logger.warning("%s: %s", path or url, error)
    raise InputError(
        "\n".join(
            [
                f"source {source.name!r}: nothing usable for {output}:",
                *reasons,
                "To fix this, put the file into a mirror by hand (any one of these paths)",
                *(f"  {place}" for place in describe_places(source, mirrors["mirror"])),
                "or give other candidates: 'urls:' or 'path:' under coding.files or "
                "noncoding.files of the species file, 'path:' under checkpoint of the model file, "
                "or column 'urls' of resources/sources.tsv",
            ]
        )
    )


def _take_file(source: Source, url: str, path: Path, partial: Path) -> dict[str, Any]:
    discard(partial)
    try:
        with open(path, "rb") as original, open(partial, "wb") as copy:
            shutil.copyfileobj(original, copy)
    except (IsADirectoryError, PermissionError) as error:
        raise TransferError(error.strerror) from error

    def read_checksums() -> str | None:
        beside = path.with_name("CHECKSUMS")
        return beside.read_text(errors="replace") if beside.is_file() else None

    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return {
        "final_url": str(path),
        "last_modified": modified.isoformat(timespec="seconds"),
        "checksum": verify(partial, source, read_checksums, _name(url)),
    }


def _take_url(source: Source, url: str, partial: Path, patience: dict[str, Any]) -> dict[str, Any]:
    beside = hide(urljoin(reveal(url), "CHECKSUMS"))

    def fetch_checksums() -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "CHECKSUMS"
            try:
                fetch(beside, text, **patience)
            except TransferError as error:
                logger.warning("%s: %s", beside, error)
                return None
            return text.read_text(errors="replace")

    transfer = fetch(url, partial, **patience)
    try:
        checksum = verify(partial, source, fetch_checksums, _name(url))
    except VerificationError as error:
        if not transfer.resumed:
            raise
        # The one fault of ours that another try can mend: parts that should not have been joined.
        logger.warning("%s: %s; fetching it again without resuming", url, error)
        transfer = fetch(url, partial, **patience)
        checksum = verify(partial, source, fetch_checksums, _name(url))
    if checksum in ("none", NO_CHECKSUM):
        check_end(partial, source.kind, transfer.delimited)
        if not transfer.delimited:
            logger.warning("%s: the server does not say how long the file is", url)
    return {
        "final_url": transfer.final_url,
        "last_modified": _iso_date(transfer.last_modified),
        "checksum": checksum,
    }


def _name(url: str) -> str:
    """Name of the file in its directory's CHECKSUMS."""
    return unquote(urlsplit(url).path).rpartition("/")[2] if "://" in url else Path(url).name


def _iso_date(header: str | None) -> str | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC).isoformat(timespec="seconds")
    except (TypeError, ValueError):
        return None
