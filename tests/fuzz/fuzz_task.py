"""A task of one's own: tables of any separator, FASTA with labels in the headers, BED, and the look at a file."""

import re
from pathlib import Path

from harness import REFUSED, UNDECIDED, Case
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

from nucleotune.schemas import read_schema, validate
from nucleotune.studies.task.labels import with_labels
from nucleotune.studies.task.look import look
from nucleotune.studies.task.plan import computed_task
from nucleotune.studies.task.plugin import checked_task
from nucleotune.studies.task.read import read_rows


def task_of(**keys):
    keys = {"title": "T", "files": [{"path": "x"}], "split": {"by": "random"}, **keys}
    path = Path("t.yaml")
    return computed_task(checked_task(validate(keys, read_schema("task"), path), path))


TABLE = {"format": "table", "columns": {"sequence": "seq", "label": "y"}}
CLASSES = task_of(kind="classes", classes=["a", "b", "c"], **TABLE)
NUMBERS = task_of(kind="numbers", **TABLE)
FASTA = task_of(kind="classes", classes=["a", "b"], format="fasta", header="class=(?P<label>[ab])")
BED = task_of(
    kind="classes",
    classes=["a", "b"],
    format="bed",
    genome={"path": "g"},
    columns={"label": "name"},
)


def read(path, task, columns):
    rows = with_labels(read_rows({"rows_0": path}, task), task)
    # Null is a text here: NaN is not itself.
    rows = rows[["line", *columns]].astype(object)
    return rows.where(rows.notna(), "null").to_numpy().tolist()


def generate_table(rng, labels):
    rows = [["seq", "y", "more"]]
    for _ in range(rng.randrange(1, 7)):
        sequence = "".join(rng.choices("ACGTUacgtN", k=rng.randrange(1, 9)))
        rows.append([sequence, rng.choice(labels), rng.choice(("", "x y", '"q"'))])
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.4)
    lines = [rng.choice("\t\t,;").join(row) for row in rows[:1]]
    between = next(one for one in "\t,;" if one in lines[0])
    lines += [between.join(row) for row in rows[1:]]
    edit_lines(rng, lines, ("seq\ty\tmore", "A\ta", "A,a,x"))
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_table(data, meaning):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    numbered = [(n, line) for n, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        return REFUSED
    header = numbered[0][1]
    between = next((one for one in "\t,;" if one in header), "\t")
    names = table_header(header, between)
    if names is None or not {"seq", "y"} <= set(names):
        return REFUSED
    rows = table_rows([line for _, line in numbered[1:]], names, between)
    if not rows:
        return REFUSED
    found = []
    for (n, _), row in zip(numbered[1:], rows, strict=True):
        label = meaning(row["y"])
        if label is None:
            return REFUSED
        found.append([n, row["seq"], label])
    return found


def class_of(text):
    return {"": "null", "a": 0, "b": 1, "c": 2}.get(text)


def number_of(text):
    if text.lower() in ("", "na", "nan", "n/a", "null", "none", ".", "?"):
        return "null"
    return number(text)


def generate_fasta(rng):
    lines = []
    for i in range(rng.randrange(1, 5)):
        label = rng.choice("aabbbab" if sometimes(rng, 0.9) else "abc")
        lines += [f">s{i} class={label} x", "".join(rng.choices("ACGU", k=rng.randrange(1, 9)))]
    edit_lines(rng, lines, (">s0 class=a", ">x", ""))
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_fasta(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    found = []
    for n, line in enumerate(lines, start=1):
        if line.startswith(">"):
            header = line[1:].strip()
            label = re.search("class=([ab])", header)
            if label is None:
                return REFUSED
            found.append([n, header.split()[0], "", "ab".index(label[1])])
        elif found:
            found[-1][2] += line.strip()
        elif line.strip():
            return REFUSED
    ids = [row[1] for row in found]
    return found if found and len(set(ids)) == len(ids) else REFUSED


def generate_bed(rng):
    rows = []
    for _ in range(rng.randrange(1, 6)):
        start = rng.choice((0, 7, 1000))
        rows.append(
            [
                "chr1",
                str(start),
                str(start + rng.choice((1, 60))),
                rng.choice("ab"),
                "0",
                rng.choice("+-."),
            ]
        )
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.5)
    between = rng.choice(("\t", "\t", " "))
    lines = [between.join(row) for row in rows]
    edit_lines(rng, lines, ("track name=x", "#", "chr1\t0\t9\ta\t0\t+"))
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_bed(data):
    lines = [line.strip(" \t") for line in plain_lines(data) or ()]
    if len({"\t" in line for line in lines if line and line[0] != "#" and line[:5] != "track"}) > 1:
        return UNDECIDED  # tabs in some lines, blanks in others
    rows = bed_rows(data)
    if rows is None:
        return REFUSED
    found = []
    for row in rows:
        if len(row) < 4 or row[3] not in ("a", "b", ""):
            return REFUSED
        start, end = whole(row[1]), whole(row[2])
        if start is None or end is None or end <= start:
            return REFUSED
        strand = (
            {"": "+", ".": "+", "1": "+", "-1": "-"}.get(row[5], row[5]) if len(row) > 5 else "+"
        )
        if strand not in "+-":
            return REFUSED
        found.append([row[0], start, end, strand, class_of(row[3])])
    return found


def looked_at(path):
    return sorted(look([path], {}).keys)


CASES = [
    Case(
        "task table of classes",
        lambda rng: generate_table(rng, "abc"),
        lambda path: read(path, CLASSES, ["sequence", "label"]),
        lambda data: oracle_table(data, class_of),
    ),
    Case(
        "task table of numbers",
        lambda rng: generate_table(rng, ("1", "-2.5", "1e3", "NA", "")),
        lambda path: read(path, NUMBERS, ["sequence", "value:y"]),
        lambda data: oracle_table(data, number_of),
    ),
    Case(
        "task FASTA",
        generate_fasta,
        lambda path: read(path, FASTA, ["id", "sequence", "label"]),
        oracle_fasta,
    ),
    Case(
        "task BED",
        generate_bed,
        lambda path: [
            row[1:] for row in read(path, BED, ["seqname", "start", "end", "strand", "label"])
        ],
        oracle_bed,
    ),
    Case(
        "task look",
        lambda rng: generate_table(rng, "abc"),
        looked_at,
        lambda data: UNDECIDED,
        piped=False,
    ),
]
