"""Is a downloaded file what its source promised? Size, first bytes, integrity, checksum."""

import gzip
import logging
import os
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from nucleotune.bounds import most_unpacked, unpacks_to_too_much
from nucleotune.errors import InputError
from nucleotune.files import file_digest
from nucleotune.sources.registry import Source

logger = logging.getLogger(__name__)

#: Recorded where a `bsdsum` source has no usable CHECKSUMS beside it.
NO_CHECKSUM = "none available"

_MAGIC = {"gzip": (b"\x1f\x8b",), "zip": (b"PK\x03\x04", b"PK\x05\x06"), "fasta": (b">",)}
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")
_BLOCK = 1 << 20


class VerificationError(InputError):
    """The bytes are not those the source promises."""


def verify(path: str | Path, source: Source, checksums: Callable[[], str | None], name: str) -> str:
    """Check all that is known about the file at `path`; return what its checksum was checked by.

    checksums: gives the text of the CHECKSUMS file beside the candidate, None where there is none;
        called last and for `bsdsum` only, since it may need the network.
    name: the file's name in that text (`path` may be a temporary name).
    Returns `md5`, `sha256`, `bsdsum`, `none` (the source declares none) or NO_CHECKSUM.
    Raises VerificationError.
    """
    path = Path(path)
    size = path.stat().st_size
    if size < source.min_bytes:
        raise VerificationError(
            f"{size} bytes, expected at least {source.min_bytes}{_opening(path)}"
        )
    check_content(path, source.kind)
    method, _, expected = source.checksum.partition(":")
    if method == "bsdsum":
        return _verify_bsd_sum(path, checksums() or "", name)
    if method != "none":
        found = file_digest(path, method)
        if found != expected:
            raise VerificationError(f"{method} is {found}, expected {expected}")
    return method


def _verify_bsd_sum(path: Path, checksums: str, name: str) -> str:
    expected = parse_checksums(checksums).get(name)
    if expected is None:
        return NO_CHECKSUM
    found = bsd_sum(path)
    if found != expected:
        raise VerificationError(
            "BSD sum and 1024-byte blocks are {} {}, CHECKSUMS has {} {}".format(*found, *expected)
        )
    return "bsdsum"


def check_magic(path: str | Path, kind: str) -> None:
    """Check the first bytes of the file against `kind`; `binary` is anything but nothing and a web page.

    Raises VerificationError quoting the first 60 characters; says so where a host answered with a
    web page.
    """
    with open(path, "rb") as file:
        head = file.read(1024)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.lower().startswith(_HTML):
        raise VerificationError(f"expected {kind}, found a web page (HTML){_opening(path)}")
    if kind == "text":
        valid = bool(head) and b"\0" not in head
    elif kind == "binary":
        valid = bool(head)
    else:
        valid = (text if kind == "fasta" else head).startswith(_MAGIC[kind])
    if not valid:
        raise VerificationError(f"expected {kind}, found something else{_opening(path)}")


def _opening(path: str | Path) -> str:
    with open(path, "rb") as file:
        head = file.read(60).decode("utf-8", errors="replace")
    return f", it begins with {head!r}" if head else ", it is empty"


def check_content(path: str | Path, kind: str) -> None:
    """Check the first bytes, and read gzip and zip files to their end against their built-in CRCs.

    Raises VerificationError for a wrong, truncated or damaged file, and for one that unpacks to more than allowed.
    """
    check_magic(path, kind)
    try:
        if kind == "gzip":
            most, size = most_unpacked(), 0
            with gzip.open(path, "rb") as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if size > most:
                        raise VerificationError(unpacks_to_too_much())
        elif kind == "zip":
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > most_unpacked():
                    raise VerificationError(unpacks_to_too_much())
                damaged = archive.testzip()
            if damaged is not None:
                raise VerificationError(f"zip file is damaged at member {damaged!r}")
    except EOFError as error:
        raise VerificationError(f"{kind} file is truncated") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise VerificationError(f"{kind} file is damaged or truncated: {error}") from error


def check_end(path: str | Path, kind: str, delimited: bool) -> None:
    """Look at the end of a text without a checksum: compressed files are read to theirs, nothing else shows a cut.

    delimited: whether the host said where the file ends. If not, VerificationError where the last line has no end, else
    a warning, since there are whole files of that kind.
    """
    if kind not in ("text", "fasta"):
        return
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) in b"\r\n":
            return
    if delimited:
        logger.warning(
            "the last line has no end, the only sign that the host may have truncated the file"
        )
        return
    raise VerificationError(
        "its last line has no end, and the server does not say how long the file is: it may be truncated; if it"
        " is complete, give its md5 or sha256 as 'checksum'"
    )


def bsd_sum(path: str | Path) -> tuple[int, int]:
    """BSD checksum as in Ensembl's CHECKSUMS: (16-bit rotating sum, 1024-byte blocks rounded up).

    GNU `sum -r` does it about 30 times faster than Python; other programs called `sum` mean other
    algorithms.
    """
    if not _sum_is_gnu():
        return bsd_sum_python(path)
    with open(path, "rb") as file:
        output = subprocess.run(["sum", "-r"], stdin=file, capture_output=True, check=True).stdout
    checksum, blocks = output.split()[:2]
    return int(checksum), int(blocks)


@cache
def _sum_is_gnu() -> bool:
    if shutil.which("sum") is None:
        return False
    version = subprocess.run(["sum", "--version"], capture_output=True, stdin=subprocess.DEVNULL)
    return version.returncode == 0 and b"GNU coreutils" in version.stdout


def bsd_sum_python(path: str | Path) -> tuple[int, int]:
    """`bsd_sum` without the program: rotate right by one bit, add the byte, keep 16 bits."""
    checksum = size = 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            for byte in block:
                checksum = ((checksum >> 1) + ((checksum & 1) << 15) + byte) & 0xFFFF
    return checksum, -(-size // 1024)


def parse_checksums(text: str) -> dict[str, tuple[int, int]]:
    """Read a CHECKSUMS file into file name -> (BSD sum, 1024-byte blocks).

    Blanks or tabs, padded numbers and paths before the name vary between the pipelines that write
    these files. Lines of another form are skipped: a host may serve a page or a notice in the
    file's place.
    """
    sums = {}
    for line in text.splitlines():
        fields = line.split(maxsplit=2)
        if len(fields) == 3 and fields[0].isdecimal() and fields[1].isdecimal():
            name = fields[2].rstrip().rpartition("/")[2]
            sums[name] = (int(fields[0]), int(fields[1]))
    return sums
