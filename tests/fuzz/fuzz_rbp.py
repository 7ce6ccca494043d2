"""Bound and unbound sequences: tables, FASTA pairs, Strazar's FASTA, RBPsuite's file."""

import re

from fuzz_promoters import CODES, columns
from harness import REFUSED, UNDECIDED, Case
from mutations import edit_cells, edit_lines, pack, plain_lines, sometimes

from nucleotune.studies.rbp.readers import (
    list_rbpsuite,
    read_fasta_pair,
    read_rbpsuite,
    read_strazar,
    read_table,
)

COLUMNS = ["sequence", "label", "seqname", "start", "end", "strand"]
NOWHERE = ["", -1, -1, ""]


def listed(frame):
    return frame[COLUMNS].to_numpy().tolist()


def letters(rng, length=None):
    kind = rng.choice(("ACGT", "acguN", "ACGTRY"))
    return "".join(rng.choices(kind, k=rng.randrange(1, 9) if length is None else length))


def translated(sequence):
    """Letters as codes of ours; None for those that are none."""
    return "".join(map(CODES.get, sequence)) if set(sequence) <= set(CODES) else None


def generate_table(rng):
    rows = []
    for _ in range(rng.randrange(1, 7)):
        sequence = letters(rng)
        if sometimes(rng, 0.3):
            k = rng.randrange(1, 4)
            sequence = " ".join(sequence[i : i + k] for i in range(max(1, len(sequence) - k + 1)))
        rows.append([sequence, rng.choice("01")])
    if sometimes(rng, 0.4):
        rows.insert(0, ["sequence", "label"])
        if sometimes(rng, 0.3):
            rows = [row[::-1] for row in rows]
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.4)
    lines = ["\t".join(row) for row in rows]
    edit_lines(rng, lines, ("sequence\tlabel", "A\t1", "A 1"))
    return pack(rng, "".join(line + "\n" for line in lines))


def joined(words):
    """A sequence from its k-mers, one by one; None where they do not follow from each other."""
    parts = words.split(" ")
    if len(parts) == 1:
        return words
    k = len(parts[0])
    if any(len(part) != k for part in parts) or not k:
        return None
    if any(one[1:] != other[:-1] for one, other in zip(parts, parts[1:], strict=False)):
        return None
    return parts[0] + "".join(part[-1] for part in parts[1:])


def oracle_table(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    rows = [line.rstrip("\t ").split("\t") for line in lines if line.rstrip("\t ")]
    at = (0, 1)
    if rows and len(rows[0]) == 2:
        named = columns(rows[0])
        if named:
            at, rows = named, rows[1:]
    found = []
    for row in rows:
        if len(row) != 2 or row[at[1]].strip(" ") not in ("0", "1"):
            return REFUSED
        sequence = joined(row[at[0]].strip(" "))
        if not sequence or translated(sequence) is None:
            return REFUSED
        found.append([translated(sequence), int(row[at[1]]), *NOWHERE])
    return found or REFUSED


HEADERS = (
    *("id", "chr1:4-8(-)", "p::chr1:4-8(+)", "p;chr1,4,8,+", "p;chr1,4,8,-", ";chr1,0,4,-;x", "p;chr1,4,8"),
    "chr1:100000000000-100000000004(+)",
    "chr1:10000000000000-10000000000004(+)",
)  # fmt: skip


def fasta(rng, headers):
    lines = []
    for _ in range(rng.randrange(1, 5)):
        header = rng.choice(headers)
        lines.append(f">{header}")
        sequence = letters(rng, 4 if sometimes(rng, 0.95) else None)
        if "," in header and sometimes(rng, 0.5):
            sequence = (
                letters(rng, rng.randrange(3)).lower()
                + "ACGT"
                + letters(rng, rng.randrange(3)).lower()
            )
        cut = rng.randrange(len(sequence) + 1)
        lines += [sequence[:cut], sequence[cut:]]
    if sometimes(rng, 0.3):
        edit_lines(rng, lines, (">", "#", "x"))
    return lines


def generate_pair(rng):
    return {
        f"{kind}.fa": pack(rng, "".join(line + "\n" for line in fasta(rng, HEADERS)))
        for kind in ("positive", "negative")
    }


def records(lines):
    """Header and letters of FASTA lines; None where they are none."""
    found = []
    for line in lines or ():
        if line.startswith(">"):
            found.append([line[1:].strip(), ""])
        elif found:
            found[-1][1] += line.strip()
        elif line.strip():
            return None
    return found if found and all(header for header, _ in found) else None


def bedtools(header, sequence):
    """The place of a header; None where it contradicts its sequence."""
    match = re.fullmatch(r"(?:.*::)?([^\s:]+):(\d{1,12})-(\d{1,12})\(([+-])\)", header, re.ASCII)
    if not match:
        return NOWHERE
    seqname, start, end, strand = match.groups()
    return (
        [seqname, int(start), int(end), strand] if int(end) - int(start) == len(sequence) else None
    )


def graphprot(header, written):
    fields = header.split(";")
    if len(fields) < 2:
        return None
    cells = fields[1].strip().split(",")
    if len(cells) != 4 or not all(re.fullmatch("[0-9]{1,12}", cell) for cell in cells[1:3]):
        return None
    if cells[3] not in ("+", "-") or not cells[0]:
        return None
    start, end = int(cells[1]), int(cells[2])
    if end - start == len(written):
        return [cells[0], start, end, cells[3]]
    upper = [letter.isupper() for letter in written]
    if True in upper:
        left, right = upper.index(True), upper[::-1].index(True)
        if end - start == len(written) - left - right:
            if cells[3] == "-":
                left, right = right, left
            if start >= left:
                return [cells[0], start - left, end + right, cells[3]]
    return NOWHERE


def oracle_pair(files):
    found = []
    for label, name in ((1, "positive.fa"), (0, "negative.fa")):
        read = records(plain_lines(files[name]))
        if read is None:
            return REFUSED
        for header, written in read:
            place = graphprot(header, written)
            if place in (None, NOWHERE):
                place = bedtools(header, written)
            if not written or translated(written) is None or place is None:
                return REFUSED
            found.append([translated(written), label, *place])
    return found


def generate_strazar(rng):
    good = (" chr1,+,5,8; class:1", "chr1,-,5,8;class:0", " chrX,+,1,4 ; class:0")
    weights = good * 12 + ("x", "chr1,+,0,3; class:1", " chr1,+,5,8; class:2")
    return pack(rng, "".join(line + "\n" for line in fasta(rng, weights)))


def oracle_strazar(data):
    read = records(plain_lines(data))
    found = []
    for header, written in read or ():
        match = re.fullmatch(
            r"([^\s,]+),([+-]),(\d{1,12}),(\d{1,12})\s*;\s*class:([01])", header, re.ASCII
        )
        if not match or not written or translated(written) is None:
            return REFUSED
        seqname, strand, first, last, label = match.groups()
        if int(first) < 1 or int(last) - int(first) + 1 != len(written):
            return REFUSED
        found.append([translated(written), int(label), seqname, int(first) - 1, int(last), strand])
    return found or REFUSED


def generate_suite(rng):
    lines = []
    for name in rng.sample(["QKI", "A-1", "B.x"], rng.randrange(1, 4)):
        for kind in rng.sample(["positive", "negative"], 2):
            lines.append(f"==> train_dir/{name}.{kind}.fa <==")
            lines += fasta(rng, HEADERS[:3])
            lines += [""] * rng.randrange(2)
    if sometimes(rng, 0.2):
        edit_lines(rng, lines, ("train_dir", ">", "ACGT", "train_dir/.positive"))
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_suite(data):
    lines = plain_lines(data)
    if lines is None or any(
        "\0" in line for line in lines
    ):  # what an archive has between its files
        return UNDECIDED
    blocks, key = {}, None
    for line in lines:
        if "train_dir" in line:
            names = re.findall(r"(?:^|(?<=[/\s]))[^/\s]+\.(?:positive|negative)", line, re.ASCII)
            if not names:
                return REFUSED
            key = tuple(names[-1].rsplit(".", 1))
            blocks.setdefault(key, [])
            if ">" in line[line.index("train_dir") :]:
                blocks[key].append(line[line.index(">", line.index("train_dir")) :])
        elif key is not None:
            blocks[key].append(line)
        elif line.strip():
            return REFUSED
    counts = {}
    for (name, kind), block in blocks.items():
        counts.setdefault(name, {"positive": 0, "negative": 0})[kind] = sum(
            line[:1] == ">" for line in block
        )
    return [counts, blocks] if counts else REFUSED


def run_list(path):
    return {name: dict(n) for name, n in list_rbpsuite(path).items()}


def oracle_list(data):
    found = oracle_suite(data)
    return found[0] if isinstance(found, list) else found


def oracle_rbp(data):
    found = oracle_suite(data)
    if not isinstance(found, list):
        return found
    rows = []
    for (name, kind), block in found[1].items():
        if name != "QKI":
            continue
        read = records(block) if any(line.strip() for line in block) else []
        if read is None:
            return REFUSED
        for header, written in read:
            place = bedtools(header, written)
            if not written or translated(written) is None or place is None:
                return REFUSED
            rows.append([translated(written), int(kind == "positive"), *place])
    return rows if {row[1] for row in rows} == {0, 1} else REFUSED


CASES = [
    Case("RBP table", generate_table, lambda path: listed(read_table(path)), oracle_table),
    Case(
        "FASTA pair",
        generate_pair,
        lambda path: listed(read_fasta_pair(path / "positive.fa", path / "negative.fa")),
        oracle_pair,
    ),
    Case("Strazar", generate_strazar, lambda path: listed(read_strazar(path)), oracle_strazar),
    Case("RBPsuite list", generate_suite, run_list, oracle_list),
    Case("RBPsuite", generate_suite, lambda path: listed(read_rbpsuite(path, "QKI")), oracle_rbp),
]
