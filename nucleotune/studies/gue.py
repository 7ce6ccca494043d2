"""Promoters of the GUE benchmark (Zhou et al., arXiv 2306.15006): CSV files with columns sequence and label.

Label 1 is a promoter without TATA box of EPDnew, TSS-249 to TSS+50; label 0 an artificial sequence made from one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.alphabet import normalise

#: Rows of `prom_300_notata` by split, half of them promoters.
PROM_300_NOTATA = {"train": 42_452, "valid": 5_307, "test": 5_307}


def read_gue(
    files: Mapping[str, str | Path], expected: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Read one CSV file a split, plain or gzip: columns id, sequence, label, split, group.

    files: path by split, `valid` being GUE's dev. The id is `<split>-<row>`, from 1; no genes are known, so `group`
    is the id. expected: rows by split that the files must have (PROM_300_NOTATA for the published ones).

    Raises InputError for a file of another form, a label other than 0 and 1, a letter that is no nucleotide code, and
    another number of rows than expected.
    """
    table = pd.concat([_read_split(split, path) for split, path in files.items()])
    for split, rows in (expected or {}).items():
        found = int((table["split"] == split).sum())
        if found != rows:
            raise InputError(
                f"{files.get(split, 'GUE')}: {found} rows in split {split}, expected {rows}; fetch the file again, or"
                " leave out the expected number for files of your own"
            )
    return table.reset_index(drop=True)


def gue_waterfall(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Beginning of a data card's waterfall: rows of each class that there is."""
    counts = table["label"].value_counts().sort_index(ascending=False)
    return [
        {"class": ("artificial", "promoter")[label], "step": "in GUE", "kept": int(n), "dropped": 0}
        for label, n in counts.items()
    ]


def _read_split(split: str, path: str | Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, EOFError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise InputError(f"{path}: cannot be read as CSV: {error}") from error
    if list(table.columns) != ["sequence", "label"]:
        raise InputError(
            f"{path}: expected the header 'sequence,label', found {','.join(table.columns)[:80]!r}; "
            "an HTML page instead of the file means that the download failed"
        )
    wrong = table.index[~table["label"].isin(("0", "1"))]
    if len(wrong):
        raise InputError(
            f"{path}: row {wrong[0] + 1}: label {table['label'][wrong[0]]!r}, expected 0 or 1"
        )
    sequences = []
    for row, sequence in enumerate(table["sequence"], start=1):
        try:
            sequences.append(normalise(sequence))
        except ValueError as error:
            raise InputError(f"{path}: row {row}: {error}") from error
    names = [f"{split}-{row}" for row in range(1, len(table) + 1)]
    return pd.DataFrame(
        {
            "id": names,
            "sequence": sequences,
            "label": table["label"].astype("int8"),
            "split": split,
            "group": names,
        }
    )
