"""Which sequences of a study are explained."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nucleotune.attribution.motifs import observed_sites
from nucleotune.contracts import LABEL, VALUE
from nucleotune.errors import InputError
from nucleotune.profile_contracts import ProfileExamples

log = logging.getLogger(__name__)

#: Setting `split` -> splits of the examples.
SPLITS = {
    "train": ("train",),
    "valid": ("valid",),
    "test": ("test",),
    "held-out": ("valid", "test"),
}


class Chosen(NamedTuple):
    """Sequences of one length, in the order of the examples; sites as of `contributions.Explained`."""

    ids: list[str]
    sequences: list[str]
    sites: np.ndarray


def with_most_reads(examples: ProfileExamples, most: int) -> Chosen:
    """The `most` sequences with most reads over all tracks: those whose site is known best."""
    order = np.argsort(-examples.counts.sum(axis=(1, 2)), kind="stable")
    kept = np.sort(order[:most])
    table = examples.table.iloc[kept]
    return Chosen(
        table["id"].tolist(), table["sequence"].tolist(), observed_sites(examples.counts[kept])
    )


def with_target(
    examples: pd.DataFrame, task: str, names: Sequence[str], target: str, most: int, *, seed: int
) -> Chosen:
    """At most `most` sequences that have the target, drawn at random among those of the commonest length.

    That is, sequences of a class, sequences that have a label, or those of which a number is known.

    Args:
        examples: of the study.
        task: classes, labels or numbers.
        names: of these, in order.
        target: one of them.
        most: sequences.
        seed: of what is drawn.

    Raises InputError if there is none.
    """
    if task == "classes":
        has, what = examples["label"] == names.index(target), f"of class {target!r}"
    elif task == "labels":
        has, what = examples[LABEL + target] == 1, f"with label {target!r}"
    else:
        has, what = examples[VALUE + target].notna(), f"of known {target!r}"
    positives = examples[has.to_numpy(dtype=bool, na_value=False)]
    if positives.empty:
        raise InputError(f"no example {what} in the split: nothing to explain")
    lengths = positives["sequence"].str.len()
    commonest = lengths.mode().iloc[0]
    kept = positives[lengths == commonest]
    if len(kept) < len(positives):
        log.info(
            "%d of %d sequences have %d nt, the most common length; the others are not explained",
            *(len(kept), len(positives), commonest),
        )
    if len(kept) > most:
        rows = np.random.default_rng(seed).choice(len(kept), size=most, replace=False)
        kept = kept.iloc[np.sort(rows)]
    return _without_sites(kept["id"].tolist(), kept["sequence"].tolist())


def _without_sites(ids: Sequence[str], sequences: Sequence[str]) -> Chosen:
    return Chosen(list(ids), list(sequences), np.full(len(ids), -1, dtype=np.int64))
