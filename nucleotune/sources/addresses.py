"""Addresses that users write: whether they are safe to use, and how to show them without the secrets in them.

An address may hold a password (`https://user:password@host/`) or a token (`?token=...`). `hide` takes them out where
a file with addresses is read, and all that is written, shown or recorded afterwards is the address without them;
`reveal` gives the whole one back to the code that sends a request. Standard library only: the Snakefile comes here.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from nucleotune.errors import InputError

_USER = re.compile(r"(?<=://)[^/?#\s'\"<>]*@")
_PARAMETER = re.compile(r"([?&;]([^=&;\s]+)=)(?!hidden-[0-9a-f]{8}\b)([^&;#\s'\"<>)\]]+)")
#: Names of parameters whose values let somebody in, those of signed links of cloud stores among them.
_SECRET = re.compile(
    r".*(token|secret|passw|pwd|signature|credential|session|(api|access)[-_.]?key).*"
    r"|key|sig|auth|pass|policy|key-pair-id",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_VARIABLE = "NUCLEOTUNE_ADDRESS_"
#: Bytes of the longest name of a file, less what temporary names add.
_LONGEST = 220


def without_secrets(text: str) -> str:
    """An address, or a text with addresses in it, less users and passwords, and with the values of tokens replaced.

    `hidden-` and eight digits of a checksum replace a value: two files told apart by their tokens alone
    remain two.
    """

    def hidden(match: re.Match[str]) -> str:
        if not _SECRET.fullmatch(match[2]):
            return match[0]
        return f"{match[1]}hidden-{_checksum(match[3])[:8]}"

    return _PARAMETER.sub(hidden, _USER.sub("", text))


def hide(url: str) -> str:
    """The address without its secrets; `reveal` knows them, in this process and in those that it starts."""
    shown = without_secrets(url)
    if shown != url:
        os.environ[_variable(shown)] = url
    return shown


def reveal(url: str) -> str:
    """The address that `hide` was given; any other comes back as it is."""
    return os.environ.get(_variable(url), url)


def take_addresses(value: Any, where: str) -> Any:
    """What a user's file holds, with every address in it (lists under `urls`) checked and without its secrets.

    Raises InputError, beginning with `where` (such as `mine.yaml: `) and the key.
    """
    if isinstance(value, list):
        return [take_addresses(item, f"{where}{number}.") for number, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    return {
        key: [take_address(url, f"{where}{key}.{number}") for number, url in enumerate(item)]
        if key.endswith("urls")
        else take_addresses(item, f"{where}{key}.")
        for key, item in value.items()
    }


def take_address(url: str, where: str) -> str:
    """An address of a user's file, checked (`check_address`) and without its secrets (`hide`)."""
    check_address(url, where)
    return hide(url)


def check_address(url: str, where: str) -> None:
    """Raise InputError, beginning with `where`, for what is no address of a single file.

    Valid are http and https with the name or number of a host, `file:///<absolute path>`, and plain paths. Characters
    that cannot be seen or that name a wildcard of the workflow ({, }) are refused everywhere.
    """
    if not url.strip():
        raise InputError(f"{where}: an empty address; give an http(s) or file URL or a path")
    shown = without_secrets(url)
    if not url.isprintable() or not unquote(split_address(url, where).path).isprintable():
        raise InputError(f"{where}: {shown!r} has characters that cannot be printed")
    if re.search(r"[{}]|%7[bd]", url, re.IGNORECASE):
        raise InputError(f"{where}: {shown!r} has braces, which are not allowed here")
    if "://" not in url:
        return
    parts = split_address(shown, where)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or parts.path in ("", "/"):
            raise InputError(
                f"{where}: {shown!r}: a file URL must have an absolute path: file:///..."
            )
        return
    if parts.scheme not in ("http", "https"):
        raise InputError(f"{where}: {shown!r}: expected an http, https or file URL or a path")
    if any(len(unquote(name).encode()) > _LONGEST for name in _names(parts)):
        raise InputError(
            f"{where}: {shown!r}: too long for the name of a file; download it by hand and give its path"
        )
    if not is_host(parts.hostname or ""):
        raise InputError(
            f"{where}: {parts.hostname or ''!r} is not the name of a host; expected https://<host>/<path>"
        )


def _names(parts: SplitResult) -> list[str]:
    """Directories and file that a URL is stored under, the query in the name of the file."""
    *folders, name = parts.path.split("/")
    return [*folders, f"{name}?{parts.query}"]


def split_address(url: str, where: str) -> SplitResult:
    """`urlsplit` whose port has also been read; InputError for what is not of the form of a URL.

    The message does not repeat the address: in one that cannot be taken apart a password cannot be found.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"{where}: an invalid URL (host or port; in a password, '/' is written %2F, '@' %40)"
        ) from error
    return parts


def is_host(host: str) -> bool:
    """Whether `host` can name a machine: labels of letters and digits between dots, or an IPv6 address."""
    if ":" in host:  # without its brackets, which urlsplit has checked
        return re.fullmatch(r"[0-9a-f:.]+(%\w+)?", host, re.IGNORECASE) is not None
    try:
        labels = host.encode("idna").decode().split(".")
    except UnicodeError:
        return False
    return all(_LABEL.fullmatch(label) for label in labels)


def _variable(shown: str) -> str:
    return _VARIABLE + _checksum(shown)[:16]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
