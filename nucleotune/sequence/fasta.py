"""Reading FASTA as it is found: plain or gzip, wrapped or not, any line ending, headers of any form.

Own code because headers matter to the letter here (tabs and blanks included) and because readers at hand skip broken
input silently: text before the first header, empty records, a truncated gzip stream.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.text import read_lines


class Record(NamedTuple):
    """One FASTA record: the header without '>' and the normalised sequence (upper-case ACGTN, maybe empty)."""

    header: str
    sequence: str


#: Ensembl's header grammar (cds, cdna, ncrna and pep files). Symbol and description are optional, and the description
#: runs to the end of the line with blanks and colons in it.
ENSEMBL_HEADER = re.compile(
    r"^(?P<id>\S+) (?:cds|cdna|ncrna|pep) (?P<coord_system>[^:\s]+):(?P<assembly>[^:\s]*):(?P<seq_region>[^:\s]+)"
    r":(?P<start>\d+):(?P<end>\d+):(?P<strand>-?1) gene:(?P<gene>\S+)(?: transcript:\S+)?"
    r" gene_biotype:(?P<gene_biotype>\S+) transcript_biotype:(?P<transcript_biotype>\S+)"
    r"(?: gene_symbol:(?P<symbol>.+?))?(?: description:.*)?$"
)


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA file in file order.

    Raises InputError for a missing or empty file, a damaged gzip stream, text before the first header, and letters that
    are no nucleotide codes; the message names file, record and line.
    """
    header: str | None = None
    parts: list[str] = []
    start = 0
    for number, line in read_lines(path):
        if line.startswith(">"):
            if header is not None:
                yield _record(path, header, parts, start)
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
    yield _record(path, header, parts, start)


def _record(path: str | Path, header: str, parts: list[str], line: int) -> Record:
    try:
        return Record(header, normalise("".join(parts)))
    except ValueError as error:
        raise InputError(f"{path}: record {header[:60]!r} (line {line}): {error}") from error


def parse_header(header: str, pattern: re.Pattern[str] | None = None) -> Mapping[str, str | None]:
    """Fields of a header: `id` always; `gene`, `gene_biotype`, `transcript_biotype`, `symbol`, `seq_region` if known.

    With a `pattern` (named groups, searched anywhere) a header that does not match raises ValueError. Without one,
    Ensembl's grammar is tried and otherwise the first word is the id.
    """
    if pattern is not None:
        match = pattern.search(header)
        if match is None:
            raise ValueError("the header does not match the species' 'header' pattern")
        return match.groupdict()
    match = ENSEMBL_HEADER.match(header)
    return match.groupdict() if match else {"id": header.split(maxsplit=1)[0]}


def read_ids(path: str | Path) -> Iterator[tuple[str, str]]:
    """Yield (id, sequence) with the id by Ensembl's grammar or the first word; an id given twice is an error."""
    seen: set[str] = set()
    for record in read_fasta(path):
        name = parse_header(record.header)["id"]
        if name in seen:
            raise InputError(
                f"{path}: id {name!r} occurs more than once; ids are the first words of the headers"
            )
        seen.add(name)
        yield name, record.sequence
