"""Simulated tasks with planted motifs: three classes, two labels at once, and a number that counts motifs.

A table has what tables of users have: rows that come twice, one sequence in two classes, letters N and U, and copies of
some sequences with a tenth of their letters changed, which random splits put on both sides.
"""

from pathlib import Path
from typing import Any

import numpy as np

from nucleotune.files import atomic_path
from nucleotune.simulate.composition import BASES

#: Where the tables lie in a mirror, by kind.
PATHS = {
    kind: f"example.org/nucleotune/toy-{kind}.tsv" for kind in ("classes", "labels", "numbers")
}

CLASSES = ("neither", "branch", "donor")
#: Motif of classes 1 and 2, and of the two labels; numbers rise with the first and fall with the second.
MOTIFS = ("TACTAACA", "GGTAAGTA")
LENGTHS = (90, 120)  # nt
MISMATCH = 0.15  # of motifs, that have one letter changed
COPIED, CHANGED = 0.1, 0.1  # share of rows with a relative; share of its letters that differ
MISSING = 0.05  # of labels
EFFECTS, NOISE = (1.0, -0.7), 0.4  # of each motif on the number, and its standard deviation


def write_toy_task(mirror: str | Path, *, kind: str, seed: int, rows: int) -> dict[str, Any]:
    """Write the table of a toy task under `mirror` (`PATHS`) and return what it holds: `rows`, `counts`.

    Same arguments, same bytes. kind: classes, labels or numbers. rows: distinct sequences before what is added to them.
    """
    rng = np.random.default_rng([seed, list(PATHS).index(kind)])
    header = {"classes": "site", "labels": "branch\tdonor", "numbers": "strength"}[kind]
    table = []
    for number in range(rows):
        sequence, cells = _row(kind, number, rng)
        table.append((f"s{number}", sequence, cells, f"g{number}"))
    for number in rng.choice(rows, int(COPIED * rows), replace=False):
        name, sequence, cells, gene = table[number]
        table.append((f"{name}-relative", _changed(sequence, CHANGED, rng), cells, gene))
    table.append(("again", table[0][1].replace("T", "U"), table[0][2], "g0"))
    table.append(("with-n", "N" + table[1][1][1:], table[1][2], "g1"))
    if kind == "classes":
        table.append(("other-class", table[2][1], CLASSES[0], "g2"))
    lines = [f"id\tsequence\t{header}\tgene"]
    lines += ["\t".join(table[place]) for place in rng.permutation(len(table))]
    path = Path(mirror) / PATHS[kind]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="ascii")
    return {"rows": len(table), "columns": lines[0].split("\t")}


def _row(kind: str, number: int, rng: np.random.Generator) -> tuple[str, str]:
    """A sequence and the cells of its label."""
    length = int(rng.integers(*LENGTHS))
    letters = [BASES[i] for i in rng.integers(0, 4, length)]
    if kind == "classes":
        label = number % len(CLASSES)
        counts = [int(label == 1), int(label == 2)]
        cells = CLASSES[label]
    elif kind == "labels":
        counts = [int(one) for one in rng.integers(0, 2, 2)]
        cells = "\t".join("" if rng.random() < MISSING else str(one) for one in counts)
    else:
        counts = [int(one) for one in rng.integers(0, 4, 2)]
        value = sum(n * effect for n, effect in zip(counts, EFFECTS, strict=True))
        cells = f"{value + NOISE * rng.normal():.3f}"
    _plant(letters, counts, rng)
    return "".join(letters), cells


def _plant(letters: list[str], counts: list[int], rng: np.random.Generator) -> None:
    """Write the motifs at places of a grid, so that none overlaps another."""
    width = max(map(len, MOTIFS)) + 2
    places = rng.permutation(len(letters) // width)[: sum(counts)] * width
    wanted = [motif for motif, n in zip(MOTIFS, counts, strict=True) for _ in range(n)]
    for place, motif in zip(places, wanted, strict=True):
        motif = _changed(motif, 1 / len(motif), rng) if rng.random() < MISMATCH else motif
        at = place + int(rng.integers(0, 3))
        letters[at : at + len(motif)] = motif


def _changed(sequence: str, share: float, rng: np.random.Generator) -> str:
    letters = list(sequence)
    for place in rng.choice(len(letters), max(1, round(share * len(letters))), replace=False):
        letters[place] = str(rng.choice([one for one in BASES if one != letters[place]]))
    return "".join(letters)
