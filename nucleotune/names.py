"""Names of plug-ins and of data sets, which become directories and targets, and titles, which become rows of tables.

Checked before the first job. Imported by the Snakefile: standard library only.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from nucleotune.errors import InputError

#: Names in a data set's directory beside those of its methods.
RESERVED_METHODS = ("attention",)


class Named(Protocol):
    """Anything with a name, such as a data set."""

    @property
    def name(self) -> str: ...


NamedT = TypeVar("NamedT", bound=Named)


def check_name(name: str, where: str) -> None:
    """A name that can be a directory and a target everywhere, else InputError beginning with `where`."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or ".." in name:
        raise InputError(
            f"{where} {name!r} becomes the name of a directory; expected letters, digits, '.', '_' and '-', beginning"
            " with a letter or digit and without two dots in a row"
        )


def as_directories(names: Iterable[str]) -> dict[str, str]:
    """Name of a directory -> name, in their order, of names that may hold any letter.

    Other letters than A to Z, digits, '_' and '-' become '-'; of names that are then alike, whatever their case, later
    ones have their number behind.
    """
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("_-") or "target"
        while plain.lower() in map(str.lower, found):
            plain = f"{plain}-{number}"
        found[plain] = name
    return found


def by_name(items: Iterable[NamedT], what: str) -> dict[str, NamedT]:
    """Name -> item, in their order; InputError where two have one name, the later of which would replace the first.

    what: the names that data sets are made of, for the message.
    """
    found: dict[str, NamedT] = {}
    for item in items:
        if item.name in found:
            raise InputError(
                f"two data sets of this run would be called {item.name!r}, which is composed of {what}; give"
                " one of them"
                " another name"
            )
        found[item.name] = item
    return found


def check_titles(kind: str, names: Iterable[str], files: Mapping[str, Mapping[str, Any]]) -> None:
    """Plug-ins that stand in one table have unique titles: rows are told apart by them.

    kind: directory of their files. files: name -> validated file.
    """
    owners: dict[str, str] = {}
    for name in names:
        title = files[name]["title"]
        if title in owners:
            raise InputError(
                f"{kind}/{owners[title]}.yaml and {kind}/{name}.yaml have the same title, {title!r}, but tables"
                " and figures tell them apart by it; give one of them another title"
            )
        if title.endswith("(as published)"):
            raise InputError(
                f"{kind}/{name}.yaml: title {title!r}: titles that end in '(as published)' are reserved for the"
                " papers' rows; give it another title"
            )
        owners[title] = name
