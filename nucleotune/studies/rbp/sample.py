"""RNA bound by a protein, or not: from sequences to examples and data card (BERT-RBP paper, section 2.1).

Tables of sequences come from `rbp_readers`. Label 1 is bound, 0 is not. Every filter is counted. Rows whose places
overlap on a strand are one group, as are rows of a gene where genes are known: they are not independent.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import EXAMPLE_COLUMNS, check_examples
from nucleotune.errors import InputError
from nucleotune.files import describe_file
from nucleotune.genome.loci import join_overlapping, overlapping
from nucleotune.studies.leaks import identical, leakage, overlaps, shared_sequences
from nucleotune.studies.rbp.readers import CLASSES
from nucleotune.studies.splits import lacking, split_counts, split_groups

SPLITS = ("train", "valid", "test")

Waterfall = list[dict[str, Any]]
Built = tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]

#: The key of the configuration by which rows are sampled.
SAMPLED_BY = "rbp.per_class"

log = logging.getLogger(__name__)


def build_examples(
    places: pd.DataFrame,
    *,
    per_class: int = 15_000,
    test: float = 0.2,
    valid: float = 0.2,
    seed: int,
    min_per_class: int,
    split: str = "random",
    source: str = "sequences",
) -> Built:
    """Filter, sample and split the sequences of one RBP.

    Kept are sequences of ACGT only, each once: of equal ones, also of different classes, the first in the file. Of each
    class at most `per_class` are drawn; of n drawn, `test` * n are the test split, `valid` of the remainder the
    validation split, the rest trains. Both numbers are rounded to the nearest whole, halves to even. So 15,000
    become 9,600, 2,400 and 3,000, the numbers of the authors' files (the paper's 12,600 leaves out validation).

    With `split` `locus` whole groups are cut in place of rows, so that nothing in one part overlaps a place of another:
    the numbers are then near these shares.

    places: of a reader. source: begins the message of an error.
    Returns the examples in file order (contract of `nucleotune.contracts`, and the place), the rows that sampling left
    out (the same columns, no split) and counts: `waterfall`, `in_both_classes`, the distinct sequences found bound
    and unbound, and `grouped_by`, what a group is (`gene` or `place`).

    Raises InputError where a class has less than `min_per_class` sequences, or too few for three parts, and for `locus`
    where a row has no place.
    """
    waterfall = _steps("in the files", places, places)
    table = _keep(waterfall, "letters ACGT only", _pure(places), places)
    both = _in_both_classes(table)
    table = _keep(waterfall, "each sequence once", ~table["sequence"].duplicated(), table)
    table, unit = _grouped(table, source)
    if split == "locus":
        parts = _draw_loci(table, per_class, test, valid, seed, source)
    else:
        parts = _draw(table["label"], per_class, test, valid, seed)
    chosen = _keep(waterfall, f"sampled to at most {per_class:,}", parts != "", table, SAMPLED_BY)
    counts = {"waterfall": waterfall, "in_both_classes": both, "grouped_by": unit}
    examples = _finish(chosen.assign(split=parts), min_per_class, counts, source)
    rest = table[parts == ""].reset_index(drop=True)
    return examples, rest, counts


def assemble_splits(
    parts: Mapping[str, pd.DataFrame],
    *,
    per_class: int = 15_000,
    test: float = 0.2,
    valid: float = 0.2,
    seed: int,
    min_per_class: int,
    source: str = "sequences",
) -> Built:
    """Examples of an RBP whose training and test sequences come in separate files.

    parts: tables of a reader by split: `train`, `test` and perhaps `valid`. Without `valid`, that share of the training
    sequences of each class is drawn for it, rounded as in `build_examples`. Filters are the same. The parts that a
    method is judged by stay whole; of training rows there are as many of a class as there would be of `per_class` in
    one file, more are sampled.
    A sequence that is in several parts stays in the test split, or else in the validation split: nothing that a method
    is judged by is trained on. Ids get the name of their file's part in front (`train:positive-1`), so that they stay
    unique.

    Returns what `build_examples` does; the counts also have `dropped_across_parts`,
    rows by the part they were dropped from. Raises InputError for other parts than these, and for too few sequences.
    """
    if not {"train", "test"} <= set(parts) <= set(SPLITS):
        raise InputError(
            f"{source}: files of parts {', '.join(parts)}; expected train, test and optionally valid"
        )
    table = pd.concat(
        [_prefixed(parts[part], part) for part in ("test", "valid", "train") if part in parts],
        ignore_index=True,
    )
    waterfall = _steps("in the files", table, table)
    table = _keep(waterfall, "letters ACGT only", _pure(table), table)
    both = _in_both_classes(table)
    repeated = table.duplicated(["sequence", "split"])
    table = _keep(waterfall, "each sequence once in its part", ~repeated, table)
    # Rows are ordered by test, valid, train: the later of two equal sequences leaves.
    repeated = table["sequence"].duplicated()
    across = table.loc[repeated, "split"].value_counts().to_dict()
    table = _keep(waterfall, "in one part only", ~repeated, table)
    table, unit = _grouped(table, source)
    tested = round(test * per_class)
    # Without a validation file these rows are cut from the training rows below.
    validated = round(valid * (per_class - tested)) if "valid" in parts else 0
    most = per_class - tested - validated
    chosen = _sampled(table, most, seed)
    rest = table[~chosen].drop(columns="split").reset_index(drop=True)
    table = _keep(waterfall, f"training sampled to at most {most:,}", chosen, table, SAMPLED_BY)
    if "valid" not in parts:
        training = table["split"] == "train"
        drawn = _draw(table.loc[training, "label"], len(table), 0.0, valid, seed)
        table = table.assign(split=table["split"].mask(training, drawn))
    counts = {
        "waterfall": waterfall,
        "in_both_classes": both,
        "grouped_by": unit,
        "dropped_across_parts": across,
    }
    return _finish(table, min_per_class, counts, source), rest, counts


def build_card(
    rbp: str,
    examples: pd.DataFrame,
    rest: pd.DataFrame,
    counts: Mapping[str, Any],
    files: Sequence[str | Path],
) -> dict[str, Any]:
    """Data card of one RBP: `counts` of a builder, rows by class and split, lengths (nt), leaks, sha256 of `files`.

    Beside groups (genes or places) and identical sequences, `leakage` counts test rows whose place overlaps one of
    training on the same strand (`test_rows_overlapping_training`), among those whose place is known (`places_known`).
    Where none is, both are None.
    """
    lengths = examples["sequence"].str.len()
    known = examples["seqname"] != ""
    return {
        "rbp": rbp,
        **counts,
        "classes": _by_class(examples),
        "left_out": _by_class(rest),
        "length": {"min": int(lengths.min()), "max": int(lengths.max())},
        "splits": split_counts(examples, CLASSES),
        "leakage": leakage(examples["split"], examples["group"], known)
        | {"test_rows_overlapping_training": overlaps(examples, known, overlapping)}
        | shared_sequences(examples, both_strands=False),
        "identical": identical(examples, both_strands=False),
        "places_known": int(known.sum()),
        "inputs": [describe_file(path) for path in files],
    }


def _pure(table: pd.DataFrame) -> pd.Series:
    return ~table["sequence"].str.contains("[^ACGT]", regex=True)


def _in_both_classes(table: pd.DataFrame) -> int:
    return int((table.groupby("sequence")["label"].nunique() > 1).sum())


def _grouped(table: pd.DataFrame, source: str) -> tuple[pd.DataFrame, str]:
    """Rows in groups that do not overlap each other, and what a group is."""
    unit = "gene" if (table["group"] != table["id"]).any() else "place"
    known = int((table["seqname"] != "").sum())
    if known < len(table):
        log.warning(
            "%s: the position of %d of %d sequences is not known; their overlaps are not found",
            *(source, len(table) - known, len(table)),
        )
    return table.assign(group=join_overlapping(table)), unit


def _sampled(table: pd.DataFrame, most: int, seed: int) -> pd.Series:
    """Which rows are kept where training has at most `most` rows of a class, drawn at random."""
    kept = np.ones(len(table), dtype=bool)
    for label in range(len(CLASSES)):
        rows = np.flatnonzero((table["split"] == "train") & (table["label"] == label))
        kept[_order(rows, label, seed)[most:]] = False
    return pd.Series(kept, index=table.index)


def _order(rows: np.ndarray, label: int, seed: int) -> np.ndarray:
    """Rows of a class in random order; its seed is its own, so it does not depend on how many the other has."""
    return np.random.default_rng([seed, label]).permutation(rows)


def _draw(labels: pd.Series, most: int, test: float, valid: float, seed: int) -> pd.Series:
    """Split of each row, "" for rows not drawn: a random order of each class is cut into test, valid, train."""
    split = np.full(len(labels), "", dtype=object)
    for label in range(len(CLASSES)):
        rows = _order(np.flatnonzero(labels == label), label, seed)[:most]
        tested = round(test * len(rows))
        stop = tested + round(valid * (len(rows) - tested))
        for part, chosen in zip(
            ("test", "valid", "train"), np.split(rows, [tested, stop]), strict=True
        ):
            split[chosen] = part
    return pd.Series(split, index=labels.index)


def _draw_loci(
    table: pd.DataFrame, most: int, test: float, valid: float, seed: int, source: str
) -> pd.Series:
    """As `_draw`, but whole groups are cut, near the same shares of each class."""
    nowhere = table["seqname"] == ""
    if nowhere.any():
        raise InputError(
            f"{source}: split 'locus' keeps overlapping positions in one part, but {int(nowhere.sum())} of"
            f" {len(table)} sequences have no position, such as {table.loc[nowhere, 'id'].iloc[0]!r}; give"
            " headers of bedtools getfasta"
            " -s, like chr1:100-201(+), or set 'split: random' in the collection file"
        )
    drawn = np.concatenate(
        [
            _order(np.flatnonzero(table["label"] == label), label, seed)[:most]
            for label in range(len(CLASSES))
        ]
    )
    chosen = table.iloc[np.sort(drawn)]
    shares = {"train": (1 - test) * (1 - valid), "valid": (1 - test) * valid, "test": test}
    try:
        parts = split_groups(chosen["label"], chosen["group"], shares, seed)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    return parts.reindex(table.index, fill_value="")


def _finish(
    table: pd.DataFrame, min_per_class: int, counts: Mapping[str, Any], source: str
) -> pd.DataFrame:
    sizes = split_counts(table, CLASSES)
    without = {name for _, name in lacking(table, CLASSES, SPLITS)}
    for name, total in _by_class(table).items():
        if total < min_per_class or name in without:
            parts = {part: sizes.get(part, {}).get(name, 0) for part in SPLITS}
            found = ", ".join(f"{n} {part}" for part, n in parts.items())
            filters = ", ".join(
                f"{one['kept']} {one['step']}"
                for one in counts["waterfall"]
                if one["class"] == name
            )
            raise InputError(
                f"{source}: {total} {name} sequences are left after the filters ({found}); step by step: {filters};"
                f" {counts['in_both_classes']} sequences are in both classes and count in the class where they"
                " come first. At least"
                f" {min_per_class} (rbp.min_per_class) are needed, and one in each part: leave this RBP out of"
                " rbp.rbps, give more sequences, or lower rbp.min_per_class"
            )
    columns = [*EXAMPLE_COLUMNS, *(name for name in table if name not in EXAMPLE_COLUMNS)]
    return check_examples(table[columns].reset_index(drop=True), source)


def _prefixed(table: pd.DataFrame, part: str) -> pd.DataFrame:
    names = part + ":" + table["id"]
    group = table["group"].where(table["group"] != table["id"], names)
    return table.assign(id=names, group=group, split=part)


def _by_class(table: pd.DataFrame) -> dict[str, int]:
    return {CLASSES[label]: int((table["label"] == label).sum()) for label in (1, 0)}


def _keep(
    waterfall: Waterfall, step: str, mask: pd.Series, table: pd.DataFrame, sampled_by: str = ""
) -> pd.DataFrame:
    kept = table[mask]
    setting = {"sampled_by": sampled_by} if sampled_by else {}
    waterfall += [one | setting for one in _steps(step, table, kept)]
    return kept


def _steps(step: str, before: pd.DataFrame, after: pd.DataFrame) -> Waterfall:
    """One entry of the waterfall for each class."""
    kept = _by_class(after)
    return [
        {"class": name, "step": step, "kept": kept[name], "dropped": n - kept[name]}
        for name, n in _by_class(before).items()
    ]
