"""MEME's text format."""

import re

from harness import REFUSED, Case
from mutations import ODD_CELLS, edit_lines, pack, plain_lines, sometimes

from nucleotune.attribution.meme import read_motifs

ROWS = ("1 0 0 0", " 0.25 .25 2.5e-1 0.25", "0.1 0.2 0.3 0.4", "0\t0\t1\t0")
ALPHABETS = (
    "ALPHABET= ACGT",
    "ALPHABET= ACGU",
    'ALPHABET "DNA"\nA\nC "c" ~ G\nG\nT\nN = ACGT\nEND ALPHABET',
)


def generate(rng):
    lines = ["MEME version 4", ""] if sometimes(rng, 0.9) else []
    if sometimes(rng, 0.8):
        lines += rng.choice(ALPHABETS).split("\n")
    lines += rng.choice(
        (["strands: + -"], ["Background letter frequencies", "A 0.25 C 0.25 G 0.25 T 0.25"], [])
    )
    for _ in range(rng.randrange(1, 5)):
        lines.append(
            f"MOTIF {rng.choice(('a', 'b', 'c', 'PTBP1', 'a.1'))} {rng.choice(('', 'other'))}"
        )
        rows = [rng.choice(ROWS) for _ in range(rng.randrange(1, 4))]
        sizes = rng.choice(
            ("", " nsites= 20", f" alength= 4 w= {len(rows)} nsites= 20 E= 1e-5", f" w={len(rows)}")
        )
        lines += [
            f"letter-probability matrix:{sizes}",
            *rows,
            *rng.choice(((), ("",), ("URL x",), ("-----",))),
        ]
    if sometimes(rng, 0.2):
        at = rng.randrange(len(lines))
        cells = lines[at].split(" ")
        cells[rng.randrange(len(cells))] = rng.choice(ODD_CELLS)
        lines[at] = " ".join(cells)
    if sometimes(rng, 0.3):
        edit_lines(
            rng,
            lines,
            ("MOTIF", "MOTIF x", "1 0 0 0", "ALPHABET= ACDE", "letter-probability matrix:"),
        )
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    lines = [line.rstrip() for line in lines]
    blocks = [[]]
    for line in lines:
        if line.split()[:1] == ["MOTIF"] and line.startswith("MOTIF"):
            blocks.append([])
        blocks[-1].append(line)
    head, *blocks = blocks
    if not alphabet_is_ours(head) or not blocks:
        return REFUSED
    found = [motif(block) for block in blocks]
    if None in found:
        return REFUSED
    names = [name for name, _ in found]
    motifs = {}
    for number, (name, rows) in enumerate(found):
        own = name
        if names.count(name) > 1:
            own = f"{name}.{names[: number + 1].count(name)}"
        if own in motifs or (own != name and own in names):
            return REFUSED
        motifs[own] = rows
    return motifs


def alphabet_is_ours(head):
    known, defined = False, None
    for line in head:
        if defined is not None and line.startswith("END ALPHABET"):
            if defined not in ("ACGT", "ACGU"):
                return False
            defined = None
        elif defined is not None:
            letter = re.match(r"(\w)(?:[\s~]|$)", line)
            if letter and "=" not in line[1:]:
                defined += letter[1]
        elif line.startswith("ALPHABET"):
            known, rest = True, line[8:].lstrip()
            if rest[:1] == "=":
                if rest[1:].strip() not in ("ACGT", "ACGU"):
                    return False
            else:
                defined = ""
        known = known or line.startswith("MEME version")
    return known and defined is None


def motif(block):
    """Name and rows; None where they are broken."""
    words = block[0].split()
    at = [i for i, line in enumerate(block) if line.startswith("letter-probability matrix")]
    if len(words) < 2 or len(at) != 1:
        return None
    heading = block[at[0]][len("letter-probability matrix") :]
    sizes = dict(re.findall(r"\b(w|alength)=\s*(\d{1,6})(?=\s|$)", heading, re.ASCII))
    rows = []
    for line in block[at[0] + 1 :]:
        if not line.strip():
            if rows:
                break
            continue
        if line.lstrip()[:2] == "--" or line.lstrip()[0].isalpha():
            break
        cells = line.split()
        if len(cells) != 4 or not all(
            re.fullmatch(r"[0-9.]+(e[-+]?[0-9]+)?", cell, re.IGNORECASE) for cell in cells
        ):
            return None
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError:
            return None
        if not 0.98 < sum(rows[-1]) < 1.02:
            return None
    if not rows or int(sizes.get("w", len(rows))) != len(rows) or int(sizes.get("alength", 4)) != 4:
        return None
    return words[1], rows


def run(path):
    return {name: matrix.tolist() for name, matrix in read_motifs(path).items()}


CASES = [Case("MEME", generate, run, oracle)]
