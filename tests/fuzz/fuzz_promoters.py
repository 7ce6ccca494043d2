"""Promoters: BED of EPDnew, its table of motifs, and CSV files of sequences and labels."""

import csv
import re

from harness import REFUSED, Case
from mutations import edit_cells, edit_lines, pack, plain_lines, sometimes

from nucleotune.studies.promoters.epd import read_motifs, read_promoters
from nucleotune.studies.promoters.gue import read_gue


def table(rows, separator="\t"):
    return [separator.join(row) for row in rows]


def finish(rng, lines, extra=()):
    edit_lines(rng, lines, extra)
    return pack(rng, "".join(line + "\n" for line in lines))


def generate_bed(rng):
    rows = []
    for number in range(rng.randrange(1, 6)):
        start = rng.choice((0, 7, 1000, 10**9))
        strand = rng.choice("+-")
        row = [start, start + rng.choice((1, 60))]
        name = rng.choice((f"G{number}_1", f"G{number}", ".", f"HLA-A_{number}", "NM_000014"))
        row = ["chr1", *map(str, row), name, "900", strand]
        if sometimes(rng, 0.3):
            tss = start + 49 if strand == "+" else start + 10
            row += [str(tss), str(start + 60)] if strand == "+" else [str(start), str(tss + 1)]
        rows.append(row)
    if sometimes(rng, 0.4):
        edit_cells(rng, rows, 0.5)
    lines = table(rows, rng.choice(("\t", "\t", " ")))
    return finish(rng, lines, ("track name=x", "browser position", "#", "tracks\t0\t1\tx\t0\t+"))


def oracle_bed(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    found = []
    for line in lines:
        line = line.strip()
        if not line or line[0] == "#" or line.split()[0] in ("track", "browser"):
            continue
        cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
        if len(cells) < 6 or not cells[0] or not cells[3] or cells[5] not in ("+", "-"):
            return REFUSED
        if not all(re.fullmatch("[0-9]{1,12}", cell) for cell in cells[1:3]):
            return REFUSED
        start, end, name, strand = int(cells[1]), int(cells[2]), cells[3], cells[5]
        if end - start not in (1, 60):
            return REFUSED
        tss = start
        if end - start == 60:
            tss = start + (49 if strand == "+" else 10)
            thick = cells[6:8]
            if not all(re.fullmatch("[0-9]{1,12}", cell) for cell in thick):
                return REFUSED
            if len(thick) == 2 and int(thick[strand == "-"]) - (strand == "-") != tss:
                return REFUSED
        if name == ".":
            name = f"{cells[0]}:{tss}({strand})"
        head, _, number = name.rpartition("_")
        numbered = head and 1 <= len(number) <= 3 and number.isascii() and number.isdigit()
        found.append([name, cells[0], tss, strand, head if numbered else name])
    if not found or len({row[0] for row in found}) < len(found):
        return REFUSED
    return found


def generate_motifs(rng):
    names = ["Inr", "TATA-box", "GC-box"][: rng.randrange(1, 4)]
    rows = [["#Name" if sometimes(rng, 0.5) else "Name", *names]]
    for number in range(rng.randrange(5)):
        rows.append([f"G_{number}", *(rng.choice("01") for _ in names)])
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.5)
    return finish(rng, table(rows, rng.choice("\t ")), ("#", "x\t1"))


def oracle_motifs(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    rows = [line.split() for line in lines if line.strip()]
    if not rows:
        return REFUSED
    header = " ".join(rows[0]).lstrip("#").split()
    columns = ["id", *header[1:]]
    if len(header) < 2 or len(set(columns)) < len(columns) or len(rows) == 1:
        return REFUSED
    for row in rows[1:]:
        if len(row) != len(header) or not set(row[1:]) <= {"0", "1"}:
            return REFUSED
    if len({row[0] for row in rows[1:]}) < len(rows) - 1:
        return REFUSED
    return [columns, *([row[0], *(mark == "1" for mark in row[1:])] for row in rows[1:])]


def generate_csv(rng):
    header = rng.choice((["sequence", "label"], ["Label", " SEQ"], ["class", "sequence"]))
    at = [name.strip().lower() in ("sequence", "seq") for name in header].index(True)
    length = rng.randrange(1, 9)
    rows = []
    for _ in range(rng.randrange(1, 8)):
        row = [rng.choice("01")]
        row.insert(at, "".join(rng.choices(rng.choice(("ACGT", "acgtuN", "ACGTRY")), k=length)))
        rows.append(row)
    rows.insert(0, header)
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.5)
    if sometimes(rng, 0.2):
        rows = [[f'"{cell}"' for cell in row] for row in rows]
    return finish(rng, table(rows, ","), ("sequence,label", "<html>", "A,1", '"A,1'))


CODES = dict(zip("ACGTU", "ACGTT", strict=True)) | dict.fromkeys("RYKMSWBDHVN", "N")
CODES |= {code.lower(): letter for code, letter in CODES.items()}


def columns(header):
    """Places of sequence and label in a header of two columns; None where they are not named."""
    names = [name.strip().lower() for name in header]
    sequences = [i for i, name in enumerate(names) if name in ("sequence", "seq", "sequences")]
    labels = [i for i, name in enumerate(names) if name in ("label", "labels", "class", "target")]
    return (*sequences, *labels) if len(sequences) == len(labels) == 1 and len(names) == 2 else None


def oracle_csv(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    rows = []
    for line in lines:
        line = line.rstrip("\t ")
        if line:
            try:
                rows.append(
                    next(csv.reader([line], strict=True)) if '"' in line else line.split(",")
                )
            except csv.Error:
                return REFUSED
    if len(rows) < 2 or any(len(row) != 2 for row in rows):
        return REFUSED
    at = columns(rows[0])
    if at is None:
        return REFUSED
    found = []
    for number, row in enumerate(rows[1:], start=1):
        sequence, label = row[at[0]].strip(), row[at[1]].strip(" ")
        if label not in ("0", "1") or not sequence or not set(sequence) <= set(CODES):
            return REFUSED
        found.append([f"train-{number}", "".join(map(CODES.get, sequence)), int(label)])
    if len({len(row[1]) for row in found}) > 1:
        return REFUSED
    return found


def run_csv(path):
    return read_gue({"train": path})[["id", "sequence", "label"]].to_numpy().tolist()


def run_motifs(path):
    read = read_motifs(path)
    return [list(read.columns), *read.to_numpy().tolist()]


CASES = [
    Case(
        "EPD BED", generate_bed, lambda path: read_promoters(path).to_numpy().tolist(), oracle_bed
    ),
    Case("EPD motifs", generate_motifs, run_motifs, oracle_motifs),
    Case("GUE CSV", generate_csv, run_csv, oracle_csv),
]
