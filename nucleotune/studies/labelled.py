"""What tables of sequences and labels have in common, whatever their separator."""

from collections.abc import Sequence

#: Names of the two columns, in any case.
SEQUENCE_NAMES = ("sequence", "seq", "sequences")
LABEL_NAMES = ("label", "labels", "class", "target")


def find_columns(header: Sequence[str]) -> tuple[int, int] | None:
    """Places of sequence and label in a header of these two columns, in either order; None where it has others."""
    names = [name.strip().lower() for name in header]
    if len(names) == 2:
        for sequence, label in ((0, 1), (1, 0)):
            if names[sequence] in SEQUENCE_NAMES and names[label] in LABEL_NAMES:
                return sequence, label
    return None


def read_label(text: str) -> int:
    """0 or 1; ValueError for anything else, the caller knows file and line."""
    if text.strip(" ") not in ("0", "1"):
        raise ValueError(f"label {text[:40]!r}; expected 0 or 1")
    return int(text)


def shown(text: str) -> str:
    """A text as it stands in a message: its beginning, invisible characters escaped."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
