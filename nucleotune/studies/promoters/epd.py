"""Promoters of EPDnew (Dreos et al., Nucleic Acids Res 2013;41:D157): BED of TSS regions and table of motifs."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.delimited import is_note
from nucleotune.errors import InputError
from nucleotune.text import read_lines

#: Promoters of H. sapiens version 006 (hg38); the difference is the 26,533 of the paper and of GUE.
HUMAN_006 = {"promoters": 29_598, "tata": 3_065, "non_tata": 26_533}

#: A BED record of EPDnew covers the TSS, 49 bp upstream and 10 bp downstream.
_UPSTREAM, _DOWNSTREAM = 49, 10
_BOX = _UPSTREAM + 1 + _DOWNSTREAM

#: No chromosome is longer, and int64 holds it.
_COORDINATE = re.compile(r"[0-9]{1,12}")
#: EPD's number of a gene's promoter; `NM_000014` has none.
_NUMBERED = re.compile(r"(.+)_[0-9]{1,3}")


def read_promoters(path: str | Path) -> pd.DataFrame:
    """Read the BED file: columns id, seqname, position (0-based TSS), strand, group (gene symbol).

    A record is EPDnew's box of 60 bp around a TSS, or the TSS itself, 1 bp; columns are separated by tabs or, without
    any tab, between blanks. The id is EPD's name, `<gene>_<number>`: alternative promoters of a gene share its group. A
    promoter called `.` gets its place for a name. Columns 7 and 8 of a box, where given, mark the TSS too and must
    agree. Raises InputError naming the line for anything else.
    """
    rows, lines = [], []
    for number, line in _lines(path):
        if is_note(line):
            continue
        try:
            rows.append(_promoter(_cells(line)))
        except ValueError as error:
            raise InputError(
                f"{path}: line {number}: {error}; expected BED: chromosome, start, end, name, score, strand,"
                f" and either only the TSS (1 bp) or EPDnew's {_BOX} bp around it"
            ) from error
        lines.append(number)
    table = pd.DataFrame(rows, columns=["id", "seqname", "position", "strand", "group"])
    _check_names(path, table["id"], lines)
    return table.astype({"position": "int64"})


def _cells(line: str) -> list[str]:
    if "\t" in line:
        return [cell.strip() for cell in line.rstrip("\t ").split("\t")]
    return line.split()


def _promoter(fields: list[str]) -> tuple[str, str, int, str, str]:
    if len(fields) < 6:
        raise ValueError(f"{len(fields)} columns")
    seqname, _, _, name, _, strand = fields[:6]
    if not seqname or not name:
        raise ValueError("no name of the chromosome or of the promoter")
    if strand not in ("+", "-"):
        raise ValueError(f"strand {strand!r}")
    start, end = (_coordinate(field) for field in fields[1:3])
    if end - start == 1:
        tss = start
    elif end - start == _BOX:
        tss = start + _UPSTREAM if strand == "+" else end - 1 - _UPSTREAM
        marked = [_coordinate(field) for field in fields[6:8]]
        if len(marked) == 2 and tss != (marked[0] if strand == "+" else marked[1] - 1):
            raise ValueError(f"columns 7 and 8 put the TSS elsewhere than at {tss} (0-based)")
    else:
        raise ValueError(f"{end - start} bp")
    if name == ".":
        name = f"{seqname}:{tss}({strand})"
    numbered = _NUMBERED.fullmatch(name)
    return name, seqname, tss, strand, numbered[1] if numbered else name


def _coordinate(text: str) -> int:
    if not _COORDINATE.fullmatch(text):
        raise ValueError(f"coordinate {text[:40]!r}")
    return int(text)


def read_motifs(path: str | Path) -> pd.DataFrame:
    """Read `promoter_motifs.txt`: columns id, then one of booleans for each motif, named as in its header.

    The first column holds promoter names, the others 0 or 1, in any order. Raises InputError where not.
    """
    lines = _lines(path)
    header = next((line.lstrip("#").split() for _, line in lines), [])
    if len(header) < 2:
        raise InputError(f"{path}: expected a header of promoter name and motifs")
    columns = ["id", *header[1:]]
    repeated = next((name for name in columns if columns.count(name) > 1), None)
    if repeated:
        raise InputError(
            f"{path}: column {repeated!r} occurs twice; motif names must be unique, and none can be 'id'"
        )
    rows, numbers = [], []
    for number, line in lines:
        name, *marks = line.split()
        if len(marks) != len(header) - 1 or not {"0", "1"}.issuperset(marks):
            raise InputError(
                f"{path}: line {number}: expected 0 or 1 for each of {', '.join(header[1:])}; found {line[:80]!r}"
            )
        rows.append((name, *(mark == "1" for mark in marks)))
        numbers.append(number)
    table = pd.DataFrame(rows, columns=columns)
    _check_names(path, table["id"], numbers)
    return table


def without_tata(
    promoters: pd.DataFrame, motifs: pd.DataFrame, expected: Mapping[str, int] | None = None
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Promoters without a TATA box, and the waterfall.

    Arguments as read by `read_promoters` and `read_motifs`. expected: numbers that must be met, of `promoters`, `tata`
    and `non_tata` (HUMAN_006 for those files). Raises InputError when one is not, when no or several motifs are called
    TATA, and when a promoter has no row of motifs.
    """
    columns = [name for name in motifs.columns if "tata" in name.lower()]
    if len(columns) != 1:
        raise InputError(
            f"EPDnew motifs: expected one column for the TATA box; found {', '.join(motifs.columns)}"
        )
    tata = promoters["id"].map(motifs.set_index("id")[columns[0]])
    if tata.isna().any():
        raise InputError(
            f"EPDnew motifs: no row for promoter {promoters.loc[tata.isna(), 'id'].iloc[0]!r}"
            f" ({int(tata.isna().sum())} such promoters); use both files of the same version"
        )
    kept = promoters[~tata.astype(bool)].reset_index(drop=True)
    dropped = len(promoters) - len(kept)
    found = {"promoters": len(promoters), "tata": dropped, "non_tata": len(kept)}
    for name, number in (expected or {}).items():
        if name not in found:
            raise InputError(f"EPDnew: 'expected' names {name!r}; known are {', '.join(found)}")
        if found[name] != number:
            raise InputError(
                f"EPDnew: {found[name]} {name.replace('_', '-')}, expected {number}; the expected numbers are"
                " for other files: fetch these again, or leave out the numbers"
            )
    waterfall = [
        {"class": "promoter", "step": "in EPDnew", "kept": len(promoters), "dropped": 0},
        {"class": "promoter", "step": "no TATA box", "kept": len(kept), "dropped": dropped},
    ]
    return kept, waterfall


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their number."""
    return ((number, line.strip()) for number, line in read_lines(path) if line.strip())


def _check_names(path: str | Path, names: pd.Series, lines: list[int]) -> None:
    if names.empty:
        raise InputError(f"{path}: no promoters")
    again = names.duplicated()
    if again.any():
        row = int(again.to_numpy().argmax())
        raise InputError(
            f"{path}: line {lines[row]}: promoter {names.iloc[row]!r} occurs twice; give each its own name,"
            " such as TP53_1 and TP53_2"
        )
