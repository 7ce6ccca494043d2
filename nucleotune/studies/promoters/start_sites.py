"""Whether models read the start site of promoters that are longer than their input."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.models.spec import has_windows
from nucleotune.sequence.kmers import TRUNCATIONS
from nucleotune.studies.reading import letters_read, reader


def tss_lost(
    sequences: Sequence[str],
    method: Mapping[str, Any],
    model: dict[str, Any],
    checkpoint: str | None,
    downstream: int,
) -> dict[str, float]:
    """Share of the promoters whose TSS a method's model does not read, by the side at which they are cut.

    Args as of `studies.reading.read_by`; the last `downstream` nt of each sequence are after the TSS.
    """
    if has_windows(method):
        return dict.fromkeys(TRUNCATIONS, 0.0)
    model, tokenizer = reader(method, model, checkpoint)
    tss = np.array([len(text) for text in sequences]) - downstream - 1
    lost = {}
    for side in TRUNCATIONS:
        begins, ends = letters_read(model, tokenizer, sequences, side)
        lost[side] = float(((tss < begins) | (tss >= ends)).mean())
    return lost
