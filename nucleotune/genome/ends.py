"""Counts of transcripts' 3' ends by position, from TIF-seq, BED, bedGraph or a table of any other form.

All readers return one row a place, in order of contig, position and strand, places without any count left out:

    seqname    category
    position   int64, 0-based: the last base that is transcribed, before the tail
    strand     category  "+" or "-", that of the transcript
    <track>    int64, one column a track (growth condition, tissue ..)

Counts are of reads: values that are no whole numbers (4.0 is one) are refused, since rounding what was scaled to the
size of a library would drop the rare ends, and losses and metrics built on counts would mean something else. Files are
plain or gzip, by their first bytes.
"""

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nucleotune.errors import InputError
from nucleotune.text import open_binary

PLACE = ("seqname", "position", "strand")
STRANDS = ("+", "-")

#: Tracks of TIF-seq and the columns that are summed into each, of those that a file has: three libraries a condition.
TIFSEQ_TRACKS = {"glucose": ("ypd", "lypd", "nypd"), "galactose": ("gal", "lgal", "ngal")}

#: Type of the transcripts that hold exactly one ORF, from end to end, and are named after it.
_INTACT = "Covering one intact ORF"

#: Column that readers add: the number of a record's line in its file, from 1 on, for messages.
LINE = "line of the file"

#: Coverage has one count at many places in a row, ends of reads rarely: nt of an interval, and share of those wider.
WIDE, MANY_WIDE = 20, 0.05


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
    table = table[(table["type"] == _INTACT) & (table["name"] != "NA")].reset_index(drop=True)
    ends = np.stack([_whole(path, table, name, least=1) for name in ("t5", "t3")])
    columns = {"seqname": table["chr"], "start": ends.min(0) - 1, "end": ends.max(0)}
    return pd.DataFrame({**columns, "strand": table["strand"], "gene": table["name"]})


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
        if strand == "-" and (pd.to_numeric(table["column 4"], errors="coerce") <= 0).all():
            table["column 4"] = -pd.to_numeric(table["column 4"])
        value = _whole(path, table, "column 4", reads=True)
        wide = (end - start > WIDE)[value > 0]
        if wide.sum() > MANY_WIDE * len(wide):
            raise InputError(
                f"{path}: {wide.mean():.0%} of the intervals with reads are wider than {WIDE} nt: expected counts of"
                " 3' ends by position, not coverage (such as bedtools genomecov -3 writes, not without)"
            )
        width = np.where(value > 0, end - start, 0)
        row = np.repeat(np.arange(len(table)), width)
        position = start[row] + np.arange(len(row)) - (np.cumsum(width) - width)[row]
        places = table.iloc[row].reset_index(drop=True).assign(strand=strand)
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
    table = _read_header_table(path)
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
    with open_binary(path) as stream:
        header = stream.readline().decode("latin-1").split()
        if header[:4] != ["chr", "strand", "t5", "t3"]:
            raise InputError(
                f"{path}: line 1: expected a header that begins with chr strand t5 t3, as in tsedall or S1_TIFs of"
                f" TIF-seq; found {' '.join(header[:8])!r}"
            )
        if "type" not in header:
            return _numbered(_read_csv(path, stream, sep="\t", names=header, header=None))
        # From `type` to the last blank there are several words, some of them with an apostrophe of latin-1.
        text = stream.read().decode("latin-1").replace("\r", "").rstrip("\n")
        lines = pa.array(text.split("\n"), pa.large_string())
    before = header.index("type")
    parts = pc.split_pattern(lines, " ", max_splits=before)
    short = np.flatnonzero(pc.list_value_length(parts).to_numpy() <= before)
    if len(short):
        raise InputError(
            f"{path}: line {short[0] + 2}: expected {' '.join(header)} between single blanks;"
            f" found {lines[int(short[0])].as_py()[:80]!r}"
        )
    columns = {name: pc.list_element(parts, i) for i, name in enumerate(header[:before])}
    rest = pc.list_element(parts, before)
    columns["type"] = pc.replace_substring_regex(rest, " [^ ]*$", "")
    columns["name"] = pc.replace_substring_regex(rest, "^.* ", "")
    for name in header[2:before]:
        with suppress(pa.ArrowInvalid):  # `_whole` says what is wrong
            columns[name] = pc.cast(columns[name], pa.int64())
    return _numbered(pd.DataFrame({name: column.to_pandas() for name, column in columns.items()}))


def _read_bed_columns(path: str | Path, columns: int) -> pd.DataFrame:
    """A file without header line as columns named "column 1" and so on; there are at least so many.

    Blank lines, comments and lines for genome browsers are passed over, wherever they stand.
    """
    kept, numbers = [], []
    with open_binary(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip() and not line.startswith((b"#", b"track", b"browser")):
                kept.append(line)
                numbers.append(number)
    if not kept:
        raise InputError(f"{path}: no records; expected BED or bedGraph")
    separator = b"\t" if b"\t" in kept[0] else None
    width = len(kept[0].split(separator))
    if width < columns:
        raise InputError(
            f"{path}: line {numbers[0]}: expected at least {columns} columns, found {width} ({kept[0][:80]!r})"
        )
    for number, line in zip(numbers, kept, strict=True):
        if len(line.split(separator)) != width:
            raise InputError(
                f"{path}: line {number}: expected {width} columns, as in line {numbers[0]}, found"
                f" {line.decode('latin-1').strip()[:80]!r}"
            )
    stream = io.BytesIO(b"".join(kept))
    table = _read_csv(path, stream, sep="\t" if separator else r"\s+", header=None)
    table = table.set_axis([f"column {i + 1}" for i in range(width)], axis=1)
    return table.assign(**{LINE: numbers})


def _read_header_table(path: str | Path) -> pd.DataFrame:
    with open_binary(path) as stream:
        separator = "\t" if b"\t" in stream.readline() else ","
    with open_binary(path) as stream:
        return _numbered(_read_csv(path, stream, sep=separator))


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """With column LINE, of a file with one header line and one line a record."""
    return table.assign(**{LINE: np.arange(2, len(table) + 2)})


def _read_csv(path: str | Path, stream, **options) -> pd.DataFrame:
    try:
        table = pd.read_csv(stream, na_filter=False, low_memory=False, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table of columns: {str(error).strip()}") from error
    return table.reset_index(drop=True)


def _check_columns(path: str | Path, table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table:
            raise InputError(f"{path}: no column {name!r}; it has {', '.join(map(str, table))}")


def _whole(
    path: str | Path, table: pd.DataFrame, name: str, least: int = 0, *, reads: bool = False
) -> np.ndarray:
    """A column as int64 (n,); `reads` says that it holds counts, for the message of the InputError."""
    values = pd.to_numeric(table[name], errors="coerce").to_numpy()
    wrong = ~(np.isfinite(values) & (values >= least) & (values == np.floor(values)))
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        hint = ""
        if reads and np.isfinite(values[row]):
            hint = ". Counts must be of reads, not scaled to library size"
        elif reads:
            hint = "; write 0 where there are no reads"
        elif row == 0 and name.startswith("column ") and not np.isfinite(values[row]):
            hint = ". Is the line a header? BED and bedGraph have none"
        raise InputError(
            f"{path}: line {table[LINE].iloc[row]}, {name}: expected a whole number of at least {least}, found"
            f" {str(table[name].iloc[row])!r}{hint}"
        )
    return values.astype(np.int64)


def _intervals(path: str | Path, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    start, end = _whole(path, table, "column 2"), _whole(path, table, "column 3", least=1)
    if (end <= start).any():
        row = np.flatnonzero(end <= start)[0]
        raise InputError(
            f"{path}: line {table[LINE].iloc[row]}: {start[row]} to {end[row]}; intervals are 0-based half-open"
        )
    return start, end


def _summed(
    path: str | Path, table: pd.DataFrame, tracks: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Counts by track, each the sum of some columns."""
    counts = {}
    for track, columns in tracks.items():
        if not columns or track in PLACE:
            raise InputError(f"{path}: track {track!r}: expected a name of its own and columns")
        _check_columns(path, table, columns)
        counts[track] = np.sum([_whole(path, table, name, reads=True) for name in columns], axis=0)
    return counts


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
            f"{path}: line {table[LINE].iloc[row]}, {strand}: expected + or -, found"
            f" {table[strand].iloc[row]!r}"
        )
    contigs = table[seqname].astype("str").astype("category")
    columns = {"seqname": contigs, "position": position, "strand": table[strand]}
    return _sum_places(pd.DataFrame({**columns, **counts}))


def _sum_places(table: pd.DataFrame) -> pd.DataFrame:
    table["strand"] = pd.Categorical(table["strand"], STRANDS)
    summed = table.groupby(list(PLACE), observed=True, as_index=False).sum()
    tracks = [name for name in summed if name not in PLACE]
    return summed[(summed[tracks] > 0).any(axis=1)].reset_index(drop=True)
