"""YAML of configurations and plug-in files, and sheets of collections."""

import re
from collections import Counter

import yaml
from harness import REFUSED, UNDECIDED, Case
from mutations import ODD_CELLS, edit_cells, edit_lines, pack, plain_lines, sometimes

from nucleotune.plugins import read_sheet
from nucleotune.schemas import read_schema, validate
from nucleotune.yaml_files import read_yaml

SPECIES = """\
title: Mine
ensembl: &e {species: danio_rerio, assembly: GRCz11, release: 110}
coding:
  files:
    - path: a.fa
    - {path: b.fa, urls: []}
  header: null
  gene_biotypes: [protein_coding]
noncoding: {files: [{path: c.fa}]}
comparable: false
promoters:
  files: {genome: g.fa.gz, gue_train: x.csv}
  biotypes: {lncRNA: [lincRNA, antisense]}
polya:
  ends: []
"""
ODD_VALUES = (
    *ODD_CELLS,
    *("2020-13-45", "2020-01-01", "[a]: 1", "? [a, b]\n: 1", "*e", "&e x", "*nothing", "!!int x", "!!binary x"),
    *("!!set {a}", "{{a: 1}: 2}", "<<: *e", "0o8", "1:99", ".inf", ".nan", "[" * 60, "{" * 30, "~", "|", "- x"),
    *("%YAML", "---", "@x", "`", "a: b: c", "!!map [1]", "!!omap [a]", "!!timestamp x", "12345678901234567890123"),
)  # fmt: skip


def generate_yaml(rng):
    lines = SPECIES.splitlines()
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0:
            lines[at] = re.sub(r"[^ :]+$", lambda _: rng.choice(ODD_VALUES), lines[at])
        elif kind == 1:
            lines[at] = re.sub(r"[\w.]+", lambda _: rng.choice(ODD_VALUES), lines[at], count=1)
        elif kind == 2:
            lines[at] = " " * rng.randrange(5) + lines[at].strip()
        elif kind == 3:
            lines.insert(at, rng.choice(ODD_VALUES))
        elif kind == 4:
            lines.insert(at, lines[rng.randrange(len(lines))])
        else:
            cut = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:cut] + rng.choice("[]{}:,&*#\"'\t ") + lines[at][cut:]
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_yaml(data):
    """Where nothing was edited, PyYAML's own reading; what it refuses is refused, and equal keys are."""
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    try:
        value = yaml.safe_load("\n".join(lines) + "\n")
    except Exception:
        return REFUSED
    if not isinstance(value, dict):
        return REFUSED
    return value if "\n".join(lines) == SPECIES.rstrip("\n") else UNDECIDED


def run_yaml(path):
    value = read_yaml(path)
    # What is no YAML value must not stop the check of its keys either.
    try:
        validate(value, read_schema("species"), path)
    except ValueError as error:
        if str(path) not in str(error):
            raise
    return value


def generate_sheet(rng):
    rows = [["rbp", "positives", "negatives"]]
    for name in rng.sample(["QKI", "A-1", "B.x", "TIAL1"], rng.randrange(1, 4)):
        rows.append([name, f"{name}.p.fa", f"{name}.n.fa"])
    if sometimes(rng, 0.3):
        order = rng.sample(range(3), 3)
        rows = [[row[i] for i in order] for row in rows]
    if sometimes(rng, 0.3):
        edit_cells(rng, rows, 0.4)
    lines = ["\t".join(row) for row in rows]
    edit_lines(rng, lines, ("QKI\tx\ty", "#"))
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle_sheet(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    table = [line.rstrip("\t ").split("\t") for line in lines if line.strip()]
    header = [cell.strip() for cell in table[0]] if table else []
    if sorted(header) != ["negatives", "positives", "rbp"] or len(table) < 2:
        return REFUSED
    found = []
    for row in table[1:]:
        if len(row) != 3 or not all(cell.strip() for cell in row):
            return REFUSED
        found.append({key: cell.strip() for key, cell in zip(header, row, strict=True)})
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", found[-1]["rbp"]):
            return REFUSED
    if max(Counter(row["rbp"] for row in found).values()) > 1:
        return REFUSED
    return found


CASES = [
    Case("YAML", generate_yaml, run_yaml, oracle_yaml),
    Case(
        "sheet", generate_sheet, lambda path: read_sheet(path, "fasta"), oracle_sheet, piped=False
    ),
]
