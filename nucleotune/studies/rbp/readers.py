"""Bound and unbound RNA sequences of an RNA-binding protein, from the forms they are published in.

Each reader returns one row per sequence, in file order: `id` (unique), `sequence` (upper-case, T for U; codes other
than ACGT are N), `label` (1 bound, 0 not), `group` (the id: no genes are known), and the place on the source's
assembly: `seqname`, `start`, `end` (0-based half-open) and `strand`; "", -1, -1 and "" where the source gives none.

The id is the place, `chr1:100-201(+)`, or class and running number, `positive-17`. A place that comes again gets `.2`,
`.3` and so on: sets that pool cell lines repeat some.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.fasta import read_fasta, read_letters
from nucleotune.sequence.labelled import find_columns, read_label, shown
from nucleotune.text import open_text, read_lines

#: Names of labels 0 and 1.
CLASSES = ("negative", "positive")

#: A coordinate; no chromosome needs more digits, and int64 has room for them.
_NUMBER = "([0-9]{1,12})"
#: Headers of `bedtools getfasta -s`, `name::` in front where -name was given; 0-based half-open.
_BEDTOOLS = re.compile(rf"(?:.*::)?([^\s:]+):{_NUMBER}-{_NUMBER}\(([+-])\)$")
#: Headers of GraphProt (Maticzka et al., Genome Biol 2014;15:R17): `id;chr8,81399129,81399154,+`.
_GRAPHPROT = re.compile(rf"[^;]*;\s*([^\s,;]+),{_NUMBER},{_NUMBER},([+-])(?:[;\s].*)?$")
#: Headers of Strazar et al. (Bioinformatics 2016, iONMF), without the blank after '>'; 1-based, both ends included.
_STRAZAR = re.compile(rf"([^\s,]+),([+-]),{_NUMBER},{_NUMBER}\s*;\s*class:([01])$")

#: What the line that introduces a block of RBPsuite's file holds. A name is looked for where one can begin only.
_MARK = b"train_dir"
_BLOCK = re.compile(rb"(?<![^/\s\0])([^/\s\0]+)\.(positive|negative)")
_CHUNK = 1 << 24

#: Name of a file of one class.
_PAIR = re.compile(
    r"(.+)[._](positive|negative)s?\.(?:fa|fasta)(?:\.b?gz)?", re.IGNORECASE | re.ASCII
)

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A stretch of a strand, 0-based half-open."""

    seqname: str
    start: int
    end: int
    strand: str


_NOWHERE = Place("", -1, -1, "")


def read_rbpsuite(path: str | Path, rbp: str) -> pd.DataFrame:
    """The sequences of one RBP from RBPsuite's benchmark (Pan et al., BMC Genomics 2020): one file of all RBPs.

    A line with `train_dir` and `<rbp>.positive` or `<rbp>.negative` introduces a block of FASTA records with headers of
    bedtools. That is what the tar archive of these files looks like, so it may be given as it is, gzip or not: such
    a line then ends with the header of the block's first record. The file is read in pieces of 16 MiB, once.

    Raises InputError for a block without name, an RBP that lacks one of the blocks, and a malformed record.
    """
    labels: list[int] = []
    letters: list[str] = []
    places: list[Place] = []
    found: set[str] = set()
    for (name, kind), pieces in groupby(_blocks(path), key=itemgetter(0)):
        found.add(name)
        if name != rbp:
            continue
        for header, sequence in _records(path, b"".join(text for _, text in pieces)):
            places.append(_place(path, header, sequence))
            letters.append(sequence)
            labels.append(CLASSES.index(kind))
    missing = [f"{rbp}.{kind}" for label, kind in enumerate(CLASSES) if label not in labels]
    if missing:
        raise InputError(
            f"{path}: no records of {' and '.join(missing)}; the file has {len(found)} RBPs: "
            f"{', '.join(sorted(found))[:200]}"
        )
    return _table(labels, letters, places)


def list_rbpsuite(path: str | Path) -> dict[str, dict[str, int]]:
    """Records of each RBP in RBPsuite's file: {name: {"positive": n, "negative": n}}, in file order."""
    counts: dict[str, dict[str, int]] = {}
    for (name, kind), text in _blocks(path):
        counts.setdefault(name, dict.fromkeys(reversed(CLASSES), 0))[kind] += text.count(
            b"\n>"
        ) + text.startswith(b">")
    return counts


def list_fasta_pairs(folder: str | Path) -> dict[str, tuple[Path, Path]]:
    """Bound and unbound sequences of each RBP in a directory: {name: (positives, negatives)}, by name.

    Files are `<name>.positive.fa` and `<name>.negative.fa`, or with `_` before the class, also `.fasta` and gzip.

    Raises InputError for a directory without such files, and for a class of an RBP that has no file or two.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(Path(folder).iterdir()):
        match = _PAIR.fullmatch(path.name)
        if match is None:
            continue
        name, kind = match[1], match[2].lower()
        other = found.setdefault(name, {}).setdefault(kind, path)
        if other != path:
            raise InputError(f"{folder}: {other.name} and {path.name} are both {kind} of {name}")
    if not found:
        raise InputError(
            f"{folder}: no FASTA pairs; expected files such as QKI.positive.fa.gz and QKI.negative.fa.gz"
        )
    for name, files in found.items():
        for kind in CLASSES:
            if kind not in files:
                have = next(iter(files.values())).name
                raise InputError(f"{folder}: {have} exists, but no file {name}.{kind}.fa")
    return {name: (files["positive"], files["negative"]) for name, files in found.items()}


def read_fasta_pair(positives: str | Path, negatives: str | Path) -> pd.DataFrame:
    """Two FASTA files, plain or gzip. Headers of `bedtools getfasta -s` and of GraphProt give the place, others none.

    GraphProt's place is that of its viewpoint, in capitals, between flanks in lower case; the place here is that of the
    whole sequence. One that is neither as long as the sequence nor as its capitals is not used, and counted in the log.

    Raises InputError as `read_fasta` does, for an empty sequence and for a place of another length than its sequence.
    """
    labels: list[int] = []
    letters: list[str] = []
    places: list[Place] = []
    for label, path in ((1, positives), (0, negatives)):
        unlike = 0
        for header, written, line in read_letters(path):
            sequence = _normalised(path, header, written, f" (line {line})")
            place = _graphprot_place(header, written)
            unlike += place is None
            places.append(_place(path, header, sequence) if place in (None, _NOWHERE) else place)
            letters.append(sequence)
            labels.append(label)
        if unlike:
            log.warning(
                "%s: %d headers with a position that is neither as long as the sequence nor as its capitals;"
                " these positions count as unknown",
                *(path, unlike),
            )
    return _table(labels, letters, places)


def _graphprot_place(header: str, written: str) -> Place | None:
    """The place of a whole sequence under a header of GraphProt; _NOWHERE for other headers, None if it cannot be."""
    match = _GRAPHPROT.match(header)
    if match is None:
        return _NOWHERE
    seqname, strand = match[1], match[4]
    start, end = int(match[2]), int(match[3])
    capitals = [i for i, letter in enumerate(written) if letter.isupper()]
    first, stop = (capitals[0], capitals[-1] + 1) if capitals else (0, 0)
    for before, after in ((0, 0), (first, len(written) - stop)):
        if end - start == len(written) - before - after > 0:
            left, right = (before, after) if strand == "+" else (after, before)
            return Place(seqname, start - left, end + right, strand) if start >= left else None
    return None


def read_table(path: str | Path) -> pd.DataFrame:
    """`sequence<TAB>label` lines, plain or gzip, with or without a header; no places.

    A sequence is plain, or its overlapping k-mers separated by blanks, as in DNABERT's dev.tsv: they are joined again.
    A header may name the columns in the other order, which then holds; names as in `labelled.find_columns`.

    Raises InputError for a file without rows, a line of another form, a label other than 0 and 1, k-mers that are not
    each shifted by one nucleotide, and a letter that is no nucleotide code.
    """
    labels: list[int] = []
    letters: list[str] = []
    columns = (0, 1)
    first = True
    for number, line in read_lines(path):
        line = line.rstrip("\t ")
        if not line:
            continue
        cells = line.split("\t")
        if first and (named := find_columns(cells)):
            columns, first = named, False
            continue
        first = False
        where = f"{path}: line {number}"
        if len(cells) != 2:
            raise InputError(
                f"{where}: {len(cells)} tab-separated cells; expected sequence, tab and label, found {shown(line)}"
            )
        written = cells[columns[0]].strip(" ")
        try:
            labels.append(read_label(cells[columns[1]]))
            letters.append(normalise(join_kmers(written)))
        except ValueError as error:
            raise InputError(f"{where}: {error} (sequence {shown(written)})") from error
        if not written:
            raise InputError(f"{where}: no sequence before label {labels[-1]}")
    if not labels:
        raise InputError(f"{path}: no rows; expected lines of sequence, tab and label")
    return _table(labels, letters, [_NOWHERE] * len(labels))


def read_strazar(path: str | Path) -> pd.DataFrame:
    """FASTA of the 31 CLIP sets of Strazar et al. (2016): headers `> chr1,+,866159,866259; class:0`, lines wrapped.

    Raises InputError as `read_fasta` does, for a header of another form and for a place of another length than its
    sequence.
    """
    labels: list[int] = []
    letters: list[str] = []
    places: list[Place] = []
    for header, sequence in read_fasta(path):
        match = _STRAZAR.match(header)
        if match is None:
            raise InputError(
                f"{path}: record {header[:80]!r}: expected a header like '> chr1,+,866159,866259; class:0'"
            )
        seqname, strand, first, last, label = match.groups()
        place = Place(seqname, int(first) - 1, int(last), strand)
        places.append(_checked(path, header, sequence, place))
        letters.append(sequence)
        labels.append(int(label))
    return _table(labels, letters, places)


def join_kmers(words: str) -> str:
    """`ACG CGT GTA` -> `ACGTA`; a sequence without blanks is returned as it is.

    Raises ValueError for words that are not each shifted by one nucleotide; the caller knows file and line.
    """
    k = words.find(" ")
    if k < 0:
        return words
    joined = words[:: k + 1] + words[len(words) - k + 1 :]
    n = len(joined) - k + 1
    shifted = all(words[j :: k + 1] == joined[j : j + n] for j in range(k))
    if not shifted or words[k :: k + 1] != " " * (n - 1) or (len(words) + 1) % (k + 1):
        raise ValueError(
            f"{words[:40]!r}... are not overlapping {k}-mers, each shifted by one nucleotide"
        )
    return joined


def _blocks(path: str | Path) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield (name, class) and whole lines of RBPsuite's file; a block comes in as many pieces as it takes."""
    key: tuple[str, str] | None = None
    with open_text(path) as stream:
        while chunk := stream.read(_CHUNK):
            chunk += stream.readline()
            start = 0
            while (mark := chunk.find(_MARK, start)) >= 0:
                line = max(chunk.rfind(b"\n", start, mark) + 1, start)
                # In an archive the line before may be that of a sequence without a line end: NULs fill up its block.
                ended = chunk.find(b"\0", line, mark)
                before = chunk[start : max(line, ended)]
                if key is not None:
                    yield key, before
                else:
                    _check_beginning(path, before)
                end = chunk.find(b"\n", mark) + 1 or len(chunk)
                key = _block_name(path, chunk[mark:end])
                header = chunk.find(b">", mark, end)
                start = end if header < 0 else header
            if key is None:
                _check_beginning(path, chunk)
            else:
                yield key, chunk[start:]
    if key is None:
        raise InputError(f"{path}: no line with 'train_dir'; expected RBPsuite's file of all RBPs")


def _check_beginning(path: str | Path, before: bytes) -> None:
    """Nothing but blanks and what an archive has in front of its first file may come before the first block."""
    text = before.replace(b"\0", b"").strip()
    if text and (b">" in text or b"\0" not in before):
        raise InputError(
            f"{path}: {shown(text.decode(errors='replace'))} comes before the first line with 'train_dir', so"
            " its RBP is unknown; expected RBPsuite's file of all RBPs"
        )


def _block_name(path: str | Path, line: bytes) -> tuple[str, str]:
    found = _BLOCK.findall(line)
    if not found:
        raise InputError(
            f"{path}: line {shown(line.decode(errors='replace'))}: expected the name of an RBP with .positive or"
            " .negative"
        )
    name, kind = found[-1]  # an empty file of an archive may precede it, in the same line
    return _text(path, name), kind.decode()


def _records(path: str | Path, block: bytes) -> Iterator[tuple[str, str]]:
    """Header and normalised sequence of the FASTA records of a block; NULs are the padding of an archive."""
    text = _text(path, block.replace(b"\0", b"").rstrip(b"\x1a"))  # DOS's end of a file
    before, *records = re.split("^>", text, flags=re.MULTILINE)
    if before.strip():
        raise InputError(
            f"{path}: {shown(before.strip())} comes before the first '>' of a block; expected FASTA records after the"
            " line with 'train_dir'"
        )
    for record in records:
        header, _, body = record.partition("\n")
        if not header.strip():
            raise InputError(f"{path}: empty header; every record needs an id after '>'")
        letters = "".join(line.strip() for line in body.split("\n"))
        yield header.strip(), _normalised(path, header, letters)


def _normalised(path: str | Path, header: str, letters: str, where: str = "") -> str:
    try:
        return normalise(letters)
    except ValueError as error:
        raise InputError(f"{path}: record {header[:80]!r}{where}: {error}") from error


def _place(path: str | Path, header: str, sequence: str) -> Place:
    match = _BEDTOOLS.match(header)
    if match is None:
        place = _NOWHERE
    else:
        seqname, start, end, strand = match.groups()
        place = Place(seqname, int(start), int(end), strand)
    return _checked(path, header, sequence, place)


def _checked(path: str | Path, header: str, sequence: str, place: Place) -> Place:
    if not sequence:
        raise InputError(f"{path}: record {header[:80]!r}: no sequence")
    if place.start < 0 and place is not _NOWHERE:
        raise InputError(f"{path}: record {header[:80]!r}: begins before the first base")
    if place is not _NOWHERE and place.end - place.start != len(sequence):
        raise InputError(
            f"{path}: record {header[:80]!r}: the position has {place.end - place.start} nt, the sequence"
            f" {len(sequence)}"
        )
    return place


def _table(labels: Sequence[int], letters: Sequence[str], places: Sequence[Place]) -> pd.DataFrame:
    table = pd.DataFrame(places, columns=Place._fields)
    table["label"] = np.asarray(labels, dtype=np.int8)
    number = (table.groupby("label").cumcount() + 1).astype(str)
    names = table["label"].map(dict(enumerate(CLASSES))) + "-" + number
    known = table["seqname"] != ""
    start, end = table["start"].astype(str), table["end"].astype(str)
    place = table["seqname"] + ":" + start + "-" + end + "(" + table["strand"] + ")"
    names = names.where(~known, place)
    again = names.groupby(names).cumcount()
    names = names.where(again == 0, names + "." + (again + 1).astype(str))
    table = table.assign(id=names, sequence=list(letters), group=names)
    return table[["id", "sequence", "label", "group", *Place._fields]]


def _text(path: str | Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        near = data[max(0, error.start - 20) : error.start + 20].decode(errors="replace")
        raise InputError(f"{path}: not UTF-8 text near {near!r}; save it as UTF-8") from error
