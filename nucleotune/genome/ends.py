"""Counts of transcripts' 3' ends by position, from TIF-seq, BED, bedGraph or a table of any other form.

All readers return one row a place, in order of contig, position and strand, places without any count left out:

    seqname    category
    position   int64, 0-based: the last base that is transcribed, before the tail
    strand     category  "+" or "-", that of the transcript
    <track>    int64, one column per track (growth condition, tissue ..)

Contigs are texts: 1.10 is not 1.1. Counts are of reads: values that are no whole numbers (4.0 is one) are refused,
since rounding what was scaled to the size of a library would drop the rare ends, and losses and metrics built on counts
would mean something else. Files are plain or gzip, by their first bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune import delimited
from nucleotune.delimited import MOST, whole_numbers
from nucleotune.errors import InputError
from nucleotune.text import open_text

PLACE = ("seqname", "position", "strand")
STRANDS = ("+", "-")

#: Tracks of TIF-seq and the columns that are summed into each, of those that a file has: three libraries a condition.
TIFSEQ_TRACKS = {"glucose": ("ypd", "lypd", "nypd"), "galactose": ("gal", "lgal", "ngal")}

#: Type of the transcripts that hold exactly one ORF, from end to end, and are named after it.
_INTACT = "Covering one intact ORF"

#: Coverage has one count at many places in a row, ends of reads rarely: nt of an interval, share of those wider, and
#: the most that any may have.
WIDE, MANY_WIDE, WIDEST = 20, 0.05, 1000


def read_tifseq(
    path: str | Path, tracks: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Read the isoforms of Pelechano et al. (Nature 2013;497:127), with positions from 1 on, and sum them by 3' end.

    Args:
        path: `tsedall` of GSE39128 (tabs: chr strand t5 t3 ypd gal lypd lgal nypd ngal) or `S1_TIFs` of the paper's
            supplement (blanks: chr strand t5 t3 ypd gal type name).
        tracks: columns summed into each track, by its name; without, TIFSEQ_TRACKS.

    Raises InputError for another format, a column that is not there, and a record that is none.
    """
    table = _read_isoforms(path)
    if tracks is None:
        tracks = {
            track: [column for column in columns if column in table]
            for track, columns in TIFSEQ_TRACKS.items()
        }
    position = _whole(path, table, "t3", least=1) - 1
    return _by_place(path, table, "chr", position, "strand", _summed(path, table, tracks))


def read_intact_orfs(path: str | Path) -> pd.DataFrame | None:
    """Transcripts of a TIF-seq file that cover one intact ORF: seqname, start, end (0-based half-open), strand, gene.

    None for the form that does not name ORFs (`tsedall`).
    """
    table = _read_isoforms(path)
    if "type" not in table:
        return None
    table = table[(table["type"] == _INTACT) & (table["name"] != "NA")]
    ends = np.stack([_whole(path, table, name, least=1) for name in ("t5", "t3")])
    columns = {"seqname": table["chr"], "start": ends.min(0) - 1, "end": ends.max(0)}
    rows = pd.DataFrame({**columns, "strand": table["strand"], "gene": table["name"]})
    return rows.reset_index(drop=True)


def read_bed(path: str | Path, track: str = "reads", column: int = 5) -> pd.DataFrame:
    """Read a BED file of 3' ends, or of clusters, whose last base (in their orientation) is taken.

    column: number of the column with the counts, from 1 on; 5 is BED's score.
    """
    table = _read_bed_columns(path, max(column, 6))
    start, end = _intervals(path, table)
    position = np.where(table["column 6"] == "-", start, end - 1)
    counts = {track: _whole(path, table, f"column {column}", reads=True)}
    return _by_place(path, table, "column 1", position, "column 6", counts)


def read_bedgraphs(plus: str | Path, minus: str | Path, track: str = "reads") -> pd.DataFrame:
    """Read counts of 3' ends (not coverage) from one bedGraph a strand.

    In the file of the minus strand all values may be negative, as genome browsers like them.
    """
    parts = []
    for path, strand in ((plus, "+"), (minus, "-")):
        table = _read_bed_columns(path, 4)
        start, end = _intervals(path, table)
        value, known = whole_numbers(table["column 4"])
        if strand == "-" and known.all() and (value <= 0).all():
            value = -value
        else:
            value = _whole(path, table, "column 4", reads=True)
        wide = (end - start > WIDE)[value > 0]
        if wide.sum() > MANY_WIDE * len(wide):
            raise InputError(
                f"{path}: {wide.mean():.0%} of the intervals with reads are wider than {WIDE} nt: expected counts of"
                " 3' ends by position, not coverage (as written by bedtools genomecov with -3, not without it)"
            )
        width = np.where(value > 0, end - start, 0)
        if width.max() > WIDEST:
            row = width.argmax()
            raise InputError(
                f"{path}: line {table.index[row]}: {value[row]} reads at each of {width[row]} consecutive"
                f" positions; expected counts of 3' ends by position, at most {WIDEST} equal ones in a row"
            )
        row = np.repeat(np.arange(len(table)), width)
        position = start[row] + np.arange(len(row)) - (np.cumsum(width) - width)[row]
        places = table[["column 1"]].iloc[row].assign(strand=strand)
        parts.append(_by_place(path, places, "column 1", position, "strand", {track: value[row]}))
    return combine(parts)


def read_table(
    path: str | Path,
    *,
    tracks: Mapping[str, Sequence[str]],
    seqname: str = "seqname",
    position: str = "position",
    strand: str = "strand",
    first: int = 1,
) -> pd.DataFrame:
    """Read a table with a header, between tabs or else commas, one row a place.

    Args:
        path: the file.
        tracks: columns summed into each track, by its name.
        seqname: name of the column with the contig.
        position: name of the column with the last base before the tail.
        strand: name of the column with + or -.
        first: number of a contig's first base in the file, 1 or 0.
    """
    table = delimited.read_table(path)
    _check_columns(path, table, (seqname, position, strand))
    return _by_place(
        path,
        table,
        seqname,
        _whole(path, table, position, least=first) - first,
        strand,
        _summed(path, table, tracks),
    )


def combine(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the places of several files together: counts of one track are summed, those of a track it lacks are 0."""
    table = pd.concat([part.astype({"seqname": "str"}) for part in tables], ignore_index=True)
    tracks = [name for name in table if name not in PLACE]
    table[tracks] = table[tracks].fillna(0).astype(np.int64)
    return _sum_places(table.astype({"seqname": "category"}))


def _read_isoforms(path: str | Path) -> pd.DataFrame:
    """The records of both forms as columns of texts; index: numbers of the lines."""
    with open_text(path) as stream:
        # The supplement has apostrophes of latin-1.
        texts = (line.decode("latin-1").rstrip("\n\x1a") for line in stream)
        lines = enumerate(texts, start=1)
        _, header = next(lines, (1, ""))
        names = delimited.header_names(path, 1, delimited.blanks_to_tabs(header).split("\t"))
        if names[:4] != ["chr", "strand", "t5", "t3"]:
            raise InputError(
                f"{path}: line 1: expected a header that begins with chr strand t5 t3, as in tsedall or S1_TIFs of"
                f" TIF-seq; found {header[:80]!r}"
            )
        lines = ((number, line) for number, line in lines if line.strip())
        if "type" in names:
            names = names[: names.index("type")]
            lines = _in_columns(path, lines, names)
            names = [*names, "type", "name"]
        return delimited.columns_of(path, lines, names, "\t", "as in the header")


def _in_columns(
    path: str | Path, lines: Iterator[tuple[int, str]], names: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """Lines of the supplement with tabs between columns: from `type` to the last blank there are several words."""
    for number, line in lines:
        *cells, rest = line.rstrip(" \t").split(" ", len(names))
        if len(cells) < len(names):
            raise InputError(
                f"{path}: line {number}: expected {' '.join(names)} type name separated by single blanks;"
                f" found {line[:80]!r}"
            )
        kind, _, name = rest.rpartition(" ")
        yield number, "\t".join((*cells, kind, name))


def _read_bed_columns(path: str | Path, columns: int) -> pd.DataFrame:
    """A file without header line as columns of texts, "column 1" and so on; index: numbers of the lines.

    There are at least so many. Blank lines, comments and lines for genome browsers are passed over, wherever they
    are.
    """
    lines = delimited.records(path)
    number, line = next(lines, (0, ""))
    if not number:
        raise InputError(f"{path}: no records; expected BED or bedGraph")
    lines = chain([(number, line)], lines)
    if "\t" not in line.strip(" \t"):
        lines = ((number, delimited.blanks_to_tabs(line)) for number, line in lines)
        line = delimited.blanks_to_tabs(line)
    width = len(delimited.split_cells(line.strip(" \t")))
    if width < columns:
        raise InputError(
            f"{path}: line {number}: expected at least {columns} columns, found {width} ({line[:80]!r})"
        )
    names = [f"column {i + 1}" for i in range(width)]
    return delimited.columns_of(path, lines, names, "\t", f"as in line {number}")


def _check_columns(path: str | Path, table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table:
            raise InputError(f"{path}: no column {name!r}; it has {', '.join(map(str, table))}")


def _whole(
    path: str | Path, table: pd.DataFrame, name: str, least: int = 0, *, reads: bool = False
) -> np.ndarray:
    """A column as int64 (n,); `reads` says that it holds counts, for the message of the InputError."""
    numbers, known = whole_numbers(table[name])
    wrong = ~(known & (numbers >= least))
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        text = table[name].iloc[row]
        number = delimited.finite_number(text)
        hint = ""
        if number is not None and number > MOST:
            hint = f", nor more than {MOST:.0e}"
        elif reads and number is not None:
            hint = ". Give counts of reads, not counts scaled to library size"
        elif reads:
            hint = "; write 0 where there are no reads"
        elif row == 0 and name.startswith("column ") and number is None:
            hint = ". Is the line a header? BED and bedGraph have none"
        raise InputError(
            f"{path}: line {table.index[row]}, {name}: expected a whole number of at least {least}, found"
            f" {text!r}{hint}"
        )
    return numbers


def _intervals(path: str | Path, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    start, end = _whole(path, table, "column 2"), _whole(path, table, "column 3", least=1)
    if (end <= start).any():
        row = np.flatnonzero(end <= start)[0]
        raise InputError(
            f"{path}: line {table.index[row]}: {start[row]} to {end[row]}; intervals are 0-based half-open"
        )
    return start, end


def _summed(
    path: str | Path, table: pd.DataFrame, tracks: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Counts by track, each the sum of some columns."""
    counts = {}
    for track, columns in tracks.items():
        if not columns or track in PLACE:
            raise InputError(f"{path}: track {track!r}: expected a unique name and columns")
        _check_columns(path, table, columns)
        counts[track] = np.sum([_whole(path, table, name, reads=True) for name in columns], axis=0)
    return counts


def _check_sums(path: str | Path, counts: Mapping[str, np.ndarray]) -> None:
    """Raise InputError where all reads of a track are more than an integer holds."""
    for track, values in counts.items():
        if np.sum(values, dtype=np.float64) > MOST:
            raise InputError(
                f"{path}: more than {MOST:.0e} reads in track {track!r}; are these counts of reads?"
            )


def _by_place(
    path: str | Path,
    table: pd.DataFrame,
    seqname: str,
    position: np.ndarray,
    strand: str,
    counts: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """`counts` by place; `seqname` and `strand` are columns of `table`."""
    wrong = ~table[strand].isin(STRANDS).to_numpy()
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise InputError(
            f"{path}: line {table.index[row]}, {strand}: expected + or -, found"
            f" {table[strand].iloc[row]!r}"
        )
    unnamed = (table[seqname] == "").to_numpy()
    if unnamed.any():
        raise InputError(
            f"{path}: line {table.index[unnamed.argmax()]}, {seqname}: expected a contig, found ''"
        )
    _check_sums(path, counts)
    contigs = table[seqname].astype("category").array
    columns = {"seqname": contigs, "position": position, "strand": table[strand].array}
    return _sum_places(pd.DataFrame({**columns, **counts}))


def _sum_places(table: pd.DataFrame) -> pd.DataFrame:
    table["strand"] = pd.Categorical(table["strand"], STRANDS)
    summed = table.groupby(list(PLACE), observed=True, as_index=False).sum()
    tracks = [name for name in summed if name not in PLACE]
    return summed[(summed[tracks] > 0).any(axis=1)].reset_index(drop=True)
