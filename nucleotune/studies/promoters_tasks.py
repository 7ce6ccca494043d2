"""Tasks 1 and 2 of the promoter study: promoters beside artificial sequences, or beside others of the genome.

Builders return rows with columns id, sequence, label, group and metadata (seqname, position, strand, ... where known),
without a split unless the source brings one, and the beginning of the data card.
"""

from typing import Any

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.shuffle import shuffle_sequences
from nucleotune.studies.splits import sample_rows

Built = tuple[pd.DataFrame, dict[str, Any]]
Waterfall = list[dict[str, Any]]


def promoter_sequences(
    promoters: pd.DataFrame, windows: pd.DataFrame, waterfall: Waterfall
) -> tuple[pd.DataFrame, Waterfall]:
    """Positives of Tasks 1 and 2: promoters (`epd.without_tata`, with its waterfall) and their sequences."""
    table = with_sequence(promoters, windows).assign(label=1)
    return table, [
        *waterfall,
        waterfall_step("promoter", "sequence in the genome", promoters, table),
    ]


def artificial(promoters: pd.DataFrame, waterfall: Waterfall, kept: str, seed: int) -> Built:
    """Task 1 from own sequences: each promoter beside a shuffle of itself, label 0, in the same group.

    promoters, waterfall: of `promoter_sequences`. kept: "mononucleotide" or "dinucleotide" (`sequence.shuffle`).
    """
    shuffled = promoters.assign(
        id=promoters["id"] + ":shuffled",
        sequence=shuffle_sequences(promoters["sequence"], kept, seed),
        label=0,
    )
    step = waterfall_step("artificial", f"{kept} shuffle of each promoter", promoters, shuffled)
    return pd.concat([promoters, shuffled], ignore_index=True), {"waterfall": [*waterfall, step]}


def random_negatives(
    promoters: pd.DataFrame, waterfall: Waterfall, negatives: pd.DataFrame, seed: int
) -> Built:
    """Task 2: promoters beside as many random sequences of the genome that are none, label 0.

    promoters, waterfall: of `promoter_sequences`, or the rows with label 1 of `gue.read_gue`; where they have a split,
    negatives are assigned to the same splits at random, in the same numbers. negatives: columns id, sequence and
    metadata, of which that is kept which promoters have, too. Raises InputError when there are too few negatives.
    """
    if len(negatives) < len(promoters):
        raise InputError(
            f"{len(negatives)} non-promoter sequences for {len(promoters)} promoters; draw at least as many"
        )
    shared = [name for name in negatives if name in promoters]
    chosen = sample_rows(negatives[shared], len(promoters), seed).assign(label=0)
    chosen["group"] = chosen["id"]
    if "split" in promoters:
        order = np.random.default_rng([seed, 1]).permutation(len(chosen))
        chosen["split"] = promoters["split"].to_numpy()[order]
    steps = [
        waterfall_step("non-promoter", "drawn from the genome", negatives, negatives),
        waterfall_step("non-promoter", "sampled to equal classes", negatives, chosen),
    ]
    table = pd.concat([promoters, chosen], ignore_index=True)
    return table, {"waterfall": [*waterfall, *steps]}


def with_sequence(table: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` whose id is in `windows` (columns id and sequence), with that sequence."""
    return table.merge(windows[["id", "sequence"]], on="id", how="inner", validate="1:1")


def waterfall_step(
    label: str, step: str, before: pd.DataFrame, after: pd.DataFrame
) -> dict[str, Any]:
    """Entry of a data card's waterfall: how many rows a step keeps and drops of class `label`."""
    kept = len(after)
    return {"class": label, "step": step, "kept": kept, "dropped": len(before) - kept}
