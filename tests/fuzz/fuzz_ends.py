"""Counts of 3' ends: tables, BED, bedGraph and both forms of TIF-seq."""

from collections import defaultdict

from harness import REFUSED, Case
from mutations import (
    bed_rows,
    edit_cells,
    edit_lines,
    pack,
    plain_lines,
    sometimes,
    table_header,
    table_rows,
    whole,
)

from nucleotune.genome.ends import read_bed, read_bedgraphs, read_table, read_tifseq

CONTIGS = ("chrI", "II", "1", "1.1", "1.10", "01", "1e1", "\u00fc", "a b")
COUNTS = ("0", "1", "2", "7", "12", "3.0", "1e1")
NOTES = ("#x", "track name=a", "browser position chrI:1-2", "trackless\t1\t2\t3")
TRACKS = {"both": ["cold", "warm"], "cold": ["cold"]}


def as_list(table):
    names = [name for name in table if name not in ("seqname", "position", "strand")]
    rows = zip(*(table[name] for name in ("seqname", "position", "strand", *names)), strict=True)
    return [names, [list(row) for row in rows]]


def summed(names, records, lengths=None):
    """What the readers return of records (contig, position, strand, counts ..), or REFUSED for sums beyond bounds."""
    places = defaultdict(lambda: [0] * len(names))
    for contig, position, strand, *counts in records:
        if contig == "" or strand not in ("+", "-"):
            return REFUSED
        for i, count in enumerate(counts):
            places[contig, position, "+-".index(strand)][i] += count
    if any(sum(counts[i] for counts in places.values()) > 10**15 for i in range(len(names))):
        return REFUSED
    rows = [[c, p, "+-"[s], *counts] for (c, p, s), counts in sorted(places.items())]
    return [list(names), [row for row in rows if any(row[3:])]]


def join(rng, rows, separator, extra=()):
    edit_cells(rng, rows)
    lines = [separator.join(row) for row in rows]
    edit_lines(rng, lines, extra)
    return pack(rng, "".join(line + "\n" for line in lines))


# --- tables -------------------------------------------------------------------------------------------------------


def generate_table(rng):
    names = ["seqname", "position", "strand", "cold", "warm", "name"]
    rng.shuffle(names)
    cells = {
        "seqname": CONTIGS,
        "position": ("1", "2", "10", "30.0"),
        "strand": "+-",
        "cold": COUNTS,
        "warm": COUNTS,
        "name": ("x", "", '"3 prime', 'y"', '"q, r"', "\u2028", '"a ""b"""'),
    }
    if sometimes(rng, 0.1):
        names.append(rng.choice(("", "name", "other")))
    rows = [
        [rng.choice(cells.get(name, ("x",))) for name in names] for _ in range(rng.randrange(8))
    ]
    if sometimes(rng, 0.2):
        rows = [[f'"{cell}"' for cell in row] for row in rows]
    return join(rng, [names, *rows], rng.choice("\t\t,"))


def read_table_oracle(data):
    lines = [line for line in plain_lines(data) or [] if line.strip()]
    if not lines:
        return REFUSED
    separator = "," if "," in lines[0] and "\t" not in lines[0] else "\t"
    names = table_header(lines[0], separator)
    if names is None or not {"seqname", "position", "strand", "cold", "warm"} <= set(names):
        return REFUSED
    rows = table_rows(lines[1:], names, separator)
    if rows is None:
        return REFUSED
    records = []
    for row in rows:
        position, *counts = whole(row["position"], 1), whole(row["cold"]), whole(row["warm"])
        if position is None or None in counts:
            return REFUSED
        records.append((row["seqname"], position - 1, row["strand"], sum(counts), counts[0]))
    return summed(TRACKS, records)


# --- BED and bedGraph ---------------------------------------------------------------------------------------------


def generate_bed(rng):
    rows = []
    for _ in range(rng.randrange(1, 8)):
        start = rng.randrange(40)
        end = str(start + rng.randrange(1, 30))
        rows.append(
            [rng.choice(CONTIGS[:-1]), str(start), end, "n", rng.choice(COUNTS), rng.choice("+-")]
        )
    return join(rng, rows, rng.choice("\t\t "), NOTES)


def read_bed_oracle(data):
    rows = bed_rows(data)
    if rows is None or len(rows[0]) < 6:
        return REFUSED
    records = []
    for row in rows:
        start, end, count = whole(row[1]), whole(row[2], 1), whole(row[4])
        if None in (start, end, count) or end <= start:
            return REFUSED
        records.append((row[0], start if row[5] == "-" else end - 1, row[5], count))
    return summed(["reads"], records)


def generate_bedgraphs(rng):
    def one(sign):
        rows = []
        for _ in range(rng.randrange(1, 8)):
            start = rng.randrange(40)
            width = rng.choice((1, 1, 2, 5, 20, 300))
            count = "0" if width > 9 and not sometimes(rng, 0.1) else sign + rng.choice(COUNTS)
            rows.append([rng.choice(CONTIGS[:-1]), str(start), str(start + width), count])
        if sometimes(rng, 0.03):
            rows.append(["II", "0", rng.choice(("1001", "900000000000000")), "1"])
        return join(rng, rows, rng.choice("\t\t "), NOTES)

    return {"plus": one(""), "minus": one(rng.choice(("", "-")))}


def read_bedgraphs_oracle(files):
    records = []
    for name, strand in (("plus", "+"), ("minus", "-")):
        rows = bed_rows(files[name])
        if rows is None or len(rows[0]) < 4:
            return REFUSED
        values = [whole(row[3], -(10**15)) for row in rows]
        spans = [(whole(row[1]), whole(row[2], 1)) for row in rows]
        if None in values or any(None in span for span in spans):
            return REFUSED
        if strand == "-" and max(values) <= 0:
            values = [-value for value in values]
        widths = [end - start for (start, end), value in zip(spans, values, strict=True) if value]
        if (
            min(values) < 0
            or any(end <= start for start, end in spans)
            or any(w > 1000 for w in widths)
        ):
            return REFUSED
        if sum(width > 20 for width in widths) > 0.05 * len(widths):
            return REFUSED
        of_file = [
            (row[0], position, strand, value)
            for row, (start, end), value in zip(rows, spans, values, strict=True)
            for position in range(start, end if value else start)
        ]
        if summed(["reads"], of_file) is REFUSED:
            return REFUSED
        records += of_file
    return summed(["reads"], records)


def run_bedgraphs(folder):
    return as_list(read_bedgraphs(folder / "plus", folder / "minus"))


# --- TIF-seq ------------------------------------------------------------------------------------------------------

TSEDALL = ["chr", "strand", "t5", "t3", "ypd", "gal", "lypd", "lgal", "nypd", "ngal"]
S1 = ["chr", "strand", "t5", "t3", "ypd", "gal", "type", "name"]


def generate_tifseq(rng):
    names = rng.choice((TSEDALL, S1))
    rows = [list(names)]
    for _ in range(rng.randrange(8)):
        row = [
            rng.choice(CONTIGS[:-2]),
            rng.choice("+-"),
            str(rng.randrange(1, 50)),
            str(rng.randrange(1, 9)),
        ]
        row += [rng.choice(COUNTS) for name in names[4:] if name not in ("type", "name")]
        if names is S1:
            row += [rng.choice(("Covering one intact ORF", "Overlap 3' of one ORF")), "YAL067C"]
        rows.append(row)
    return join(rng, rows, "\t" if names is TSEDALL else " ")


def read_tifseq_oracle(data):
    lines = plain_lines(data, "latin-1")
    if not lines:
        return REFUSED
    names = [name for name in lines[0].replace(" ", "\t").split("\t") if name]
    if names[:4] != TSEDALL[:4] or len(set(names)) < len(names):
        return REFUSED
    lines = [line for line in lines[1:] if line.strip()]
    if "type" in names:
        names = names[: names.index("type")]
        cut = []
        for line in lines:
            words = line.rstrip(" \t").split(" ", len(names))
            if len(words) <= len(names) or "\t" in words[-1]:
                return REFUSED
            cut.append("\t".join(words[:-1]) + "\ttype\tname")
        lines, names = cut, [*names, "type", "name"]
        if any(line.count("\t") != len(names) - 1 for line in lines):
            return REFUSED
    rows = table_rows(lines, names, "\t")
    if rows is None:
        return REFUSED
    tracks = {
        track: [name for name in columns if name in names]
        for track, columns in {
            "glucose": ("ypd", "lypd", "nypd"),
            "galactose": ("gal", "lgal", "ngal"),
        }.items()
    }
    if not all(tracks.values()):
        return REFUSED
    records = []
    for row in rows:
        position = whole(row["t3"], 1)
        counts = [[whole(row[name]) for name in columns] for columns in tracks.values()]
        if position is None or any(None in one for one in counts):
            return REFUSED
        records.append((row["chr"], position - 1, row["strand"], *map(sum, counts)))
    return summed(tracks, records)


CASES = [
    Case(
        "table of ends",
        generate_table,
        lambda path: as_list(read_table(path, tracks=TRACKS)),
        read_table_oracle,
    ),
    Case("BED of ends", generate_bed, lambda path: as_list(read_bed(path)), read_bed_oracle),
    Case("bedGraphs of ends", generate_bedgraphs, run_bedgraphs, read_bedgraphs_oracle),
    Case("TIF-seq", generate_tifseq, lambda path: as_list(read_tifseq(path)), read_tifseq_oracle),
]
