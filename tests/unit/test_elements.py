"""Structural elements against what iDeepS' program makes of a structure, and against a slow reference."""

import numpy as np
import pytest

from nucleotune.sequence.elements import ELEMENTS, element_string

# Dot-bracket, elements.
GOLDEN = [
    ("((((...))))..((((...))))", "SSSSHHHSSSSMMSSSSHHHSSSS"),
    ("..((((...((((...)))).((((...)))).))))...", "FFSSSSMMMSSSSHHHSSSSMSSSSHHHSSSSMSSSSTTT"),
    ("(((..(((...)))..)))", "SSSIISSSHHHSSSIISSS"),
    ("((.((...))))", "SSISSHHHSSSS"),
    ("((((...)).))", "SSSSHHHSSISS"),
    (".........", "FFFFFFFFF"),
    ("(((...)))(((...)))", "SSSHHHSSSSSSHHHSSS"),
    ("((..((...))..((...))..))..((...)).", "SSMMSSHHHSSMMSSHHHSSMMSSMMSSHHHSST"),
    (
        ".............(((((((((((((....((((....))))..((.((((.((.((((....)))).)).)).))..))))))........)))))))))",
        "FFFFFFFFFFFFFSSSSSSSSSSSSSMMMMSSSSHHHHSSSSMMSSISSSSISSISSSSHHHHSSSSISSISSISSIISSSSSSIIIIIIIISSSSSSSSS",
    ),
    (
        "..(((((..((((...(((((((((...(((.....)))..))))....))))).))))..))....)))((((.(((....(((....))).))).))))",
        "FFSSSSSIISSSSIIISSSSSSSSSIIISSSHHHHHSSSIISSSSIIIISSSSSISSSSIISSIIIISSSSSSSISSSIIIISSSHHHHSSSISSSISSSS",
    ),
    (
        "...(((...((((..((.......(((((........))))).((((((((((....))).)))))))))..))))....)))..(((........)))..",
        "FFFSSSIIISSSSIISSMMMMMMMSSSSSHHHHHHHHSSSSSMSSSSSSSSSSHHHHSSSISSSSSSSSSIISSSSIIIISSSMMSSSHHHHHHHHSSSTT",
    ),
    (
        "....((((((((....((.((.(((((.((......((((((((((((((....)).))))))....)))))).......))))))).)).))))))))))",
        "FFFFSSSSSSSSIIIISSISSISSSSSISSIIIIIISSSSSSSSSSSSSSHHHHSSISSSSSSIIIISSSSSSIIIIIIISSSSSSSISSISSSSSSSSSS",
    ),
    (
        "(((....(((((..(((((....((((.((....))....))))..)))))..)))))....)))..(((.....)))....(((((....))))).....",
        "SSSIIIISSSSSIISSSSSIIIISSSSISSHHHHSSIIIISSSSIISSSSSIISSSSSIIIISSSMMSSSHHHHHSSSMMMMSSSSSHHHHSSSSSTTTTT",
    ),
]


@pytest.mark.parametrize(("dot_bracket", "elements"), GOLDEN)
def test_elements_equal_the_program(dot_bracket, elements):
    assert element_string(dot_bracket) == elements


def random_structure(rng: np.random.Generator, length: int) -> str:
    """Brackets that close; pairs without anything inside, which never occur in RNA, are among them."""
    signs, depth = [], 0
    for left in range(length, 0, -1):
        choices = [".", *("(" if depth + 1 < left else ""), *(")" if depth else "")]
        sign = ")" if depth == left else rng.choice(choices)
        depth += {"(": 1, ")": -1, ".": 0}[sign]
        signs.append(sign)
    return "".join(signs)


def slow_elements(dot_bracket: str) -> str:
    """Element by element, from the definition: look for the nearest enclosing pair, count the pairs right inside it."""
    pairs = {}
    for i, sign in enumerate(dot_bracket):
        if sign == "(":
            depth = 0
            for j in range(i, len(dot_bracket)):
                depth += {"(": 1, ")": -1, ".": 0}[dot_bracket[j]]
                if depth == 0:
                    pairs[i] = j
                    break
    elements = ""
    for i, sign in enumerate(dot_bracket):
        around = [(a, b) for a, b in pairs.items() if a < i < b]
        if sign != ".":
            elements += "S"
        elif around:
            a, b = max(around)
            inside = [x for x in pairs if a < x < b]
            direct = [x for x in inside if not any(y < x < pairs[y] for y in inside)]
            elements += {0: "H", 1: "I"}.get(len(direct), "M")
        elif not any(a < i for a in pairs):
            elements += "F"
        else:
            elements += "M" if any(a > i for a in pairs) else "T"
    return elements


def test_elements_equal_reference():
    rng = np.random.default_rng(1)
    structures = [random_structure(rng, int(n)) for n in rng.integers(0, 60, 300)]
    made = [element_string(structure) for structure in structures]
    assert made == [slow_elements(structure) for structure in structures]
    assert set("".join(made)) == set(ELEMENTS)


@pytest.mark.parametrize(
    ("dot_bracket", "message"),
    [
        ("..)(..", r"'\)' at position 3, expected no '\)' without a '\('"),
        ("(..(.).", r"'\(' at position 1 is never closed"),
        ("(.[.)", r"'\[' at position 3, expected '\(', '\)' or '\.'"),
    ],
)
def test_what_is_no_structure_is_refused(dot_bracket, message):
    with pytest.raises(ValueError, match=message):
        element_string(dot_bracket)
