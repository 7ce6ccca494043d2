"""Promoters of the GUE benchmark (Zhou et al., arXiv 2306.15006): CSV files with columns sequence and label.

Label 1 is a promoter without TATA box of EPDnew, TSS-249 to TSS+50; label 0 an artificial sequence made from one.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise
from nucleotune.sequence.labelled import read_label, read_rows, shown

#: Rows of `prom_300_notata` by split, half of all being promoters.
PROM_300_NOTATA = {"train": 42_452, "valid": 5_307, "test": 5_307, "positives": 26_533}


def read_gue(
    files: Mapping[str, str | Path],
    expected: Mapping[str, int] | None = None,
    *,
    length: int | None = None,
    classes: Collection[int] = (),
) -> pd.DataFrame:
    """Read one CSV file a split, plain or gzip: columns id, sequence, label, split, group.

    Args:
        files: path by split, `valid` being GUE's dev.
        expected: rows by split, and `positives` of all, that the files must have (PROM_300_NOTATA for the published).
        length: of every sequence that is used (nt); None for that of the first one.
        classes: labels that every file must have; sequences of others are not used, and may be of any length.

    The header names the two columns in any case and order, also `seq`, `class` or `target`. The id is `<split>-<row>`,
    from 1, blank lines not counted; no genes are known, so `group` is the id. Codes other than ACGT become N and stay.

    Raises InputError for a file of another form, a label other than 0 and 1, a letter that is no nucleotide code, a
    sequence of another length, a file without a class, and other numbers than expected.
    """
    read = {split: _read_split(split, path) for split, path in files.items()}
    parts = {split: part for split, (part, _) in read.items()}
    for split, part in parts.items():
        for label in classes:
            if not (part["label"] == label).any():
                raise InputError(
                    f"{files[split]}: no row with label {label}; expected rows with label"
                    f" {' and '.join(map(str, classes))} in every part"
                )
        used = part[part["label"].isin(classes)] if classes else part
        lengths = used["sequence"].str.len()
        length = int(lengths.iloc[0]) if length is None else length
        wrong = lengths.index[lengths != length]
        if len(wrong):
            line = read[split][1][wrong[0]]
            raise InputError(
                f"{files[split]}: line {line}: {lengths[wrong[0]]} nt, expected {length} as for all sequences,"
                " because otherwise length would give the class away"
            )
    table = pd.concat(parts.values())
    counts = {**table["split"].value_counts(), "positives": int((table["label"] == 1).sum())}
    for name, rows in (expected or {}).items():
        found = int(counts.get(name, 0))
        if found != rows:
            what = "rows with label 1" if name == "positives" else f"rows in split {name}"
            raise InputError(
                f"{files.get(name, 'GUE')}: {found} {what}, expected {rows}; fetch the file again, or, for your"
                " own files, leave out the expected number"
            )
    return table.reset_index(drop=True)


def gue_waterfall(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Beginning of a data card's waterfall: rows of each class that there is."""
    counts = table["label"].value_counts().sort_index(ascending=False)
    return [
        {"class": ("artificial", "promoter")[label], "step": "in GUE", "kept": int(n), "dropped": 0}
        for label, n in counts.items()
    ]


def _read_split(split: str, path: str | Path) -> tuple[pd.DataFrame, list[int]]:
    """The rows of a file, and the line that each is on."""
    lines, sequences, labels = [], [], []
    for line, (sequence, label) in read_rows(path):
        where = f"{path}: line {line}"
        try:
            labels.append(read_label(label))
            sequences.append(normalise(sequence.strip()))
        except ValueError as error:
            raise InputError(f"{where}: {error} (sequence {shown(sequence)})") from error
        if not sequences[-1]:
            raise InputError(f"{where}: no sequence before label {labels[-1]}")
        lines.append(line)
    if not lines:
        raise InputError(f"{path}: no rows after the header; expected sequences and labels")
    names = [f"{split}-{row}" for row in range(1, len(lines) + 1)]
    table = pd.DataFrame(
        {
            "id": names,
            "sequence": sequences,
            "label": pd.Series(labels, dtype="int8"),
            "split": split,
            "group": names,
        }
    )
    return table, lines
