"""The properties of sequences and tokens that the BERT-RBP study looks for in attention, section 2.4 of its paper.

Regions    a sequence has a region type if one of its nucleotides has it. The paper looks at four.
Boundaries a token has one if its nucleotides are of two types. Of the six pairs of four types one, 5'UTR and 3'UTR, lie
           side by side in no transcript: these must be the five of figure 4a, which the text does not name.
Structures a token has one if one of its nucleotides has it; they are the elements of the structure of maximum expected
           accuracy, six.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from nucleotune.attention.spans import TokenSpans, tokens_with
from nucleotune.errors import InputError
from nucleotune.sequence.kmers import TokenizedSequences

#: Region type -> its letter. An exon of a transcript without CDS (E) and nucleotides outside transcripts are of none.
REGIONS = {"5'UTR": "5", "3'UTR": "3", "intron": "I", "CDS": "C"}

#: Boundary -> the two region types.
BOUNDARIES = {
    "5'UTR-CDS": ("5'UTR", "CDS"),
    "CDS-3'UTR": ("CDS", "3'UTR"),
    "5'UTR-intron": ("5'UTR", "intron"),
    "CDS-intron": ("CDS", "intron"),
    "3'UTR-intron": ("3'UTR", "intron"),
}

#: Structure -> its letter, see `sequence.elements`.
STRUCTURES = {
    "dangling start": "F",
    "dangling end": "T",
    "interior loop": "I",
    "hairpin loop": "H",
    "multiloop": "M",
    "stem": "S",
}

#: Those whose attention grew in training (section 3.2.3).
LOOPS = ("interior loop", "hairpin loop", "multiloop")


class Property(NamedTuple):
    """One property of n sequences, or of their t tokens.

    level   region, boundary or structure
    kind    a key of REGIONS, BOUNDARIES or STRUCTURES
    known   bool (n,): sequences of which it is known
    has     bool (n,): sequences that have it, or a token with it
    tokens  bool (t,): tokens that have it; None for a region, a property of sequences
    """

    level: str
    kind: str
    known: np.ndarray
    has: np.ndarray
    tokens: np.ndarray | None


def find_properties(
    spans: TokenSpans, tokenized: TokenizedSequences, sequences: pd.DataFrame
) -> list[Property]:
    """All properties, regions first, then boundaries and structures.

    `sequences` has columns `id`, `sequence`, `regions` and `elements`, the last two one letter per nucleotide, or None
    where they are not known; `spans` and `tokenized` are of its sequences. Raises InputError for letters of another
    length than the sequence (names the record).
    """
    regions = _nucleotides(sequences, "regions", REGIONS)
    elements = _nucleotides(sequences, "elements", STRUCTURES)
    placed, folded = (sequences[name].notna().to_numpy() for name in ("regions", "elements"))
    first_letters = np.cumsum(spans.lengths) - spans.lengths
    by_region = {kind: _tokens(spans, labels) for kind, labels in regions.items()}
    boundaries = {kind: by_region[a] & by_region[b] for kind, (a, b) in BOUNDARIES.items()}
    structures = {kind: _tokens(spans, labels) for kind, labels in elements.items()}
    return [
        *(
            Property("region", kind, placed, _any(labels, first_letters), None)
            for kind, labels in regions.items()
        ),
        *(
            Property(level, kind, known, _any(tokens, tokenized.offsets[:-1]), tokens)
            for level, known, found in (
                ("boundary", placed, boundaries),
                ("structure", folded, structures),
            )
            for kind, tokens in found.items()
        ),
    ]


def _nucleotides(
    sequences: pd.DataFrame, column: str, letters: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Kind -> bool, one of each nucleotide of all sequences end to end."""
    texts = []
    for name, sequence, text in zip(
        sequences["id"], sequences["sequence"], sequences[column], strict=True
    ):
        known = isinstance(text, str)
        if known and len(text) != len(sequence):
            raise InputError(
                f"record {name!r}: {len(text)} letters in {column!r} for {len(sequence)} nt; expected one per"
                " nucleotide"
            )
        texts.append(text if known else "." * len(sequence))
    signs = np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)
    return {kind: signs == ord(letter) for kind, letter in letters.items()}


def _tokens(spans: TokenSpans, labels: np.ndarray) -> np.ndarray:
    """`tokens_with` of one label: its memory grows with the labels, and there are tens of millions of nucleotides."""
    return tokens_with(spans, labels[:, None])[:, 0]


def _any(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Whether any of the values from each of `begins` to the next is true; none of these parts is empty."""
    return np.logical_or.reduceat(values, begins) if len(begins) else np.zeros(0, dtype=bool)
