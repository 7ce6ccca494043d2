"""The graph GraphProt makes of an RNA: its nucleotides, those of its structures, and the structures' parts.

Maticzka et al., "GraphProt: modeling binding preferences of RNA-binding proteins", Genome Biology
2014;15:R17.
"""

import numpy as np
from numba import njit

#: Labels of vertices. A nucleotide has the place of its letter, 5 more where it belongs to a structure.
LABELS = (
    *"acgun",
    *"ACGUN",
    *("AS#S", "AS#HL", "AS#BL", "AS#IL", "AS#ML", "AS#EL"),
    "^R",
)
STEM, HAIRPIN, BULGE, INTERIOR, MULTI, EXTERIOR, RELATION = range(10, 17)
_OF_STRUCTURE = 5

#: Labels of edges: backbone, base pair, between parts, part to relation, relation to nucleotide.
EDGES = (">", "s", "n", "^r", "@r")
BACKBONE, PAIR, NEXT_PART, OF_PART, OF_NUCLEOTIDE = range(5)

#: Place of each byte's letter in "ACGUN"; T is U, and all other letters are N.
CODES = np.full(256, 4, dtype=np.uint8)
for _letters in (b"ACGU", b"ACGT"):
    CODES[np.frombuffer(_letters, dtype=np.uint8)] = np.arange(4)

_OPEN, _CLOSE, _UNPAIRED = b"()."


@njit(cache=True)
def pair_table(structure: np.ndarray, partner: np.ndarray) -> bool:
    """Write each nucleotide's partner, -1 without, in a dot-bracket structure (bytes); False if it is malformed."""
    opened = np.empty(len(structure), dtype=np.int64)
    depth = 0
    for i in range(len(structure)):
        partner[i] = -1
        if structure[i] == _OPEN:
            opened[depth] = i
            depth += 1
        elif structure[i] == _CLOSE:
            if depth == 0:
                return False
            depth -= 1
            partner[i] = opened[depth]
            partner[opened[depth]] = i
        elif structure[i] != _UNPAIRED:
            return False
    return depth == 0


@njit(cache=True)
def build_graph(codes: np.ndarray, partners: np.ndarray, upper: bool) -> tuple:
    """Return the labels of vertices (v,) and the edges (e, 3) as source, target and label.

    `codes` (n,) are those of the nucleotides and `partners` (m, n) the pair tables of m structures. The graph has the
    plain sequence (its letters upper-case if `upper`) and, apart from it, each structure with its parts (`_add_parts`).
    """
    m, n = partners.shape
    # A structure has at most n / 2 stems, as many loops and one stretch more, each of two vertices.
    labels = np.empty(n + m * (4 * n + 2), dtype=np.int64)
    edges = np.empty((n + m * (12 * n + 8), 3), dtype=np.int64)
    size = np.zeros(2, dtype=np.int64)
    _add_sequence(codes, _OF_STRUCTURE if upper else 0, labels, edges, size)
    for structure in range(m):
        first = size[0]
        _add_sequence(codes, _OF_STRUCTURE, labels, edges, size)
        for i in range(n):
            if partners[structure, i] > i:
                _add_edge(first + i, first + partners[structure, i], PAIR, edges, size)
        _add_parts(partners[structure], first, labels, edges, size)
    return labels[: size[0]], edges[: size[1]]


@njit(cache=True)
def _add_vertex(label: int, labels: np.ndarray, size: np.ndarray) -> int:
    labels[size[0]] = label
    size[0] += 1
    return size[0] - 1


@njit(cache=True)
def _add_edge(source: int, target: int, label: int, edges: np.ndarray, size: np.ndarray) -> None:
    edge = size[1]
    edges[edge, 0], edges[edge, 1], edges[edge, 2] = source, target, label
    size[1] += 1


@njit(cache=True)
def _add_sequence(
    codes: np.ndarray, shift: int, labels: np.ndarray, edges: np.ndarray, size: np.ndarray
) -> None:
    for i in range(len(codes)):
        vertex = _add_vertex(codes[i] + shift, labels, size)
        if i:
            _add_edge(vertex - 1, vertex, BACKBONE, edges, size)


@njit(cache=True)
def _add_part(label: int, labels: np.ndarray, edges: np.ndarray, size: np.ndarray) -> int:
    """Add a part and, as the vertex after it, its relation to nucleotides."""
    part = _add_vertex(label, labels, size)
    _add_edge(part, _add_vertex(RELATION, labels, size), OF_PART, edges, size)
    return part


@njit(cache=True)
def _relate(
    part: int, begin: int, end: int, first: int, edges: np.ndarray, size: np.ndarray
) -> None:
    """Relate `part` to the nucleotides `begin` to `end`, without the last; the first of all is vertex `first`."""
    for i in range(begin, end):
        _add_edge(part + 1, first + i, OF_NUCLEOTIDE, edges, size)


@njit(cache=True)
def _add_parts(
    partner: np.ndarray, first: int, labels: np.ndarray, edges: np.ndarray, size: np.ndarray
) -> None:
    """Add the parts of the structure with the pair table `partner` (n,), whose first nucleotide is vertex `first`.

    A stem is a longest run of stacked pairs, with all its nucleotides. Every loop comes with the pairs that close it,
    and an exterior stretch with the pairs it touches: both nucleotides of each. An edge leads from a stem to the loop
    it closes, from a loop to each stem inside, and along the exterior from stretch to stem to stretch. Adjacent stems
    have a stretch between them; a stem at the sequence's end has none beyond. Without pairs, all is one exterior
    stretch; what the tool does then is not known.
    """
    n = len(partner)
    stem_of = np.full(n, -1, dtype=np.int64)
    inner = np.empty(n, dtype=np.int64)
    for i in range(n):
        if partner[i] > i and not (i > 0 and partner[i - 1] == partner[i] + 1):
            stem_of[i] = _add_part(STEM, labels, edges, size)
            p, q = i, partner[i]
            while partner[p + 1] == q - 1 and p + 1 < q - 1:
                p, q = p + 1, q - 1
            _relate(stem_of[i], i, p + 1, first, edges, size)
            _relate(stem_of[i], q, partner[i] + 1, first, edges, size)
            inner[i] = p
    for i in range(n):
        if stem_of[i] >= 0:
            _add_loop(partner, inner[i], stem_of[i], stem_of, first, labels, edges, size)
    _add_exterior(partner, stem_of, first, labels, edges, size)


@njit(cache=True)
def _add_loop(
    partner: np.ndarray,
    p: int,
    stem: int,
    stem_of: np.ndarray,
    first: int,
    labels: np.ndarray,
    edges: np.ndarray,
    size: np.ndarray,
) -> None:
    """Add the loop that the pair of nucleotide `p`, the innermost of `stem`, closes."""
    q = partner[p]
    stems, last = 0, p
    for i in range(p + 1, q):
        if i > last and partner[i] > i:
            stems, last = stems + 1, partner[i]
    label = HAIRPIN if stems == 0 else MULTI
    if stems == 1:
        label = INTERIOR
        if partner[last] == p + 1 or last == q - 1:
            label = BULGE
    loop = _add_part(label, labels, edges, size)
    _add_edge(stem, loop, NEXT_PART, edges, size)
    # From each closing pair, the loop continues to the next nucleotide that is paired, that one included.
    begin = p
    for i in range(p + 1, q):
        if i > begin and partner[i] > i:
            _relate(loop, begin, i + 1, first, edges, size)
            _add_edge(loop, stem_of[i], NEXT_PART, edges, size)
            begin = partner[i]
    _relate(loop, begin, q + 1, first, edges, size)


@njit(cache=True)
def _add_exterior(
    partner: np.ndarray,
    stem_of: np.ndarray,
    first: int,
    labels: np.ndarray,
    edges: np.ndarray,
    size: np.ndarray,
) -> None:
    """Add the stretches outside of all pairs."""
    n = len(partner)
    before = -1
    for i in range(n + 1):
        if before >= 0 and i <= partner[before]:
            continue
        if i < n and partner[i] < 0:
            continue
        # Nucleotide i opens the next stem, or the sequence ends; `before` opened the stem before it.
        begin = partner[before] if before >= 0 else 0
        end = min(i + 1, n)
        if (before < 0 and i > 0) or (before >= 0 and (i < n or begin < n - 1)):
            stretch = _add_part(EXTERIOR, labels, edges, size)
            _relate(stretch, begin, end, first, edges, size)
            if before >= 0:
                _relate(stretch, before, before + 1, first, edges, size)
                _add_edge(stem_of[before], stretch, NEXT_PART, edges, size)
            if i < n:
                _relate(stretch, partner[i], partner[i] + 1, first, edges, size)
                _add_edge(stretch, stem_of[i], NEXT_PART, edges, size)
        before = i
