"""FASTA."""

from harness import REFUSED, Case
from mutations import edit_lines, pack, plain_lines, sometimes

from nucleotune.sequence.fasta import read_fasta

_CODES = {**dict(zip("ACGTU", "ACGTT", strict=True)), **dict.fromkeys("RYKMSWBDHVN", "N")}


def generate(rng):
    lines = []
    for number in range(rng.randrange(1, 6)):
        lines.append(rng.choice((f">t{number}", f">t{number} gene=g 1", ">t\u00fc\u2028x", "> t")))
        letters = rng.choice(("ACGT", "acgtn", "ACGURYN"))
        if sometimes(rng, 0.05):
            letters = rng.choice(("ACGT-", "AC GT", "ACGT\u00e9"))
        for _ in range(rng.randrange(4)):
            lines.append("".join(rng.choices(letters, k=rng.randrange(12))))
    edit_lines(rng, lines, extra=("; comment", "#", ">", ">>x", "ACGT", "\x0c"))
    if sometimes(rng, 0.05):
        lines.insert(0, "ACGT")
    return pack(rng, "".join(line + "\n" for line in lines))


def oracle(data):
    lines = plain_lines(data)
    if lines is None:
        return REFUSED
    records = []
    for line in lines:
        if line.startswith(">"):
            records.append([line[1:].strip(), ""])
        elif records:
            records[-1][1] += line.strip()
        elif line.strip():
            return REFUSED
    letters = {letter for _, sequence in records for letter in sequence}
    if not records or not all(header for header, _ in records):
        return REFUSED
    # Not str.upper, which makes letters of the code of other ones.
    codes = _CODES | {code.lower(): letter for code, letter in _CODES.items()}
    if not letters <= set(codes):
        return REFUSED
    return [[header, "".join(map(codes.get, sequence))] for header, sequence in records]


CASES = [
    Case("FASTA", generate, lambda path: [list(record) for record in read_fasta(path)], oracle),
]
