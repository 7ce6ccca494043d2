"""What iDeepS sees of an RNA: its letters and the structural element of each nucleotide.

Pan et al., "Prediction of RNA-protein sequence and structure binding preferences using deep convolutional and recurrent
neural networks", BMC Genomics 2018;19:511. The authors take the best structure of RNAshapes; here ViennaRNA folds with
the same energies (`structure.RNASHAPES`).
"""

from collections.abc import Sequence

import numpy as np

from nucleotune.sequence.alphabet import OTHER
from nucleotune.sequence.elements import ELEMENTS, element_string
from nucleotune.sequence.structure import RNASHAPES, fold_sequences

#: Positions added on each side of a sequence: half of the network's kernel.
MARGIN = 5

#: Code of the margin among elements; among letters it is that of N.
NO_ELEMENT = len(ELEMENTS)

_CODES = np.zeros(256, dtype=np.uint8)
_CODES[np.frombuffer(ELEMENTS.encode(), dtype=np.uint8)] = range(len(ELEMENTS))


def fold_elements(sequences: Sequence[str], threads: int) -> list[str]:
    """Fold every sequence and return its structure as an `element_string`; `threads` processes work in parallel."""
    folds = fold_sequences(sequences, model=RNASHAPES, threads=threads)
    return [element_string(fold.dot_bracket) for fold in folds]


def make_inputs(letters: np.ndarray, elements: Sequence[str]) -> np.ndarray:
    """Return codes with their margins, uint8 (n, 2, length + 10): letters (0 to 4), elements (0 to 6).

    `letters` are the `base_codes` (n, length) of n sequences, `elements` their element strings.
    """
    signs = np.frombuffer("".join(elements).encode("ascii"), dtype=np.uint8)
    margins = ((0, 0), (MARGIN, MARGIN))
    return np.stack(
        [
            np.pad(letters, margins, constant_values=OTHER),
            np.pad(_CODES[signs].reshape(letters.shape), margins, constant_values=NO_ELEMENT),
        ],
        axis=1,
    )
