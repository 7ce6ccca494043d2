"""The registry of external files: rows of `resources/sources.tsv`, URL templates, places on disk.

Standard library only: the Snakefile is parsed again in every cluster job, and imports this module.
"""

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nucleotune.errors import InputError
from nucleotune.sources.addresses import check_address, is_host, split_address, without_secrets
from nucleotune.text import read_rows

COLUMNS = ("name", "urls", "checksum", "min_bytes", "kind", "licence", "note")

#: What the first bytes of a file are checked for; see `nucleotune.sources.verify.check_content`.
KINDS = ("gzip", "fasta", "text", "zip", "binary")

#: Template fields that may be empty; a path segment made of one alone then disappears.
OPTIONAL_FIELDS = ("collection",)

_FIELD = re.compile(r"\{(\w+)\}")
_CHECKSUM = re.compile(r"none|bsdsum|md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Source:
    """One external file and all that is known about it before it is fetched.

    name: how error messages and the configuration call it.
    urls: candidates, best first: http(s) URLs, `file://` URLs or plain paths; templates such as
        `{species}` until `resolve` has filled them.
    checksum: `bsdsum` (Ensembl's CHECKSUMS beside the candidate used), `md5:<hex>`,
        `sha256:<hex>` or `none`.
    min_bytes: smallest size that can be the real file.
    kind: one of KINDS.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    min_bytes: int
    kind: str
    licence: str
    note: str


def read_registry(path: str | Path) -> dict[str, Source]:
    """Read a registry (`text.read_rows`); InputError names the file, the line and the column of the first fault."""
    sources: dict[str, Source] = {}
    for where, row in read_rows(path, COLUMNS):
        source = _parse_row(row, where)
        if source.name in sources:
            raise InputError(f"{where}, column 'name': {source.name!r} occurs more than once")
        sources[source.name] = source
    if not sources:
        raise InputError(f"{path}: empty; expected the tab-separated header {' '.join(COLUMNS)}")
    return sources


def _parse_row(row: Mapping[str, str], where: str) -> Source:
    def require(column: str, valid: bool, expected: str) -> None:
        if not valid:
            raise InputError(
                f"{where}, column {column!r}: expected {expected}, found {without_secrets(row[column])!r}"
            )

    urls = tuple(row["urls"].split())
    require("name", re.fullmatch(r"[A-Za-z][\w-]*", row["name"]) is not None, "a name (A-Z0-9_-)")
    require("urls", bool(urls), "one or more blank-separated URLs or paths")
    for url in urls:
        require("urls", not re.search(r"[{}]", _FIELD.sub("", url)), "braces as {field} only")
        scheme = url.partition("://")[0] if "://" in url else "file"
        require("urls", scheme in (*_DEFAULT_PORTS, "file"), "http, https, file:// or plain paths")
        require(
            "urls", url == without_secrets(url), "no passwords or tokens, which others would see"
        )
    require(
        "checksum",
        _CHECKSUM.fullmatch(row["checksum"]) is not None,
        "bsdsum, md5:<32 hex>, sha256:<64 hex> (lower case) or none",
    )
    require("min_bytes", re.fullmatch("[0-9]+", row["min_bytes"]) is not None, "a whole number")
    require("kind", row["kind"] in KINDS, "one of " + ", ".join(KINDS))
    require("licence", bool(row["licence"]), "the licence or terms of use")
    return Source(**{**row, "urls": urls, "min_bytes": int(row["min_bytes"])})


def resolve(source: Source, **fields: object) -> Source:
    """Fill the URL templates of `source`.

    `Species` (file stem: first letter upper case) follows from `species` unless given. A field in
    OPTIONAL_FIELDS may be absent, None or empty. Raises InputError naming any other such field, and for values that
    make no address.
    """
    if "species" in fields and "Species" not in fields:
        species = str(fields["species"])
        fields["Species"] = species[:1].upper() + species[1:]

    def value(match: re.Match[str]) -> str:
        field = fields.get(match[1])
        if field is not None and str(field):
            return str(field)
        if match[1] in OPTIONAL_FIELDS:
            return ""
        raise InputError(
            f"source {source.name!r}: its URL needs a value for {match[1]!r}: {match.string}; "
            f"add {match[1]!r} to the species' configuration"
        )

    urls = tuple(_fill(url, value) for url in source.urls)
    for url in urls:
        check_address(url, f"source {source.name!r}")
    return replace(source, urls=urls)


def _fill(url: str, value: Callable[[re.Match[str]], str]) -> str:
    if not _FIELD.search(url):
        return url
    scheme, separator, rest = url.rpartition("://")
    return scheme + separator + re.sub("/{2,}", "/", _FIELD.sub(value, rest))


def is_remote(url: str) -> bool:
    """Tell whether `url` needs the network (http, https), unlike `file://` or a plain path."""
    return url.lower().startswith(("http://", "https://"))


def file_path(url: str) -> Path:
    """Return the path of a `file://` URL or plain path (`~` expanded).

    Raises InputError for another scheme or a `file://` URL with a host (two slashes instead of
    three).
    """
    if "://" not in url:
        return Path(url).expanduser()
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise InputError(f"{without_secrets(url)}: expected an http, https or file URL or a path")
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"{url}: a file URL must have an absolute path: file:///{parts.netloc}...")
    return Path(unquote(parts.path))


def local_path(url: str) -> str:
    """Return where a download of `url` is below a download or mirror directory: `<host>/<path>`.

    The layout is that of `wget -x` (GNU wget 1.21 on Unix), so a directory it filled is a mirror: a
    port other than the scheme's own stays (`host:8080/...`), the query stays in the file name after
    `?`, `%xx` is decoded except for what a file name cannot hold, user and fragment go, an empty
    file name becomes `index.html`. Files on this machine have no host: absolute paths lie under
    `localhost/`, relative ones under `workdir/`. Values of tokens in the query are replaced
    (`nucleotune.sources.addresses.without_secrets`). Raises InputError for what names no host.
    """
    if not is_remote(url):
        path = os.path.normpath(file_path(url))
        if path.startswith(".."):
            path = os.path.abspath(path)
        return f"localhost{path}" if os.path.isabs(path) else f"workdir/{path}"
    parts = split_address(without_secrets(url), "downloads")
    host = parts.hostname or ""
    if not is_host(host):
        raise InputError(f"{without_secrets(url)}: {host!r} is not the name of a host")
    if parts.port not in (None, _DEFAULT_PORTS[parts.scheme]):
        host += f":{parts.port}"
    directory, _, name = parts.path.rpartition("/")
    directory = posixpath.normpath(f"/{directory}").strip("/")
    name = _file_name(name) or "index.html"
    if parts.query:
        name += f"?{_file_name(parts.query)}"
    return "/".join([host, *(_file_name(part) for part in directory.split("/") if part), name])


def _file_name(part: str) -> str:
    """Decode one path segment or query, keeping escaped what would not be one file name."""
    decoded = unquote(part)
    if decoded in (".", ".."):
        return decoded.replace(".", "%2E")
    return re.sub(r"[/\x00-\x1f\x7f]", lambda match: f"%{ord(match[0]):02X}", decoded)
