"""GCT."""

import re

from harness import REFUSED, Case
from mutations import edit_cells, edit_lines, number, pack, plain_lines, sometimes

from nucleotune.genome.expression import read_gct


def generate(rng):
    n, m = rng.randrange(1, 6), rng.randrange(1, 5)
    rows = [["Name", "Description", *(f"Tissue {i} \u00fc" for i in range(m))]]
    for i in range(n):
        gene = rng.choice(
            (f"ENSG0000000000{i}.{i + 2}", f"YAL{i}", f"ENSG0000000000{i}.2_PAR_Y", f"A.{i}")
        )
        rows.append([gene, "x", *(rng.choice(("0", "1.5", "3e2", "0.001", "7")) for _ in range(m))])
    edit_cells(rng, rows, 0.2)
    n += rng.choice((-1, 1)) if sometimes(rng, 0.05) else 0
    lines = [rng.choice(("#1.2",) * 30 + ("#1.3",)), f"{n}\t{m}", *("\t".join(row) for row in rows)]
    edit_lines(rng, lines)
    return pack(rng, "".join(line + "\n" for line in lines))


def run(path):
    table = read_gct(path)
    return [list(table), list(table.index), table.astype(object).to_numpy().tolist()]


def oracle(data):
    lines = [line for line in plain_lines(data) or [] if line.strip()]
    if len(lines) < 4 or lines[0].rstrip() != "#1.2":
        return REFUSED
    sizes = lines[1].rstrip().split("\t")
    names = lines[2].rstrip("\t ").split("\t")
    if len(sizes) != 2 or not all(re.fullmatch("[1-9][0-9]{0,14}", size) for size in sizes):
        return REFUSED
    n, m = map(int, sizes)
    if names[:2] != ["Name", "Description"] or len(names) != m + 2 or len(set(names)) < len(names):
        return REFUSED
    if len(lines) != n + 3:
        return REFUSED
    ids, rows = [], []
    for line in lines[3:]:
        cells = line.split("\t")
        values = [number(cell.strip(" ")) for cell in cells[2 : m + 2]]
        if (
            len(values) < m
            or None in values
            or min(values) < 0
            or any(c.strip() for c in cells[m + 2 :])
        ):
            return REFUSED
        match = re.fullmatch(r"(ENSG[0-9]{11})\.([0-9]+)(.*)", cells[0])
        ids.append(match[1] + match[3] if match else cells[0])
        rows.append([int(match[2]) if match else None, *values])
    if len(set(ids)) < len(ids):
        return REFUSED
    return [["gene_version", *names[2:]], ids, rows]


CASES = [Case("GCT", generate, run, oracle)]
