"""One URL to one file: retries, resume, and no splicing of two versions of a file."""

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
_LOG_SECONDS = 5.0
_LONGEST_PAUSE = 60.0
#: Time-out and too many requests pass, as server errors (5xx) do; other refusals stay.
_RETRIED_STATUS = (408, 429)


class TransferError(Exception):
    """A URL cannot give its file; the message says why."""


class _BrokenError(Exception):
    """An attempt failed in a way that another one may mend."""


@dataclass
class Transfer:
    """What was learnt while fetching one URL.

    validator: strong ETag or Last-Modified of the version whose bytes are in the partial file.
    total: size of that version in bytes, None where the server does not say.
    last_modified: the header as served.
    resumed: whether the file was put together from more than one response.
    """

    final_url: str
    validator: str | None = None
    total: int | None = None
    last_modified: str | None = None
    resumed: bool = False


def fetch(url: str, partial: Path, *, retries: int, timeout: float, pause: float) -> Transfer:
    """Fetch `url` into `partial`, replacing what is there; bytes are kept as served, not decoded.

    Server errors, lost connections, time-outs and short bodies are tried again `retries` times
    after `pause` * 1, 2, 4 ... seconds, and resumed where the server names a version of the file to
    resume. `timeout` (seconds) is the longest silence of the server. Raises TransferError when the
    server refuses, its certificate is not valid, or the retries are used up.
    """
    partial.unlink(missing_ok=True)
    transfer = Transfer(final_url=url)
    for attempt in range(retries + 1):
        try:
            _attempt(url, partial, transfer, timeout)
            return transfer
        except _BrokenError as error:
            reason = str(error)
        if attempt < retries:
            wait = min(pause * 2**attempt, _LONGEST_PAUSE)
            logger.warning("%s: %s; trying again in %.3g s", url, reason, wait)
            time.sleep(wait)
    raise TransferError(f"{reason} ({retries + 1} attempts)")


def _attempt(url: str, partial: Path, transfer: Transfer, timeout: float) -> None:
    have = partial.stat().st_size if transfer.validator and partial.exists() else 0
    # Without `identity` a server may compress on the fly: size and checksum would be others.
    headers = {"Accept-Encoding": "identity", "User-Agent": "nucleotune"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": transfer.validator}
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.exceptions.SSLError as error:
        raise TransferError(f"TLS error: {_cause(error)}") from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _BrokenError(f"no connection: {_cause(error)}") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransferError(str(error)) from error
    with response:
        if response.status_code == 416:
            _start_again(partial, transfer, "server has fewer bytes than were received before")
        if response.status_code >= 500 or response.status_code in _RETRIED_STATUS:
            raise _BrokenError(f"HTTP {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            raise TransferError(f"HTTP {response.status_code} {response.reason}")
        if response.status_code == 206:
            _check_continuation(response, have, partial, transfer)
            transfer.resumed = True
        else:
            # Either the first attempt, or the server ignores Range, or the file changed meanwhile.
            have = 0
            length = response.headers.get("Content-Length", "")
            transfer.total = int(length) if length.isdecimal() else None
            transfer.validator = _validator(response)
            transfer.last_modified = response.headers.get("Last-Modified")
            transfer.resumed = False
        transfer.final_url = response.url
        _receive(response, partial, have, transfer)


def _cause(error: requests.RequestException) -> object:
    """Return the innermost reason; requests wraps it into the history of a connection pool."""
    return getattr(error.args[0], "reason", error) if error.args else error


def _validator(response: requests.Response) -> str | None:
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _check_continuation(
    response: requests.Response, have: int, partial: Path, transfer: Transfer
) -> None:
    """Refuse to append bytes that do not follow on, or that belong to another version of the file.

    Servers exist that ignore If-Range, so what this response says of itself is compared too.
    """
    served = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", served.strip())
    if not have or match is None or int(match[1]) != have:
        _start_again(partial, transfer, f"asked for bytes from {have}, got {served or 'no range'}")
    total = None if match[2] == "*" else int(match[2])
    if transfer.total is not None and total is not None and total != transfer.total:
        _start_again(partial, transfer, f"file changed from {transfer.total} to {total} bytes")
    validator = _validator(response)
    if validator is not None and validator != transfer.validator:
        _start_again(partial, transfer, f"file changed from {transfer.validator} to {validator}")
    transfer.total = total if transfer.total is None else transfer.total


def _start_again(partial: Path, transfer: Transfer, reason: str) -> None:
    partial.unlink(missing_ok=True)
    transfer.validator = transfer.total = None
    raise _BrokenError(f"{reason}; starting again from the first byte")


def _receive(response: requests.Response, partial: Path, have: int, transfer: Transfer) -> None:
    size, total = have, transfer.total
    started = logged = time.monotonic()
    try:
        with open(partial, "ab" if have else "wb") as file:
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                file.write(chunk)
                size += len(chunk)
                now = time.monotonic()
                if now - logged >= _LOG_SECONDS:
                    logged = now
                    _log_progress(response.url, size, total, (size - have) / (now - started))
    except urllib3.exceptions.HTTPError as error:
        raise _BrokenError(f"connection lost after {size} bytes: {error}") from error
    if total is not None and size < total:
        raise _BrokenError(f"short: {size} of {total} bytes")
    if total is not None and size > total:
        _start_again(partial, transfer, f"long: {size} bytes where {total} were announced")


def _log_progress(url: str, size: int, total: int | None, rate: float) -> None:
    """Log one line with MB, MB/s and the seconds left; `rate` is in bytes per second."""
    done = f"{size / 1e6:.1f} MB" if total is None else f"{size / 1e6:.1f} of {total / 1e6:.1f} MB"
    eta = "unknown" if total is None else f"{(total - size) / rate:.0f} s"
    logger.info("%s: %s, %.2f MB/s, ETA %s", url, done, rate / 1e6, eta)
