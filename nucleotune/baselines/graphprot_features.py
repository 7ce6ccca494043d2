"""GraphProt's features: pairs of neighbourhoods in the graph of an RNA, hashed.

Costa and De Grave, "Fast neighborhood subgraph pairwise distance kernel", ICML 2010; as in GraphProt 1.1.7
(see `graphprot`).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from nucleotune.baselines.graphprot_graph import (
    CODES,
    EDGES,
    LABELS,
    OF_NUCLEOTIDE,
    OF_PART,
    RELATION,
    build_graph,
    pair_table,
)
from nucleotune.errors import InputError

#: Largest radius: a vertex with the labels of its neighbours.
MAX_RADIUS = 1

# A vertex with more neighbours has this for its neighbourhood of radius 1.
_MAX_DEGREE = 7
_TOO_MANY = 1

_HASH_START = 0xAAAAAAAA
_BITS_32 = 0xFFFFFFFF
_BITS_31 = 0x7FFFFFFF

_COLON, _DOT = b":."


def features(
    sequences: Sequence[str],
    structures: Sequence[Sequence[str]] | None,
    *,
    radius: int = 1,
    distance: int = 4,
    bitsize: int = 14,
) -> csr_matrix:
    """Return the features, float32 (n, 2^bitsize), of RNAs in upper-case ACGTN; every row has norm 1.

    `structures` holds the shape representatives of each sequence in dot-bracket notation (`sequence.shreps`); None
    makes the features of the sequences alone (the tool's option -onlyseq).

    A feature is a pair of neighbourhoods of equal radius, up to `radius` (0 or 1), around two vertices at a distance up
    to `distance`. Its count is divided by the norm of the counts of the same radius and distance, and the whole row by
    its norm. The graph is directed; it stands a second time beside itself, reversed and with labels of its own. The
    relation between a part of a structure and nucleotides joins no distances: for each relation, the vertices at each
    distance from its nucleotides are paired with those at the same distance from the part.

    Raises InputError for a radius that is not known, and for a structure that does not fit its sequence.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise InputError(f"graphprot: radius {radius} is not implemented, use 0 to {MAX_RADIUS}")
    folded = [()] * len(sequences) if structures is None else structures
    ids, values = [], []
    for sequence, dot_brackets in zip(sequences, folded, strict=True):
        codes = CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
        partners = np.empty((len(dot_brackets), len(codes)), dtype=np.int64)
        for structure, partner in zip(dot_brackets, partners, strict=True):
            signs = np.frombuffer(structure.encode("ascii"), dtype=np.uint8)
            if len(signs) != len(codes) or not pair_table(signs, partner):
                raise InputError(
                    f"graphprot: structure {structure!r} does not fit sequence {sequence!r}; expected balanced "
                    "brackets and dots, one sign per nucleotide; were the structures computed from other sequences?"
                )
        labels, edges = build_graph(codes, partners, structures is None)
        labels = np.concatenate([labels, labels + _REVERSED])
        is_relation = labels % _REVERSED == RELATION
        row_ids, row_values = _graph_features(labels, is_relation, edges, radius, distance, bitsize)
        ids.append(row_ids)
        values.append(row_values)
    starts = np.concatenate([[0], np.cumsum([len(row) for row in ids], dtype=np.int64)])
    if not ids:
        return csr_matrix((0, 2**bitsize), dtype=np.float32)
    return csr_matrix(
        (np.concatenate(values), np.concatenate(ids), starts), shape=(len(ids), 2**bitsize)
    )


def _texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """All `texts` in one array of bytes, and where each begins; one more for the end."""
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
    return np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8), starts


# A vertex of the reversed copy has the label of the first with "r." before it, and its place plus _REVERSED.
_REVERSED = len(LABELS)
_ALL_LABELS = (*LABELS, *(f"r.{label}" for label in LABELS))
_LABEL_TEXT, _LABEL_START = _texts(_ALL_LABELS)

# A neighbour's text is its label and that of the edge to it. They are hashed in the order of the alphabet, hence are
# known by their rank.
_NEIGHBOURS = sorted(f"{label}-{edge}" for label in _ALL_LABELS for edge in EDGES)
_NEIGHBOUR_TEXT, _NEIGHBOUR_START = _texts(_NEIGHBOURS)
_RANK = np.array(
    [[_NEIGHBOURS.index(f"{label}-{edge}") for edge in EDGES] for label in _ALL_LABELS]
)


@njit(cache=True, inline="always")
def _mix(state: int, i: int, value: int) -> int:
    """State of the hash after value number `i` of a list of unsigned 32-bit numbers."""
    if i % 2 == 0:
        return (state ^ (state << 7) ^ (value * (state >> 3))) & _BITS_32
    return (state ^ ~(((state << 11) + value) ^ (state >> 5))) & _BITS_32


@njit(cache=True)
def _graph_features(
    labels: np.ndarray,
    is_relation: np.ndarray,
    edges: np.ndarray,
    radius: int,
    distance: int,
    bitsize: int,
) -> tuple:
    """Return ids, int32 (k,) and ascending, and values, float32 (k,), of the features of a graph.

    `labels` (2v,) are those of its vertices and of their reversed copies, `edges` (e, 3) its own (`build_graph`).
    """
    n = len(labels) // 2
    starts, targets, kinds = _neighbours(n, edges)
    codes = np.empty((radius + 1, 2 * n), dtype=np.int64)
    for vertex in range(2 * n):
        codes[0, vertex] = _label_code(labels[vertex])
        if radius:
            codes[1, vertex] = _neighbourhood_code(vertex, labels, starts, targets, kinds)

    counts = np.zeros((radius + 1, distance + 1, 2**bitsize), dtype=np.int32)
    steps = np.full(2 * n, -1, dtype=np.int64)
    reached = np.empty(2 * n, dtype=np.int64)
    # Of a relation: how many vertices, and which, are at each distance of its nucleotides and of its part.
    sizes = np.zeros((2, distance + 1), dtype=np.int64)
    around = np.empty((2, distance + 1, 2 * n), dtype=np.int64)
    seen = np.full((2, distance + 1, 2 * n), -1, dtype=np.int64)
    for vertex in range(2 * n):
        if not is_relation[vertex]:
            found = _reach(vertex, distance, starts, targets, is_relation, steps, reached)
            for i in range(found):
                other = reached[i]
                for r in range(radius + 1):
                    a, b = codes[r, vertex], codes[r, other]
                    feature = _pair_code(r, steps[other], min(a, b), max(a, b))
                    counts[r, steps[other], feature & (2**bitsize - 1)] += 1
                steps[other] = -1
            continue
        sizes[:] = 0
        for edge in range(starts[vertex], starts[vertex + 1]):
            side = 0 if kinds[edge] == OF_NUCLEOTIDE else 1
            found = _reach(targets[edge], distance, starts, targets, is_relation, steps, reached)
            for i in range(found):
                other = reached[i]
                d = steps[other]
                steps[other] = -1
                if seen[side, d, other] != vertex:
                    seen[side, d, other] = vertex
                    around[side, d, sizes[side, d]] = other
                    sizes[side, d] += 1
        for d in range(distance + 1):
            for i in range(sizes[0, d]):
                for j in range(sizes[1, d]):
                    nucleotide, part = around[0, d, i], around[1, d, j]
                    for r in range(radius + 1):
                        feature = _pair_code(r, d, codes[r, nucleotide], codes[r, part])
                        counts[r, d, feature & (2**bitsize - 1)] += 1
    return _normalised(counts)


@njit(cache=True)
def _neighbours(n: int, edges: np.ndarray) -> tuple:
    """Neighbours of each vertex of the graph (0 to n) and of its reversed copy (n to 2n), one behind the other.

    Returns where those of a vertex start, int64 (2n + 1,), and for each neighbour the vertex and the edge's label.
    Edges of a relation lead both ways.
    """
    arcs = np.empty((4 * len(edges), 3), dtype=np.int64)
    size = 0
    for e in range(len(edges)):
        source, target, kind = edges[e, 0], edges[e, 1], edges[e, 2]
        for both_ways in range(2 if kind in (OF_PART, OF_NUCLEOTIDE) else 1):
            a, b = (target, source) if both_ways else (source, target)
            arcs[size, 0], arcs[size, 1], arcs[size, 2] = a, b, kind
            arcs[size + 1, 0], arcs[size + 1, 1], arcs[size + 1, 2] = n + b, n + a, kind
            size += 2
    starts = np.zeros(2 * n + 1, dtype=np.int64)
    for a in range(size):
        starts[arcs[a, 0] + 1] += 1
    for vertex in range(2 * n):
        starts[vertex + 1] += starts[vertex]
    free = starts.copy()
    targets = np.empty(size, dtype=np.int64)
    kinds = np.empty(size, dtype=np.int64)
    for a in range(size):
        place = free[arcs[a, 0]]
        free[arcs[a, 0]] += 1
        targets[place], kinds[place] = arcs[a, 1], arcs[a, 2]
    return starts, targets, kinds


@njit(cache=True)
def _reach(
    start: int,
    distance: int,
    starts: np.ndarray,
    targets: np.ndarray,
    is_relation: np.ndarray,
    steps: np.ndarray,
    reached: np.ndarray,
) -> int:
    """Write the vertices up to `distance` from `start` to `reached`, and how far each is to `steps`; return how many.

    `steps` is -1 for all others, before and after. Relations are not passed.
    """
    reached[0], steps[start], found, current = start, 0, 1, 0
    while current < found:
        vertex = reached[current]
        current += 1
        if steps[vertex] == distance:
            break
        for edge in range(starts[vertex], starts[vertex + 1]):
            other = targets[edge]
            if steps[other] < 0 and not is_relation[other]:
                steps[other] = steps[vertex] + 1
                reached[found] = other
                found += 1
    return found


@njit(cache=True)
def _label_code(label: int) -> int:
    """Hash of a label, the neighbourhood of radius 0."""
    state = _HASH_START
    for i, at in enumerate(range(_LABEL_START[label], _LABEL_START[label + 1])):
        state = _mix(state, i, _LABEL_TEXT[at])
    return state & _BITS_31


@njit(cache=True)
def _neighbourhood_code(
    vertex: int, labels: np.ndarray, starts: np.ndarray, targets: np.ndarray, kinds: np.ndarray
) -> int:
    """Hash of a vertex's label and its neighbours', `label:neighbour.neighbour`, the neighbourhood of radius 1."""
    first, last = starts[vertex], starts[vertex + 1]
    if last - first > _MAX_DEGREE:
        return _TOO_MANY
    ranks = np.empty(last - first, dtype=np.int64)
    for edge in range(first, last):
        rank, at = _RANK[labels[targets[edge]], kinds[edge]], edge - first
        while at > 0 and ranks[at - 1] > rank:
            ranks[at] = ranks[at - 1]
            at -= 1
        ranks[at] = rank
    state, i, label = _HASH_START, 0, labels[vertex]
    for at in range(_LABEL_START[label], _LABEL_START[label + 1]):
        state = _mix(state, i, _LABEL_TEXT[at])
        i += 1
    state = _mix(state, i, _COLON)
    i += 1
    for k in range(len(ranks)):
        if k:
            state = _mix(state, i, _DOT)
            i += 1
        for at in range(_NEIGHBOUR_START[ranks[k]], _NEIGHBOUR_START[ranks[k] + 1]):
            state = _mix(state, i, _NEIGHBOUR_TEXT[at])
            i += 1
    return state & _BITS_31


@njit(cache=True)
def _pair_code(radius: int, distance: int, a: int, b: int) -> int:
    """Hash of two neighbourhoods at a distance."""
    state = _mix(_mix(_HASH_START, 0, radius), 1, distance)
    return _mix(_mix(state, 2, a), 3, b)


@njit(cache=True)
def _normalised(counts: np.ndarray) -> tuple:
    """Divide `counts` (radii, distances, ids) of each radius and distance by their norm, add up, divide by the norm.

    Returns the ids with a value, and the values.
    """
    total = np.zeros(counts.shape[2])
    for r in range(counts.shape[0]):
        for d in range(counts.shape[1]):
            square = 0
            for count in counts[r, d]:
                square += count * count
            norm = np.sqrt(square)
            for i in range(len(total)):
                if counts[r, d, i]:
                    total[i] += counts[r, d, i] / norm
    used, whole = 0, 0.0
    for value in total:
        used += value > 0
        whole += value * value
    ids, values = np.empty(used, dtype=np.int32), np.empty(used, dtype=np.float32)
    k = 0
    for i in range(len(total)):
        if total[i]:
            ids[k], values[k] = i, total[i] / np.sqrt(whole)
            k += 1
    return ids, values
