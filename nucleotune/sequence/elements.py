"""Structural elements: the position of each nucleotide in a secondary structure.

One letter per nucleotide, as iDeepS and BERT-RBP use them: S paired (stem); unpaired in H a hairpin loop, I an interior
loop or bulge, M a multiloop or between two outermost stems, F before the first pair, T after the last one.
"""

#: The letters, in the order in which iDeepS numbers them.
ELEMENTS = "FTIHMS"


def element_string(dot_bracket: str) -> str:
    """Return one letter of `ELEMENTS` for every sign of `dot_bracket`; a structure without any pair is all F.

    Raises ValueError naming the 1-based position of a sign other than `(`, `)` and `.`, or of a bracket without its
    partner; the caller knows the record.
    """
    elements = ["S"] * len(dot_bracket)
    opened: list[int] = []  # positions of the pairs around the present one, outermost first
    inner = [0]  # pairs directly inside each of them; before them, those that no pair encloses
    unpaired: list[list[int]] = [[]]  # and their unpaired positions
    for position, sign in enumerate(dot_bracket):
        if sign == ".":
            unpaired[-1].append(position)
        elif sign == "(":
            opened.append(position)
            inner[-1] += 1
            inner.append(0)
            unpaired.append([])
        elif sign == ")" and opened:
            opened.pop()
            letter = "HIM"[min(inner.pop(), 2)]
            for inside in unpaired.pop():
                elements[inside] = letter
        else:
            expected = "no ')' without a '('" if sign == ")" else "'(', ')' or '.'"
            raise ValueError(
                f"dot-bracket: {sign!r} at position {position + 1}, expected {expected}"
            )
    if opened:
        raise ValueError(f"dot-bracket: '(' at position {opened[-1] + 1} is never closed")
    first = dot_bracket.find("(")
    last = dot_bracket.rfind(")")
    for outside in unpaired[0]:
        # find() gives -1 without a pair: then all is F.
        elements[outside] = "F" if first < 0 or outside < first else "T" if outside > last else "M"
    return "".join(elements)
