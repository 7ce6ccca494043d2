"""Promoters (study of lncRNA regulation): what the four tasks share, from labelled sequences to examples and data card.

Tasks 1 and 2 are built in `promoters_tasks`, 3 and 4 in `promoters_genes`; `gue` and `epd` read sources. What models
read of the examples is counted in `studies.reading`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import EXAMPLE_COLUMNS, check_examples
from nucleotune.errors import InputError
from nucleotune.genome.loci import overlapping
from nucleotune.genome.windows import window_starts
from nucleotune.sequence.shared import canonical
from nucleotune.studies.leaks import identical, leakage, overlaps, shared_sequences
from nucleotune.studies.promoters.plan import BY_LENGTH, LABELS
from nucleotune.studies.splits import check_classes, lacking, split_counts, split_groups

#: Rows at random, as in the paper (a split that the source brings is kept), or whole chromosomes held out.
SPLITS = ("random", "chromosome")


def finish(
    table: pd.DataFrame,
    card: Mapping[str, Any],
    *,
    task: str,
    split: str,
    fractions: Mapping[str, float],
    chromosomes: Mapping[str, Sequence[str]],
    seed: int,
    downstream: int,
    windows: Mapping[str, int] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Examples (contract of `nucleotune.contracts`) and data card of a task under one split.

    table, card: of a task's builder. split: one of SPLITS; `fractions` and `chromosomes` as in `split_chromosomes`.
    downstream: nt of a sequence after its position. windows: counts of windows that could not be extracted, by reason.

    A random split has no sequence, on either strand, in two parts; that of Task 3 is the same for every length, and
    identical sequences are only counted there. The card gets rows by split and class, lengths, what leaks between
    training and test (genes, overlapping places, sequences), identical sequences, rows with N, and rows whose place in
    the genome is known; nothing is known of the genes of others.

    Raises InputError where a part lacks a class.
    """
    if split == "chromosome":
        table = table.assign(split=split_chromosomes(table, fractions, chromosomes, seed))
    elif "split" not in table:
        # Genes of Task 3 are split alike at all lengths, whatever is equal at one of them.
        same = table["id"] if task == BY_LENGTH else canonical(table["sequence"], True)
        groups = pd.Series(pd.factorize(same)[0], index=table.index)
        table = table.assign(split=split_groups(table["label"], groups, fractions, seed))
    check_classes(
        table,
        LABELS[task],
        f"{task}: {len(table)} sequences",
        "give more sequences, or change how they are split (promoters.fractions, or the parts given by the source)",
    )
    columns = [*EXAMPLE_COLUMNS, *(name for name in table if name not in EXAMPLE_COLUMNS)]
    examples = check_examples(table[columns].reset_index(drop=True))
    names = LABELS[task]
    lengths = examples["sequence"].str.len()
    known = _places_known(examples)
    # An artificial sequence keeps the place of its promoter for the split, but is not found there.
    found = examples[examples["label"] == 1] if task == "task1" else examples
    return examples, {
        "task": task,
        "split": split,
        **card,
        "windows": dict(windows or {}),
        "classes": {name: int((examples["label"] == i).sum()) for i, name in enumerate(names)},
        "length": {"min": int(lengths.min()), "max": int(lengths.max())},
        "splits": split_counts(examples, names),
        "leakage": leakage(examples["split"], examples["group"], known)
        | {
            "test_rows_overlapping_training": overlapping_training(found, downstream),
            "overlap_on": "either strand",
        }
        | shared_sequences(examples, both_strands=True),
        "identical": identical(examples, both_strands=True),
        "with_n": int(examples["sequence"].str.contains("N", regex=False).sum()),
        "places_known": int(known.sum()),
    }


def _places_known(examples: pd.DataFrame) -> pd.Series:
    if "seqname" not in examples:
        return pd.Series(False, index=examples.index)
    return examples["seqname"].notna()


def split_chromosomes(
    table: pd.DataFrame,
    fractions: Mapping[str, float],
    chromosomes: Mapping[str, Sequence[str]],
    seed: int,
) -> pd.Series:
    """Split name per row of `table` such that no chromosome (column seqname) has rows in two splits.

    chromosomes: those of `test` and `valid`, by split; a split without any gets chromosomes in random order (`seed`)
    as long as they bring its share of rows nearer to its fraction, and at least one; contigs without one of the
        classes are not among them. All others are `train`.

    Raises InputError where chromosomes are not known or not there, given for two splits, and for a split that would
    lack a class.
    """
    if "seqname" not in table or table["seqname"].isna().any():
        raise InputError(
            "split 'chromosome': some sequences have no genomic position (files of GUE have none); use the"
            " promoters of EPDnew, or split 'random'"
        )
    rows = table["seqname"].value_counts().sort_index()
    given = {part: list(chromosomes.get(part) or ()) for part in ("test", "valid")}
    named = given["test"] + given["valid"]
    for name in named:
        if name not in rows.index or named.count(name) > 1:
            fault = "given twice" if name in rows.index else "not there"
            raise InputError(
                f"chromosome {name!r}, to be held out, is {fault}; chromosomes: {', '.join(rows.index)}"
            )
    classes = table.groupby("seqname")["label"].nunique()
    free = np.random.default_rng(seed).permutation(rows.index.drop(named))
    free = [name for name in free if classes[name] > 1]
    for part, chosen in given.items():
        if not chosen and free:
            chosen += _near(rows[free], fractions[part] * len(table))
            free = [name for name in free if name not in chosen]
    split = {name: part for part, chosen in given.items() for name in chosen}
    result = table["seqname"].map(split).fillna("train")
    for part, _ in lacking(table.assign(split=result), (0, 1), ("train", *given)):
        raise InputError(
            f"split 'chromosome': {part} lacks a class with test {given['test']} and valid {given['valid']}; "
            "name other chromosomes"
        )
    return result


def _near(rows: pd.Series, wanted: float) -> list[str]:
    """Chromosomes, in the order of `rows`, each of which brings the sum nearer to `wanted`; at least the smallest."""
    chosen: list[str] = []
    total = 0
    for name, n in rows.items():
        if abs(total + n - wanted) < abs(total - wanted):
            chosen.append(str(name))
            total += n
    return chosen or [str(name) for name in rows.sort_values(kind="stable").index[:1]]


def overlapping_training(examples: pd.DataFrame, downstream: int) -> int | None:
    """How many test rows share a base of the genome, on either strand, with a row of training.

    examples: sequences of one length with seqname, position (0-based) and strand, `downstream` nt of each after its
    position; rows without a place are not counted. None where no place is known of test or of training.
    """
    if "position" not in examples:
        return None
    placed = examples[examples["position"].notna()]
    length = placed["sequence"].str.len().to_numpy()
    starts = window_starts(placed, length, downstream)
    windows = placed.assign(start=starts, end=starts + length, strand="either")
    return overlaps(windows, windows["position"].notna(), overlapping)
