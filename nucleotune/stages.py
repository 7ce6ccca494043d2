"""The code that a step's results rest on, as one digest; standard library only.

Snakemake sees a script, not the library behind it. A digest among the parameters of a rule makes it run again when any
module changes that the step imports.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_IMPORT = re.compile(
    r"^[ \t]*(?:from (nucleotune[\w.]*) import (\([^)]*\)|[^\n]*)|import (nucleotune[\w.]*))", re.M
)


@cache
def imported(module: str) -> frozenset[str]:
    """Modules of the library that `module` imports itself, at its head or within functions, packages included."""
    found = set()
    for package, names, plain in _IMPORT.findall(_source(module).read_text(encoding="utf-8")):
        base = package or plain
        found.add(base)
        for name in re.findall(r"\w+(?: as \w+)?", names):
            found.add(f"{base}.{name.split()[0]}")
    parents = {
        ".".join(name.split(".")[:n]) for name in found for n in range(1, name.count(".") + 2)
    }
    return frozenset(name for name in parents if _exists(name))


def closure(module: str) -> list[str]:
    """`module` and all that it imports, directly or not, in alphabetical order."""
    found, ahead = set(), [module]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += imported(name)
    return sorted(found)


@cache
def code_digest(function: str) -> str:
    """Digest of the code behind a function, such as "nucleotune.studies.rbp.write:figure2"."""
    digest = hashlib.sha256()
    for module in closure(function.partition(":")[0]):
        digest.update(f"{module} {_digest(module)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _digest(module: str) -> str:
    return hashlib.sha256(_source(module).read_bytes()).hexdigest()


@cache
def _exists(module: str) -> bool:
    return _source(module).is_file()


def _source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
