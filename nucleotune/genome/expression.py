"""Expression tables: GCT, the format of GTEx (version 1.2)."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune.delimited import finite_number, header_names
from nucleotune.errors import InputError
from nucleotune.genome.identifiers import split_versions
from nucleotune.text import read_lines

#: What numbers between tabs are made of. Words such as nan and 1_000, that float() reads as well, are not.
_NUMBERS = re.compile("[0-9.eE+\\-\t ]*")


def read_gct(path: str | Path) -> pd.DataFrame:
    """Return genes x tissues from a GCT file, plain or gzip: one row per gene, in file order.

    The index is `gene_id` without version (ENSG00000223972; ENSG00000002586_PAR_Y keeps its suffix). The columns are
    `gene_version` (Int32, missing where ids have none) and the tissues (float64) under the file's names for them. The
    file's Description, a symbol of its own release, is left out.

    Raises InputError for another format, for other numbers of genes and tissues than the file states, for a value that
    is missing, negative, infinite or no number, and for a gene or tissue that occurs twice; the message names the line.
    """
    lines = ((number, line) for number, line in read_lines(path) if line.strip())
    number, first = next(lines, (1, ""))
    if first.rstrip() != "#1.2":
        raise InputError(
            f"{path}: line {number}: expected #1.2, the first line of a GCT file, found {first[:80]!r}"
        )
    number, second = next(lines, (2, ""))
    numbers = re.fullmatch("([1-9][0-9]{0,14})\t([1-9][0-9]{0,14})", second.rstrip())
    if not numbers:
        raise InputError(
            f"{path}: line {number}: expected the numbers of genes and tissues, separated by a tab; found"
            f" {second[:80]!r}"
        )
    n_genes, n_tissues = map(int, numbers.groups())
    number, header = next(lines, (3, ""))
    columns = header_names(path, number, header.rstrip("\t ").split("\t"))
    tissues = columns[2:]
    if columns[:2] != ["Name", "Description"] or len(tissues) != n_tissues:
        raise InputError(
            f"{path}: line {number}: expected Name, Description and {n_tissues} tissues (as stated above),"
            " tab-separated,"
            f" found {len(columns)} columns, {header[:80]!r}"
        )
    rows: list[np.ndarray] = []
    ids: list[str] = []
    for number, line in lines:
        gene, *fields = line.split("\t")
        if len(ids) == n_genes:
            raise InputError(f"{path}: line {number}: more genes than the {n_genes} stated above")
        texts = fields[1:]
        while len(texts) > n_tissues and not texts[-1].strip():
            texts.pop()
        row = _row(texts)
        # Comparisons are false of NaN.
        wrong = [text for text, value in zip(texts, row, strict=True) if not 0 <= value < np.inf]
        if len(row) != n_tissues or wrong:
            found = repr(wrong[0]) if wrong else f"{len(row)} values"
            raise InputError(
                f"{path}: line {number}: gene {gene!r}: expected {n_tissues} finite numbers of at least 0,"
                f" found {found}"
            )
        rows.append(np.array(row))
        ids.append(gene)
    if len(ids) < n_genes:
        raise InputError(
            f"{path}: {len(ids)} genes, but its beginning states {n_genes}; the file is incomplete"
        )
    bare, versions = split_versions(pd.Series(ids, dtype="str"))
    if bare.duplicated().any():
        raise InputError(f"{path}: gene {bare[bare.duplicated()].iloc[0]!r} occurs twice")
    table = pd.DataFrame(np.stack(rows), pd.Index(bare, name="gene_id"), tissues)
    table.insert(0, "gene_version", versions.array)
    return table


def _row(texts: list[str]) -> list[float]:
    """The numbers that texts say, NaN where one says none."""
    if _NUMBERS.fullmatch("\t".join(texts)):
        try:
            return [float(text) for text in texts]
        except ValueError:
            pass
    numbers = (finite_number(text.strip(" ")) for text in texts)
    return [np.nan if number is None else number for number in numbers]
