"""Partial transcripts: how much a method loses when both ends of a transcript are missing.

LoRA-BERT paper, section 3.3: "if the remaining portion is 90% then we removed 5% of the front region and 5% of the last
region and kept the middle part as the partial sequence".
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nucleotune.studies.lncrna.plan import part_name


def middle(sequence: str, kept: float) -> str:
    """The middle of `sequence`, its share `kept` (0 to 1): on both ends as many nucleotides are cut off."""
    cut = round(len(sequence) * (1 - kept) / 2)
    return sequence[cut : len(sequence) - cut]


def add_fragments(examples: pd.DataFrame, kept: Sequence[float]) -> pd.DataFrame:
    """Append the test transcripts again for each share in `kept`, cut to it, as a separate part of the test set.

    A fragment's id is that of its transcript followed by the share (`ENST1|kept90`), its group is the transcript's.
    A column `kept` holds the share of every row.
    """
    whole = examples if "kept" in examples else examples.assign(kept=1.0)
    test = whole[whole["split"] == "test"]
    tables = [whole]
    for share in kept:
        part = part_name(share)
        tables.append(
            test.assign(
                id=test["id"] + "|" + part.removeprefix("test-"),
                sequence=[middle(sequence, share) for sequence in test["sequence"]],
                split=part,
                kept=share,
            )
        )
    return pd.concat(tables, ignore_index=True)


def cut_training_rows(examples: pd.DataFrame, kept: Sequence[float], seed: int) -> pd.DataFrame:
    """Cut every transcript outside the test set to a share drawn evenly from 1 and `kept`; column `kept` holds it."""
    shares = np.random.default_rng(seed).choice([1.0, *kept], size=len(examples))
    shares = np.where(examples["split"].str.startswith("test"), 1.0, shares)
    cut = [middle(s, share) for s, share in zip(examples["sequence"], shares, strict=True)]
    return examples.assign(sequence=cut, kept=shares)
