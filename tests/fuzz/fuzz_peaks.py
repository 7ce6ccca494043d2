"""What the RBP study reads beside sequences: narrowPeak, the manifest of its files, and chain files."""

import re

from harness import REFUSED, Case
from mutations import (
    bed_rows,
    edit_cells,
    edit_lines,
    number,
    pack,
    plain_lines,
    sometimes,
    table_header,
    table_rows,
    whole,
)

from nucleotune.genome.chain import read_chain
from nucleotune.genome.manifest import read_manifest
from nucleotune.genome.peaks import read_narrowpeak


def saved(rng, rows, separator="\t", extra=(), share=0.25):
    edit_cells(rng, rows, share)
    lines = [separator.join(row) for row in rows]
    edit_lines(rng, lines, extra)
    return pack(rng, "".join(line + "\n" for line in lines))


# --- narrowPeak ---------------------------------------------------------------------------------------------------


def generate_peaks(rng):
    rows = []
    for _ in range(rng.randrange(1, 7)):
        start = rng.randrange(90)
        span = [str(start), str(start + rng.randrange(1, 50))]
        numbers = [rng.choice(("3", "0.5", "-1", "1e2", "400", "7.25")) for _ in range(3)]
        seqname = rng.choice(("chr1", "chrX", "1.10", "\u00fc"))
        rows.append([seqname, *span, "n", "0", rng.choice("+-"), *numbers, "-1"])
    return saved(rng, rows, rng.choice("\t\t\t "), ("#x", "track name=x", 'browser "x'), 0.15)


def read_peaks(path):
    return read_narrowpeak(path).astype(object).to_numpy().tolist()


def read_peaks_oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    table = []
    for line in lines:
        if not line.strip() or line[0] == "#" or line.split()[0] in ("track", "browser"):
            continue
        rows = bed_rows(line.encode())
        if rows is None or len(rows[0]) != 10:
            return REFUSED
        seqname, start, end, _, _, strand, fold, p, *_ = rows[0]
        start, end, fold, p = whole(start), whole(end), number(fold), number(p)
        if None in (start, end, fold, p) or end <= start or strand not in ("+", "-") or not seqname:
            return REFUSED
        table.append([seqname, start, end, strand, fold, p])
    return table or REFUSED


# --- the manifest -------------------------------------------------------------------------------------------------

OWN = ("accession", "rbp", "cell_line", "md5")
ENCODE = {
    "File accession": "accession",
    "Experiment accession": "experiment",
    "Experiment target": "rbp",
    "Biosample term name": "cell_line",
    "md5sum": "md5",
    "File download URL": "url",
    "File format": "format",
    "File assembly": "assembly",
    "Biological replicate(s)": "replicates",
}


def generate_manifest(rng):
    names = list(rng.choice((OWN, tuple(ENCODE))))
    rng.shuffle(names)
    if sometimes(rng, 0.1):
        names.append(rng.choice(("notes", names[0], "url", "")))
    rows = []
    for n in range(rng.randrange(1, 6)):
        values = {
            "accession": f"ENCFF{rng.choice((n, n, n, 0))}",
            "experiment": f"ENCSR{rng.randrange(3)}",
            "rbp": rng.choice(("TIAL1-human", "FUS-human", "FUS", '"FUS', 'TIA1"', '"PUM1"')),
            "cell_line": rng.choice(("K562", "HepG2")),
            "md5": rng.choice("0af") * 32,
            "url": f"https://host/{n}.bed.gz",
            "format": rng.choice(("bed narrowPeak", "bed narrowPeak", "fastq")),
            "assembly": rng.choice(("GRCh38", "GRCh38", "hg19")),
            "replicates": rng.choice(("1, 2", "2,1", "1")),
        }
        rows.append([values.get(ENCODE.get(name, name), "x") for name in names])
    data = [names, *rows]
    if sometimes(rng, 0.2):
        data.insert(0, ['"https://www.encodeproject.org/metadata/?type=Experiment"'])
    return saved(rng, data, share=0.15)


def read_manifest_oracle(data):
    lines = [line for line in plain_lines(data) or [] if line.strip()]
    while lines and lines[0].lstrip('" ').startswith(("http", "#")):
        lines.pop(0)
    if not lines:
        return REFUSED
    names = table_header(lines[0], "\t")
    rows = names and table_rows(lines[1:], names, "\t")
    if rows is None or names is None:
        return REFUSED
    if set(ENCODE) <= set(names):
        rows = [{ours: row[theirs] for theirs, ours in ENCODE.items()} for row in rows]
        rows = [
            {**row, "rbp": row["rbp"].removesuffix("-human")}
            for row in sorted(rows, key=lambda row: row["accession"])
            if sorted(re.findall("[0-9]+", row["replicates"])) == ["1", "2"]
            and (row["format"], row["assembly"]) == ("bed narrowPeak", "GRCh38")
        ]
        rows = [
            row
            for i, row in enumerate(rows)
            if row["experiment"] not in {one["experiment"] for one in rows[:i]}
        ]
        if not rows:
            return REFUSED
    elif not set(OWN) <= set(names):
        return REFUSED
    url = "https://www.encodeproject.org/files/{0}/@@download/{0}.bed.gz"
    accessions = [row["accession"] for row in rows]
    if len(set(accessions)) < len(rows):
        return REFUSED
    for row in rows:
        if not all(row[name] for name in OWN[:3]) or not re.fullmatch("[0-9a-f]{32}", row["md5"]):
            return REFUSED
        row.setdefault("url", url.format(row["accession"]))
    table = [[row[name] for name in (*OWN, "url")] for row in rows]
    return sorted(table, key=lambda row: (row[1], row[2], row[0]))


# --- chains -------------------------------------------------------------------------------------------------------


def generate_chain(rng):
    rows = []
    for n in range(rng.randrange(1, 4)):
        blocks = [
            [str(rng.randrange(1, 9)), *map(str, rng.choices(range(4), k=2))] for _ in range(3)
        ]
        blocks = blocks[rng.randrange(3) :]
        blocks[-1] = blocks[-1][:1]
        spans = [
            sum(int(block[0]) + int((block + ["0", "0"])[i]) for block in blocks) for i in (1, 2)
        ]
        start, to_start = rng.randrange(5), rng.randrange(5)
        head = [
            "chain",
            rng.choice(("9", "10.5", "1e3")),
            "chr1",
            "100",
            "+",
            start,
            start + spans[0],
        ]
        head += [rng.choice(("1", "chrX")), "100", rng.choice("+-"), to_start, to_start + spans[1]]
        head += [str(n)] if sometimes(rng, 0.8) else []
        rows += [list(map(str, head)), *blocks, *([[]] if sometimes(rng, 0.8) else [])]
    return saved(rng, rows, rng.choice(" \t"), ("#x", "", "5"), 0.1)


def run_chain(path):
    return [
        [c.score, c.seqname, c.to_seqname, c.to_size, c.to_strand]
        + [list(map(int, one)) for one in (c.starts, c.ends, c.to_starts)]
        for c in read_chain(path)
    ]


def read_chain_oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    words = [line.split() for line in lines if line.split() and not line.startswith("#")]
    chains = []
    while words:
        head, blocks = words.pop(0), []
        if head[0] != "chain" or len(head) not in (12, 13):
            return REFUSED
        while words and (not blocks or len(blocks[-1]) == 3):
            if len(words[0]) not in (1, 3):
                return REFUSED
            blocks.append([whole(word) for word in words.pop(0)])
        if not blocks or len(blocks[-1]) != 1 or any(None in one or one[0] < 1 for one in blocks):
            return REFUSED
        score, sizes = number(head[1]), [whole(head[3]), whole(head[8])]
        spans = [[whole(word) for word in head[i : i + 2]] for i in (5, 10)]
        if score is None or None in sizes or any(None in span for span in spans):
            return REFUSED
        if head[4] != "+" or head[9] not in ("+", "-"):
            return REFUSED
        if not all(0 <= one < two <= size for (one, two), size in zip(spans, sizes, strict=True)):
            return REFUSED
        at, to, joined = spans[0][0], spans[1][0], []
        for size, gap, to_gap in (block + [0, 0] if len(block) == 1 else block for block in blocks):
            if joined and joined[-1][1] == at and joined[-1][2] + at - joined[-1][0] == to:
                joined[-1][1] += size
            else:
                joined.append([at, at + size, to])
            at, to = at + size + gap, to + size + to_gap
        if [at, to] != [spans[0][1], spans[1][1]]:
            return REFUSED
        columns = [list(column) for column in zip(*joined, strict=True)]
        chains.append([score, head[2], head[7], sizes[1], head[9], *columns])
    return sorted(chains, key=lambda chain: -chain[0]) or REFUSED


CASES = [
    Case("narrowPeak", generate_peaks, read_peaks, read_peaks_oracle),
    Case(
        "manifest",
        generate_manifest,
        lambda path: read_manifest(path).to_numpy().tolist(),
        read_manifest_oracle,
    ),
    Case("chain", generate_chain, run_chain, read_chain_oracle),
]
