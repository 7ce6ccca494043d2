"""The code that a step's results rest on, and when it runs again; standard library only.

Snakemake sees a script, not the library behind it. Cheap steps that nothing dear follows carry a digest of all the code
they import among their parameters, and run again when any of it changes. A step that is dear, or has dear ones behind
it, carries a number, its stage's in `stages.tsv`, which is raised by hand when its results change. Beside each number
stands the digest of the code that it is about, so that nobody forgets to ask: a test fails until `make stages` has
written the digests of today.
"""

import csv
import hashlib
import re
from functools import cache
from pathlib import Path

from nucleotune.files import atomic_path

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".tsv")

_IMPORT = re.compile(
    r"^[ \t]*(?:from (nucleotune[\w.]*) import (\([^)]*\)|[^\n]*)|import (nucleotune[\w.]*))", re.M
)
#: Imports for type hints alone, which no job carries out.
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+\S.*\n|\n)+", re.M)


def stage_number(stage: str) -> int:
    """Number of a stage of `stages.tsv`; KeyError for another name."""
    return _numbers()[stage]


@cache
def _numbers() -> dict[str, int]:
    return {row["stage"]: int(row["number"]) for row in read_stages()}


def read_stages() -> list[dict[str, str]]:
    """Rows of `stages.tsv`: `stage`, `scripts` (names and packages (`.*`), after commas), `number`, `digest`."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def stage_digest(row: dict[str, str]) -> str:
    """Digest of the code behind all scripts of a stage."""
    names = row["scripts"].split(",")
    return code_digest(*(name if "." in name else f"scripts/{name}.py" for name in names))


@cache
def code_digest(*starts: str) -> str:
    """Digest of all code behind scripts (`scripts/evaluate.py`), functions (`package.module:f`) or modules."""
    digest = hashlib.sha256()
    for path in closure(*starts):
        digest.update(f"{path.relative_to(ROOT)} {_digest(path)}\n".encode())
    return digest.hexdigest()[:16]


def closure(*starts: str) -> list[Path]:
    """Their own files and those of the library that they import, directly or not, in order.

    A package with `.*` stands for all its modules: what looks one up by its name imports none of them.
    """
    found: set[Path] = set()
    ahead: list[Path] = []
    for start in starts:
        if start.endswith(".*"):
            ahead += _file(start[:-2]).parent.glob("*.py")
        else:
            ahead.append(ROOT / start if start.endswith(".py") else _file(start.partition(":")[0]))
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead += _imported(path)
    return sorted(found)


@cache
def _imported(path: Path) -> list[Path]:
    """Files of the modules that a file imports, at its head or within functions, and of the packages around them."""
    names = set()
    text = _FOR_TYPES.sub("", path.read_text(encoding="utf-8"))
    for package, imported, plain in _IMPORT.findall(text):
        base = package or plain
        parts = base.split(".")
        names |= {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
        names |= {f"{base}.{name}" for name in re.findall(r"(\w+)(?: as \w+)?", imported)}
    return [file for file in map(_file, sorted(names)) if file.is_file()]


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_digests() -> None:
    """Write the digests of today into `stages.tsv`; the numbers stay."""
    rows = [row | {"digest": stage_digest(row)} for row in read_stages()]
    with atomic_path(TABLE) as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write_digests()
