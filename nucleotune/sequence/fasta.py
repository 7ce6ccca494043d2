"""Reading FASTA as it is found: plain or gzip, wrapped or not, any line ending, headers of any form.

Own code because headers matter to the letter here (tabs and blanks included) and because existing readers skip broken
input silently: text before the first header, empty records, a truncated gzip stream.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.headers import parse_header
from nucleotune.text import read_lines


class Record(NamedTuple):
    """One FASTA record: the header without '>' and the normalised sequence (upper-case ACGTN, maybe empty)."""

    header: str
    sequence: str


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA file in file order.

    Raises InputError for a missing or empty file, a damaged gzip stream, text before the first header, and letters that
    are no nucleotide codes; the message names file, record and line.
    """
    for header, letters, line in read_letters(path):
        try:
            yield Record(header, normalise(letters))
        except ValueError as error:
            raise InputError(f"{path}: record {header[:60]!r} (line {line}): {error}") from error


def read_letters(path: str | Path) -> Iterator[tuple[str, str, int]]:
    """Header, letters as in the file, and line of each record; InputError as `read_fasta`, but for letters.

    For those to whom lower case says something.
    """
    header: str | None = None
    parts: list[str] = []
    start = 0
    for number, line in read_lines(path):
        if line.startswith(">"):
            if header is not None:
                yield header, "".join(parts), start
            header, parts, start = line[1:].strip(), [], number
            if not header:
                raise InputError(
                    f"{path}: line {number}: empty header; every record needs an id after '>'"
                )
        elif header is not None:
            parts.append(line.strip())
        elif line.strip():
            raise InputError(
                f"{path}: line {number}: expected a FASTA header starting with '>', found {line[:40]!r}"
            )
    if header is None:
        raise InputError(f"{path}: no FASTA records; the file is empty")
    yield header, "".join(parts), start


def read_ids(path: str | Path) -> Iterator[tuple[str, str]]:
    """Yield (id, sequence) with the id that `parse_header` finds; an id given twice is an error."""
    seen: set[str] = set()
    for record in read_fasta(path):
        name = parse_header(record.header)["id"]
        if name in seen:
            raise InputError(
                f"{path}: id {name!r} occurs more than once; an id is the first word of a header (for GENCODE:"
                " the first field)"
            )
        seen.add(name)
        yield name, record.sequence
