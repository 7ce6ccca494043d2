"""One URL to one file: retries, resume also of what an earlier run began, bounds, and no splicing of two versions."""

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3

from nucleotune.bounds import beyond, most
from nucleotune.progress import Progress
from nucleotune.sources.addresses import reveal, without_secrets
from nucleotune.sources.partial import Note, discard, forget_note, read_note, write_note

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
#: Bytes that are fetched again on resuming: they must be those that are there.
_OVERLAP = 1 << 14
_LOG_SECONDS = 5.0
_LONGEST_PAUSE = 60.0
#: Time-out and too many requests pass, as server errors (5xx) do; other refusals stay.
_RETRIED_STATUS = (408, 429)


class TransferError(Exception):
    """A URL cannot give its file; the message says why."""


class _RefusedError(TransferError):
    """The server gives nothing to whoever asks now, which says nothing of the bytes that it gave before."""


class _BrokenError(Exception):
    """An attempt failed in a way that another one may mend."""


@dataclass
class Transfer:
    """What was learnt while fetching one URL.

    final_url: after redirects, without secrets.
    validator: strong ETag or Last-Modified of the version whose bytes are in the partial file.
    total: size of that version in bytes, None where the server does not say.
    last_modified: the header as served.
    resumed: whether the file was put together from more than one response.
    delimited: whether the server said where the file ends; else a cut cannot be told from the end.
    """

    final_url: str
    validator: str | None = None
    total: int | None = None
    last_modified: str | None = None
    resumed: bool = False
    delimited: bool = True


def fetch(
    url: str,
    partial: Path,
    *,
    retries: int,
    timeout: float,
    pause: float,
) -> Transfer:
    """Fetch `url` into `partial`; bytes are kept as served, not decoded.

    url: as `nucleotune.sources.addresses.hide` gives it; the secrets it knows are sent and never shown.

    Server errors, lost connections, time-outs and short bodies are tried again `retries` times
    after `pause` * 1, 2, 4 ... seconds, and resumed where the server names a version of the file to
    resume; so is what an earlier call left in `partial` when it was interrupted. `timeout` (seconds) is the longest
    silence of the server. Raises TransferError when the server refuses, its certificate is not valid, the file is
    beyond `nucleotune.bounds`, or the retries are used up.
    """
    deadline = time.monotonic() + 3600 * most("max_hours")
    transfer = _begin(url, partial)
    for attempt in range(retries + 1):
        try:
            _attempt(url, partial, transfer, timeout, deadline)
            forget_note(partial)
            return transfer
        except _RefusedError:
            raise
        except TransferError:
            discard(partial)
            raise
        except _BrokenError as error:
            reason = without_secrets(str(error))
        if time.monotonic() >= deadline:
            raise TransferError(
                beyond(f"{reason}: not whole after", "max_hours", most("max_hours"))
            )
        if attempt < retries:
            wait = min(pause * 2**attempt, _LONGEST_PAUSE)
            logger.warning("%s: %s; trying again in %.3g s", url, reason, wait)
            time.sleep(wait)
    raise TransferError(f"{reason} ({retries + 1} attempts)")


def _begin(url: str, partial: Path) -> Transfer:
    """What is known at the start: of the bytes that an interrupted call left, or nothing."""
    note = read_note(partial)
    if note is None or note.url != url or not partial.exists():
        discard(partial)
        return Transfer(final_url=url)
    logger.info("%s: resuming after %d bytes of an earlier run", url, partial.stat().st_size)
    return Transfer(url, note.validator, note.total, note.last_modified)


def _attempt(url: str, partial: Path, transfer: Transfer, timeout: float, deadline: float) -> None:
    have = partial.stat().st_size if transfer.validator and partial.exists() else 0
    start = max(0, have - _OVERLAP)
    # Without `identity` a server may compress on the fly: size and checksum would be others.
    headers = {"Accept-Encoding": "identity", "User-Agent": "nucleotune"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": transfer.validator}
    try:
        response = requests.get(reveal(url), headers=headers, stream=True, timeout=timeout)
    except requests.exceptions.SSLError as error:
        raise _RefusedError(f"TLS error: {without_secrets(str(_cause(error)))}") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _BrokenError(f"no connection: {_cause(error)}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransferError(without_secrets(str(error))) from None
    with response:
        if response.status_code == 416:
            _start_again(partial, transfer, "server has fewer bytes than were received before")
        if response.status_code >= 500 or response.status_code in _RETRIED_STATUS:
            raise _BrokenError(f"HTTP {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            raise _RefusedError(f"HTTP {response.status_code} {response.reason}")
        if response.status_code == 206:
            _check_continuation(response, start, partial, transfer)
            transfer.resumed = True
        else:
            # Either the first attempt, or the server ignores Range, or the file changed meanwhile.
            have = start = 0
            discard(partial)
            transfer.total = _length(response)
            transfer.validator = _validator(response)
            transfer.last_modified = response.headers.get("Last-Modified")
            transfer.resumed = False
            chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
            transfer.delimited = chunked or transfer.total is not None
        _check_size(transfer.total or 0)
        transfer.final_url = without_secrets(response.url)
        if transfer.validator:
            write_note(
                partial, Note(url, transfer.validator, transfer.total, transfer.last_modified)
            )
        _receive(response, partial, start, have, transfer, deadline)


def _check_size(size: int) -> None:
    if size > most("max_gb") * 1e9:
        raise TransferError(beyond("larger than", "max_gb", most("max_gb")))


def _length(response: requests.Response) -> int | None:
    """The size that a server announces; None where it does not, or says it twice and differently."""
    said = {value.strip() for value in response.headers.get("Content-Length", "").split(",")}
    (value, *others) = said
    return int(value) if value.isdecimal() and not others else None


def _cause(error: requests.RequestException) -> object:
    """Return the innermost reason; requests wraps it into the history of a connection pool."""
    return getattr(error.args[0], "reason", error) if error.args else error


def _validator(response: requests.Response) -> str | None:
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _check_continuation(
    response: requests.Response, start: int, partial: Path, transfer: Transfer
) -> None:
    """Refuse to append bytes that do not follow on, or that belong to another version of the file.

    Servers exist that ignore If-Range, so what this response says of itself is compared too.
    """
    served = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", served.strip())
    if not start or match is None or int(match[1]) != start:
        _start_again(partial, transfer, f"asked for bytes from {start}, got {served or 'no range'}")
    total = None if match[2] == "*" else int(match[2])
    if transfer.total is not None and total is not None and total != transfer.total:
        _start_again(partial, transfer, f"file changed from {transfer.total} to {total} bytes")
    validator = _validator(response)
    if validator is not None and validator != transfer.validator:
        _start_again(partial, transfer, f"file changed from {transfer.validator} to {validator}")
    transfer.total = total if transfer.total is None else transfer.total


def _start_again(partial: Path, transfer: Transfer, reason: str) -> None:
    discard(partial)
    transfer.validator = transfer.total = None
    raise _BrokenError(f"{reason}; starting again from the first byte")


def _receive(
    response: requests.Response,
    partial: Path,
    start: int,
    have: int,
    transfer: Transfer,
    deadline: float,
) -> None:
    """Write the body, which begins at byte `start` of the file; those before `have` are there and must be the same.

    A server that answers a range with bytes of another place is found out by them.
    """
    size, total = start, transfer.total
    mb = None if total is None else total / 1e6
    progress = Progress(transfer.final_url, mb, "MB", done=start / 1e6, every=_LOG_SECONDS)
    try:
        with open(partial, "r+b" if have else "w+b") as file:
            # `read1` returns what has come: a server that drips must not outlast the deadline in one read.
            while chunk := response.raw.read1(_CHUNK, decode_content=False):
                file.seek(size)
                known = file.read(min(len(chunk), max(0, have - size)))
                if not chunk.startswith(known):
                    _start_again(partial, transfer, "the server sent other bytes than before")
                file.seek(size + len(known))
                file.write(chunk[len(known) :])
                size += len(chunk)
                _check_size(size)
                if time.monotonic() > deadline:
                    raise _BrokenError(f"{size} bytes")
                progress.reach(size / 1e6)
    except urllib3.exceptions.HTTPError as error:
        raise _BrokenError(f"connection lost after {size} bytes: {error}") from None
    except OSError as error:
        raise TransferError(f"{partial} cannot be written: {error.strerror}") from error
    if size < (have if total is None else total):
        raise _BrokenError(f"short: {size} of {have if total is None else total} bytes")
    if total is not None and size > total:
        _start_again(partial, transfer, f"long: {size} bytes where {total} were announced")
