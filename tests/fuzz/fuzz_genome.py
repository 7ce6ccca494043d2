"""A genome, unpacked and indexed."""

import tempfile
from pathlib import Path

from harness import REFUSED, UNDECIDED, Case
from mutations import edit_lines, pack, plain_lines, sometimes

from nucleotune.genome.genome_file import open_genome, unpack_genome


def generate(rng):
    lines = []
    for number in range(rng.randrange(1, 5)):
        name = rng.choice((str(number), str(number), f"chr{number}", "1"))
        lines.append(f">{name}{rng.choice(('', ' dna:chromosome', '  x', chr(9) + 'y'))}")
        width = rng.choice((5, 10))
        letters = rng.choices("ACGTNacgtn", k=rng.randrange(1, 40))
        lines += ["".join(letters[i : i + width]) for i in range(0, len(letters), width)]
    if sometimes(rng, 0.1):
        lines.insert(rng.choice((0, -1)), rng.choice(("ACGT", ">", "> ", "")))
    if sometimes(rng, 0.5):
        edit_lines(rng, lines, ("", "", " "))
    return pack(rng, "".join(line + "\n" for line in lines))


def run(path):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "genome.fa"
        unpack_genome(path, target)
        with open_genome(target) as genome:
            return {name: genome[name][:] for name in genome.keys()}  # noqa: SIM118 (no dict)


def oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return UNDECIDED if data[:2] not in (b"\x1f\x8b", b"\xff\xfe") else REFUSED
    lines = [line.strip(" \t") for line in lines if line.strip(" \t")]
    if not lines or lines[0][0] != ">":
        return REFUSED
    records, widths = [], []
    for line in lines:
        if line[0] == ">":
            records.append([line[1:].split(), ""])
            widths.append([])
        else:
            records[-1][1] += line.upper()
            widths[-1].append(len(line.encode()))
    if any(len(set(one[:-1])) > 1 or (one and one[-1] > one[0]) for one in widths):
        return REFUSED
    if not all(names for names, _ in records) or not data.isascii() and data[:2] != b"\x1f\x8b":
        return UNDECIDED
    if any(not sequence for _, sequence in records):
        return UNDECIDED
    names = [names[0] for names, _ in records]
    if len(set(names)) < len(names):
        return REFUSED
    return {name: sequence for name, (_, sequence) in zip(names, records, strict=True)}


CASES = [Case("genome", generate, run, oracle)]
