"""Known motifs from files in MEME's text format, full or minimal (meme-suite.org/meme/doc/meme-format.html)."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import BASES
from nucleotune.text import read_lines

_ALPHABETS = (BASES, BASES.replace("T", "U"))
_MOTIF = re.compile(r"MOTIF(?:\s+(\S+)|\s*$)")
_MATRIX = re.compile(r"letter-probability matrix(.*)")
_SIZE = re.compile(r"\b(alength|w)=\s*([0-9]{1,6})(?!\S)")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")

Lines = Sequence[tuple[int, str]]


def read_motifs(path: str | Path) -> dict[str, np.ndarray]:
    """Motifs of a MEME file, of DNA or RNA: name -> shares (width, 4), bases A, C, G, T (or U).

    The name is the first word after MOTIF. Motifs of one name become `<name>.1`, `<name>.2` .., which are variants
    of one element (`motifs.element_of`). The alphabet, and what follows `letter-probability matrix`, may be missing, as
    the format allows: then the rows tell the width.

    Raises InputError if the file cannot be read, has no motif, another alphabet, or rows that are no shares.
    """
    lines = [(number, line.rstrip()) for number, line in read_lines(path)]
    begins = [i for i, (_, line) in enumerate(lines) if _MOTIF.match(line)]
    _check_head(path, lines[: begins[0] if begins else len(lines)])
    if not begins:
        raise InputError(f"{path}: no motif there; expected lines 'MOTIF <name>'")
    found = [
        _motif(path, lines[begin:end])
        for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True)
    ]
    counts, seen = Counter(name for name, _ in found), Counter()
    motifs: dict[str, np.ndarray] = {}
    for name, matrix in found:
        seen[name] += 1
        own = name if counts[name] == 1 else f"{name}.{seen[name]}"
        if own in motifs or (own != name and own in counts):
            raise InputError(
                f"{path}: motif {name!r} occurs {counts[name]} times, and there is {own!r}, too; give each another name"
            )
        motifs[own] = matrix
    return motifs


def _check_head(path: str | Path, head: Lines) -> None:
    """What precedes the first motif is that of a MEME file, of DNA or RNA."""
    known = False
    letters: list[str] | None = None  # of an alphabet that is being defined
    for number, line in head:
        where = f"{path}: line {number}"
        if line.startswith("END ALPHABET") and letters is not None:
            _check_alphabet("".join(letters), where)
            letters = None
        elif letters is not None:
            letters += re.findall(r"^\w(?![^\s~])(?!.*=)", line)
        elif line.startswith("ALPHABET"):
            known = True
            given = line.removeprefix("ALPHABET").lstrip()
            if given.startswith("="):
                _check_alphabet(given[1:].strip(), where)
            else:
                letters = []
        known |= line.startswith("MEME version")
    if letters is not None:
        raise InputError(f"{path}: 'ALPHABET' without 'END ALPHABET'")
    if not known:
        raise InputError(
            f"{path}: expected MEME's text format, which begins with 'MEME version 4' and 'ALPHABET= {BASES}'"
        )


def _check_alphabet(letters: str, where: str) -> None:
    if letters not in _ALPHABETS:
        raise InputError(f"{where}: alphabet {letters!r}; expected {' or '.join(_ALPHABETS)}")


def _motif(path: str | Path, block: Lines) -> tuple[str, np.ndarray]:
    """Name and matrix of the lines from one MOTIF to the next."""
    first, line = block[0]
    name = _MOTIF.match(line)[1]
    if name is None:
        raise InputError(f"{path}: line {first}: a motif without a name; expected 'MOTIF <name>'")
    where = f"{path}: motif {name} (line {first})"
    begins = [i for i, (_, line) in enumerate(block) if _MATRIX.match(line)]
    if len(begins) != 1:
        raise InputError(
            f"{where}: {len(begins)} lines 'letter-probability matrix:'; expected one per motif"
        )
    sizes = dict(_SIZE.findall(_MATRIX.match(block[begins[0]][1])[1]))
    if int(sizes.get("alength", len(BASES))) != len(BASES):
        raise InputError(f"{where}: alength= {sizes['alength']}; expected {len(BASES)} letters")
    rows = _rows(path, block[begins[0] + 1 :])
    if not rows or int(sizes.get("w", len(rows))) != len(rows):
        raise InputError(
            f"{where}: {len(rows)} rows of {len(BASES)} numbers; expected {sizes.get('w', 'one or more')}, right below"
            " 'letter-probability matrix:'"
        )
    matrix = np.array(rows, dtype=np.float64)
    if not np.allclose(matrix.sum(axis=1), 1, atol=0.01):
        raise InputError(f"{where}: each row must be four shares that add up to 1")
    return name, matrix


def _rows(path: str | Path, lines: Lines) -> list[list[float]]:
    """The numbers below a matrix's heading, up to a blank line, a rule or a line that begins with a letter."""
    rows: list[list[float]] = []
    for number, line in lines:
        cells = line.split()
        if not cells and not rows:
            continue
        if not cells or cells[0].startswith("--") or cells[0][0].isalpha():
            break
        if len(cells) != len(BASES) or not all(map(_NUMBER.fullmatch, cells)):
            raise InputError(
                f"{path}: line {number}: expected {len(BASES)} shares of 0 to 1, found {line[:60]!r}"
            )
        rows.append([float(cell) for cell in cells])
    return rows
