"""GraphProt's features, classifier and structures: against the tool 1.1.7 on our own sequences, and slow references."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import RNA
from scipy.sparse import csr_matrix

from nucleotune.baselines import graphprot
from nucleotune.baselines.graphprot_features import features
from nucleotune.baselines.graphprot_sgd import _rand, fit_sgd, training_order
from nucleotune.errors import InputError
from nucleotune.sequence.shreps import shape_representatives
from nucleotune.sequence.structure import fold_sequences

# Of two sequences: RNAshapes' structures; then how many features the tool gives, and some of them.
MULTILOOP = "AAATCTCTATTTGTTTCTTCATCGTCAGGCGTATTGAGCATCATTCCGTAGATCTCGAACCACGCACGTGGCATTTGTTTTATGCCCAGGATTTGCCCTTT"
BULGES = "CAATGGGCGGTGTCAAGAGGATATTAGGAGATGTACGGATTCAGCGCCAACTGCATGCAAATTTAGATGTGCTTACGGCCTCAGCTCTCTTGAAAAGAAGA"
GOLDEN_STRUCTURES = {
    MULTILOOP: [
        "((((((......................((((.(((((.(((........))))))))...))))....(((((.......)))))..)))))).......",
        "((((((................(((...((((.(((((.(((........))))))))...))))))).(((((.......)))))..)))))).......",
        "(((((.((....................((((.(((((.(((........))))))))...))))....(((((.......))))).))))))).......",
    ],
    BULGES: [
        "............((((((((.....(((...((((.......(((((...(((.((....)).)))..))))))))).)))....))))))))........",
        "............((((((((.....(((...((((.......((((.((.(((.((....)).))).)))))))))).)))....))))))))........",
        "(((.((((((.(((..(((.(((((..((..((((......(((......)))..))))..))..))))).)))..))).)).))))..))).........",
    ],
}
GOLDEN_FEATURES = {
    (MULTILOOP, False): (
        3378,
        {890: 0.12459896, 219: 0.12159117, 10: 0.0076572592, 4102: 0.002296556, 16383: 0.07547424},
    ),
    (BULGES, False): (
        4242,
        {
            2: 1.0487229e-02,
            3: 3.6592151e-03,
            21: 4.2330001e-02,
            24: 3.6346514e-03,
            30: 7.2883838e-03,
        },
    ),
    (MULTILOOP, True): (
        596,
        {219: 0.1565109, 3: 0.030715708, 3786: 0.016065232, 7935: 0.016412629, 16334: 0.012899548},
    ),
    (BULGES, True): (
        596,
        {90: 7.2726294e-02, 92: 3.7728626e-02, 108: 1.6014911e-02, 219: 1.0211467e-01},
    ),
}

OPTIONS = {
    **{"radius": 1, "distance": 4, "bitsize": 14, "sequence_only": False, "abstraction": 3},
    **{"epochs": 10, "lambda": 1e-3, "threads": 1},
}


@pytest.mark.parametrize(("sequence", "sequence_only"), GOLDEN_FEATURES)
def test_features_equal_the_tool(sequence, sequence_only):
    structures = None if sequence_only else [GOLDEN_STRUCTURES[sequence]]
    row = features([sequence], structures)
    count, values = GOLDEN_FEATURES[sequence, sequence_only]
    assert row.shape == (1, 2**14)
    assert row.nnz == count
    found = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    assert {i: found[i] for i in values} == pytest.approx(values, abs=5e-8)


@pytest.mark.parametrize("sequence", GOLDEN_STRUCTURES)
def test_structures_equal_rnashapes(sequence):
    assert shape_representatives([sequence]) == [GOLDEN_STRUCTURES[sequence]]


def reference_graph(sequence: str, structures: list[str] | None) -> tuple[list[str], list]:
    """Labels of vertices and (source, target, label) of edges."""
    letters = sequence.replace("T", "U")
    labels = list(letters if structures is None else letters.lower())
    edges = [(i, i + 1, ">") for i in range(len(letters) - 1)]
    for structure in structures or []:
        first = len(labels)
        labels += letters
        edges += [(first + i, first + i + 1, ">") for i in range(len(letters) - 1)]
        pairs = reference_pairs(structure)
        edges += [(first + i, first + j, "s") for i, j in pairs]
        parts, links = reference_parts(structure, pairs)
        vertex = {}
        for name, (label, nucleotides) in parts.items():
            vertex[name] = len(labels)
            labels += [label, "^R"]
            edges.append((vertex[name], vertex[name] + 1, "^r"))
            edges += [(vertex[name] + 1, first + i, "@r") for i in nucleotides]
        edges += [(vertex[a], vertex[b], "n") for a, b in links]
    return labels, edges


def reference_pairs(structure: str) -> list[tuple[int, int]]:
    opened, pairs = [], []
    for i, sign in enumerate(structure):
        if sign == "(":
            opened.append(i)
        elif sign == ")":
            pairs.append((opened.pop(), i))
    return sorted(pairs)


def reference_parts(structure: str, pairs: list[tuple[int, int]]) -> tuple[dict, list]:
    """Parts by name, each a label and its nucleotides, and edges between them, by name."""
    parts, links, stem_of = {}, [], {}
    for i, j in pairs:
        outer = (i - 1, j + 1)
        stem_of[i, j] = stem_of.get(outer, ("stem", i))
        label, nucleotides = parts.get(stem_of[i, j], ("AS#S", set()))
        parts[stem_of[i, j]] = label, nucleotides | {i, j}

    def closing(a: int, b: int) -> tuple[int, int] | None:
        """The innermost pair around a to b."""
        return max((pair for pair in pairs if pair[0] < a and b < pair[1]), default=None)

    children = {pair: [other for other in pairs if closing(*other) == pair] for pair in pairs}
    unpaired = [i for i, sign in enumerate(structure) if sign == "."]
    for pair, inside in children.items():
        if inside == [(pair[0] + 1, pair[1] - 1)]:
            continue
        own = [i for i in unpaired if closing(i, i) == pair]
        label = "AS#HL" if not inside else "AS#ML"
        if len(inside) == 1:
            one_side = inside[0][0] == pair[0] + 1 or inside[0][1] == pair[1] - 1
            label = "AS#BL" if one_side else "AS#IL"
        parts["loop", pair] = label, {*own, *pair, *itertools.chain(*inside)}
        links.append((stem_of[pair], ("loop", pair)))
        links += [(("loop", pair), stem_of[child]) for child in inside]
    outermost = [pair for pair in pairs if closing(*pair) is None]
    for gap in range(len(outermost) + 1):
        around = outermost[max(gap - 1, 0) : gap + 1] if gap else outermost[:1]
        own = [
            i for i in unpaired if closing(i, i) is None and sum(j < i for _, j in outermost) == gap
        ]
        if own or 0 < gap < len(outermost):
            parts["exterior", gap] = "AS#EL", {*own, *itertools.chain(*around)}
            if gap > 0:
                links.append((stem_of[outermost[gap - 1]], ("exterior", gap)))
            if gap < len(outermost):
                links.append((("exterior", gap), stem_of[outermost[gap]]))
    return parts, links


def reference_hash(values: list[int]) -> int:
    state = 0xAAAAAAAA
    for i, value in enumerate(values):
        mixed = (
            ~(((state << 11) + value) ^ (state >> 5))
            if i % 2
            else (state << 7) ^ value * (state >> 3)
        )
        state = (state ^ mixed) & 0xFFFFFFFF
    return state


def reference_features(
    sequence: str,
    structures: list[str] | None,
    radius: int = 1,
    distance: int = 4,
    bitsize: int = 14,
) -> dict[int, float]:
    """Every set of vertices and every text that is hashed spelt out."""
    labels, edges = reference_graph(sequence, structures)
    n = len(labels)
    out = defaultdict(list)
    for source, target, label in edges:
        out[source].append((target, label))
        out[n + target].append((n + source, label))
        if label in ("^r", "@r"):
            out[target].append((source, label))
            out[n + source].append((n + target, label))
    labels = labels + [f"r.{label}" for label in labels]
    relations = {v for v, label in enumerate(labels) if label in ("^R", "r.^R")}

    def text_hash(text: str) -> int:
        return reference_hash([ord(letter) for letter in text]) & 0x7FFFFFFF

    def neighbourhood(v: int, r: int) -> int:
        if r == 0:
            return text_hash(labels[v])
        if len(out[v]) > 7:
            return 1
        near = sorted(f"{labels[other]}-{label}" for other, label in out[v])
        return text_hash(f"{labels[v]}:{'.'.join(near)}")

    hashes = [[neighbourhood(v, r) for v in range(2 * n)] for r in range(radius + 1)]

    def layers(start: int) -> list[set[int]]:
        found = [{start}]
        while len(found) <= distance:
            near = {other for v in found[-1] for other, _ in out[v]}
            found.append(near.difference(relations, *found))
        return found

    counts = defaultdict(lambda: defaultdict(int))

    def add(r: int, d: int, a: int, b: int) -> None:
        counts[r, d][reference_hash([r, d, a, b]) % 2**bitsize] += 1

    for v in range(2 * n):
        if v not in relations:
            for d, layer in enumerate(layers(v)):
                for other in layer:
                    for r in range(radius + 1):
                        add(r, d, *sorted([hashes[r][v], hashes[r][other]]))
            continue
        near = {kind: [other for other, label in out[v] if label == kind] for kind in ("^r", "@r")}
        nucleotides, parts = (
            [set().union(*layer) for layer in zip(*map(layers, near[kind]), strict=True)]
            for kind in ("@r", "^r")
        )
        for d in range(distance + 1):
            for a, b in itertools.product(nucleotides[d], parts[d]):
                for r in range(radius + 1):
                    add(r, d, hashes[r][a], hashes[r][b])

    total = defaultdict(float)
    for of_distance in counts.values():
        norm = math.hypot(*of_distance.values())
        for i, count in of_distance.items():
            total[i] += count / norm
    norm = math.hypot(*total.values())
    return {i: value / norm for i, value in total.items()}


def assert_equal_reference(sequence: str, structures: list[str] | None, **options) -> None:
    row = features([sequence], None if structures is None else [structures], **options)
    found = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    assert found == pytest.approx(reference_features(sequence, structures, **options), rel=1e-6)


def noise(n: int, seed: int, letters: str = "ACGT") -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), n))


@pytest.mark.parametrize(
    ("sequence", "structure"),
    [
        ("ACGTACGTAC", "(((...)).)"),
        ("GGGAAACCCGGGAAACCC", "(((...)))(((...)))"),
        ("AGGGAAACCCAGGGAAACCCA", ".(((...))).(((...)))."),
        ("GGACCAGGGAACCACCCAT", "((.(..)(((..).)).))"),
        ("GACGACGACGTCGTCAGTCG", "(()()(.)())(..(.)..)"),
        ("ACGNNAACGT", ".........."),
        ("ACGT", "()()"),
        ("A", "."),
    ],
)
def test_small_graphs_equal_reference(sequence, structure):
    assert_equal_reference(sequence, [structure])


def test_folded_sequences_equal_reference():
    sequences = [noise(n, seed=n) for n in range(40, 110, 10)] + [noise(60, 1, "ACGTN")]
    for sequence, structures in zip(sequences, shape_representatives(sequences), strict=True):
        assert_equal_reference(sequence, structures)
        assert_equal_reference(sequence, None)
    assert_equal_reference(sequence, structures, radius=0, distance=2, bitsize=10)
    assert_equal_reference(sequence, structures, radius=1, distance=7, bitsize=18)


def test_bad_structures_are_named():
    for structure in ("(((...))", "((...)))", ")(......", "((..x.))"):
        with pytest.raises(InputError, match="does not fit sequence 'ACGTACGT'"):
            features(["ACGTACGT"], [[structure]])
    with pytest.raises(InputError, match="radius 2 is not implemented"):
        features(["ACGT"], None, radius=2)


def test_no_sequences():
    assert features([], []).shape == (0, 2**14)


def test_random_numbers_are_those_of_the_c_library():
    expected = [1804289383, 846930886, 1681692777, 1714636915, 1957747793]
    assert list(itertools.islice(_rand(1), 5)) == expected
    assert list(itertools.islice(_rand(7), 1)) != expected[:1]


def test_training_order_by_hand():
    # rand() / RAND_MAX is .840 .394 .783 .799 .912 .198 .335 .768 ...: of four rows the number 3 1 3 3, 3 0 1 3.
    labels = np.array([0, 1, 1, 0, 1, 1])
    # Label 1: 1 2 4 5 -> 5 2 4 1 -> 5 2 4 1 -> 5 2 1 4 -> same.
    # Label 0: 0 3 0 3 -> 3 3 0 0 -> 3 3 0 0 -> 3 0 3 0 -> same.
    assert training_order(labels, seed=1).tolist() == [5, 3, 2, 0, 1, 3, 4, 0]
    assert training_order(labels, seed=2).tolist() != training_order(labels, seed=1).tolist()


def test_classifier_equals_reference():
    rng = np.random.default_rng(3)
    x = rng.random((50, 30)) * (rng.random((50, 30)) < 0.4)
    labels = (np.arange(50) % 5 > 2).astype(np.int64)
    x[labels == 1, :4] += 0.3
    penalty = 0.01
    weights, bias, t = np.zeros(30), 0.0, 1 / (penalty * (1 / penalty) ** 0.25)
    for _ in range(4):
        for row in training_order(labels, seed=5):
            rate, sign = 1 / (penalty * t), 2 * labels[row] - 1
            weights *= 1 - rate * penalty
            if sign * (weights @ x[row] + bias) < 1:
                weights += rate * sign * x[row]
                bias += 0.01 * rate * sign
            t += 1
    found = fit_sgd(csr_matrix(x), labels, penalty=penalty, epochs=4, seed=5)
    np.testing.assert_allclose(found[0], weights, rtol=1e-9, atol=1e-12)
    assert found[1] == pytest.approx(bias, rel=1e-9)


def test_shapes_equal_exhaustive_search():
    """Against all structures within a wide range, with energies evaluated one by one."""
    sequences = [noise(45, seed) for seed in range(8)]
    found = shape_representatives(sequences)
    model = RNA.md()
    model.dangles = model.noLP = model.uniq_ML = 1
    RNA.params_load_RNA_Turner1999()
    try:
        for sequence, structures in zip(sequences, found, strict=True):
            fold = RNA.fold_compound(sequence.replace("T", "U"), model)
            energies = {
                one.structure: fold.eval_structure(one.structure) for one in fold.subopt(600)
            }
            mfe = min(energies.values())
            best = {}
            for structure, energy in energies.items():
                if energy <= mfe + 0.1 * abs(mfe) + 1e-4:
                    shape = RNA.abstract_shapes(structure, 3)
                    best[shape] = min(best.get(shape, math.inf), energy)
            assert [energies[structure] for structure in structures] == sorted(best.values())[:3]
            assert len({RNA.abstract_shapes(s, 3) for s in structures}) == len(structures)
    finally:
        RNA.params_load_RNA_Turner2004()


def test_shapes_leave_other_folding_as_it_is():
    before = fold_sequences([BULGES])
    shape_representatives([BULGES])
    assert fold_sequences([BULGES]) == before
    assert before[0].dot_bracket != GOLDEN_STRUCTURES[BULGES][0]


def test_shapes_of_special_sequences():
    assert shape_representatives(["A" * 20, "", "N" * 12]) == [["." * 20], [""], ["." * 12]]
    assert shape_representatives([MULTILOOP], n_best=1) == [GOLDEN_STRUCTURES[MULTILOOP][:1]]
    levels = [shape_representatives([MULTILOOP], abstraction=level)[0] for level in (1, 5)]
    assert levels[0] != levels[1]
    with pytest.raises(InputError, match="at most 150 nt, found one with 151 nt"):
        shape_representatives(["A" * 151])


def hairpins(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Half of the sequences have a hairpin; in the others its second strand is mirrored, so that none forms."""
    rng = np.random.default_rng(seed)
    sequences, labels = [], np.arange(n) % 2
    for label in labels:
        stem = "".join(rng.choice(list("GC"), 8))
        other = stem[::-1].translate(str.maketrans("GC", "CG")) if label else stem[::-1]
        flanks = ["".join(rng.choice(list("AC"), 10)) for _ in range(2)]
        sequences.append(flanks[0] + stem + "AAAA" + other + flanks[1])
    return sequences, labels


def test_structure_is_learnt(training_seed):
    sequences, labels = hairpins(160, seed=1)
    others, expected = hairpins(60, seed=2)
    score, info = graphprot.fit(sequences, labels, OPTIONS, training_seed)
    assert np.mean((score(others) > 0) == expected) > 0.9
    assert info["rows_used"] == 160
    assert set(info["seconds"]) == {"features", "fit"}
    again, _ = graphprot.fit(sequences, labels, OPTIONS, training_seed)
    assert np.array_equal(again(others), score(others))
    flat, _ = graphprot.fit(sequences, labels, {**OPTIONS, "sequence_only": True}, 1)
    assert np.mean((flat(others) > 0) == expected) < 0.8


def test_known_structures_are_used():
    sequences, labels = hairpins(20, seed=1)
    known = dict(zip(sequences, shape_representatives(sequences), strict=True))
    score, _ = graphprot.fit(sequences, labels, OPTIONS, 1)
    same, _ = graphprot.fit(sequences, labels, {**OPTIONS, "structures": known}, 1)
    np.testing.assert_array_equal(same(sequences), score(sequences))
    flat = {sequence: ["." * len(sequence)] for sequence in sequences}
    other, _ = graphprot.fit(sequences, labels, {**OPTIONS, "structures": flat}, 1)
    assert not np.allclose(other(sequences), score(sequences))
