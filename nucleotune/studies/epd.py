"""Promoters of EPDnew (Dreos et al., Nucleic Acids Res 2013;41:D157): BED of TSS regions and table of motifs."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.errors import InputError

#: Promoters of H. sapiens version 006 (hg38); the difference is the 26,533 of the paper and of GUE.
HUMAN_006 = {"promoters": 29_598, "tata": 3_065, "non_tata": 26_533}

#: A BED record covers the TSS, 49 bp upstream and 10 bp downstream.
_UPSTREAM, _DOWNSTREAM = 49, 10


def read_promoters(path: str | Path) -> pd.DataFrame:
    """Read the BED file: columns id, seqname, position (0-based TSS), strand, group (gene symbol).

    The id is EPD's name, `<gene>_<number>`: alternative promoters of a gene share its group. Columns 7 and 8, where
    given, mark the TSS too and must agree. Raises InputError naming the line for anything else.
    """
    rows = []
    for number, line in _lines(path):
        if line.startswith(("#", "track", "browser")):
            continue
        try:
            rows.append(_promoter(line.split()))
        except ValueError as error:
            raise InputError(
                f"{path}: line {number}: {error}; expected EPDnew's BED: chromosome, start, end, name, score, strand"
                " and 60 bp around a TSS"
            ) from error
    table = pd.DataFrame(rows, columns=["id", "seqname", "position", "strand", "group"])
    _check_names(path, table["id"])
    return table


def _promoter(fields: list[str]) -> tuple[str, str, int, str, str]:
    if len(fields) < 6:
        raise ValueError(f"{len(fields)} columns")
    seqname, start, end, name, _, strand = fields[:6]
    if strand not in ("+", "-"):
        raise ValueError(f"strand {strand!r}")
    if int(end) - int(start) != _UPSTREAM + 1 + _DOWNSTREAM:
        raise ValueError(f"{int(end) - int(start)} bp")
    tss = int(start) + _UPSTREAM if strand == "+" else int(end) - 1 - _UPSTREAM
    if len(fields) >= 8 and tss != (int(fields[6]) if strand == "+" else int(fields[7]) - 1):
        raise ValueError(f"columns 7 and 8 put the TSS elsewhere than at {tss} (0-based)")
    return name, seqname, tss, strand, name.rpartition("_")[0] or name


def read_motifs(path: str | Path) -> pd.DataFrame:
    """Read `promoter_motifs.txt`: columns id, then one of booleans for each motif, named as in its header.

    The first column holds promoter names, the others 0 or 1, in any order. Raises InputError where not.
    """
    lines = _lines(path)
    header = next((line.lstrip("#").split() for _, line in lines), [])
    if len(header) < 2:
        raise InputError(f"{path}: expected a header of promoter name and motifs")
    rows = []
    for number, line in lines:
        name, *marks = line.split()
        if len(marks) != len(header) - 1 or not {"0", "1"}.issuperset(marks):
            raise InputError(
                f"{path}: line {number}: expected 0 or 1 for each of {', '.join(header[1:])}; found {line[:80]!r}"
            )
        rows.append((name, *(mark == "1" for mark in marks)))
    table = pd.DataFrame(rows, columns=["id", *header[1:]])
    _check_names(path, table["id"])
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
            f" ({int(tata.isna().sum())} such); take both files from the same version"
        )
    kept = promoters[~tata.astype(bool)].reset_index(drop=True)
    dropped = len(promoters) - len(kept)
    found = {"promoters": len(promoters), "tata": dropped, "non_tata": len(kept)}
    for name, number in (expected or {}).items():
        if name not in found:
            raise InputError(
                f"EPDnew: a number is expected of {name!r}; known are {', '.join(found)}"
            )
        if found[name] != number:
            raise InputError(
                f"EPDnew: {found[name]} {name.replace('_', '-')}, expected {number}; these are not the files that the"
                " expected numbers belong to: fetch them again, or leave out the numbers"
            )
    waterfall = [
        {"class": "promoter", "step": "in EPDnew", "kept": len(promoters), "dropped": 0},
        {"class": "promoter", "step": "no TATA box", "kept": len(kept), "dropped": dropped},
    ]
    return kept, waterfall


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their number."""
    try:
        with (
            gzip.open(path, "rt") if str(path).endswith(".gz") else open(path, encoding="utf-8")
        ) as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line.strip()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _check_names(path: str | Path, names: pd.Series) -> None:
    if names.empty:
        raise InputError(f"{path}: no promoters")
    if names.duplicated().any():
        raise InputError(f"{path}: promoter {names[names.duplicated()].iloc[0]!r} occurs twice")
