"""Tasks 1 and 2 of the promoter study: promoters beside artificial sequences, or beside others of the genome.

Builders return rows with columns id, sequence, label, group and metadata (seqname, position, strand, ... where known),
without a split unless the source brings one, and the beginning of the data card.
"""

from typing import Any

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.windows import Windows
from nucleotune.sequence.shuffle import shuffle_sequences

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
    promoters: pd.DataFrame, waterfall: Waterfall, negatives: Windows, downstream: int, seed: int
) -> Built:
    """Task 2: promoters beside as many random sequences of the genome that are none, label 0.

    promoters, waterfall: of `promoter_sequences`, or the rows with label 1 of `gue.read_gue`; where they have a split,
    negatives are assigned to the same splits at random, in the same numbers. negatives: of `genome.windows`, of their
    metadata that is kept which promoters also have; `position` is where a promoter of that window would have its TSS,
    `downstream` nt before the end. Raises InputError when there are not as many negatives as promoters.
    """
    table, counts = negatives
    if len(table) != len(promoters):
        raise InputError(
            f"{len(table)} non-promoter sequences for {len(promoters)} promoters; draw as many"
        )
    position = np.where(
        table["strand"] == "+", table["end"] - downstream - 1, table["start"] + downstream
    )
    table = table.assign(position=position, label=0, group=table["id"])
    chosen = table[[name for name in table if name in promoters]].copy()
    if "split" in promoters:
        order = np.random.default_rng([seed, 1]).permutation(len(chosen))
        chosen["split"] = promoters["split"].to_numpy()[order]
    steps, kept = [], counts["tries"]
    for step, dropped in (
        ("random places", 0),
        ("far from promoters", counts["excluded"]),
        ("ACGT only", counts["not_acgt"]),
        ("apart from each other", counts["overlapping"]),
    ):
        kept -= dropped
        steps.append({"class": "non-promoter", "step": step, "kept": kept, "dropped": dropped})
    both = pd.concat([promoters, chosen], ignore_index=True)
    return both, {"waterfall": [*waterfall, *steps]}


def with_sequence(table: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` whose id is in `windows`, with its sequence and, where it has one, its seqname (the genome's)."""
    found = [name for name in ("seqname", "sequence") if name in windows]
    kept = table.drop(columns=found, errors="ignore")
    return kept.merge(windows[["id", *found]], on="id", how="inner", validate="1:1")


def waterfall_step(
    label: str, step: str, before: pd.DataFrame, after: pd.DataFrame, sampled_by: str = ""
) -> dict[str, Any]:
    """Entry of a data card's waterfall: how many rows a step keeps and drops of class `label`.

    sampled_by: of a step that draws rows, the setting that says how many.
    """
    kept = len(after)
    entry = {"class": label, "step": step, "kept": kept, "dropped": len(before) - kept}
    return entry | ({"sampled_by": sampled_by} if sampled_by else {})
