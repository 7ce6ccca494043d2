"""Expression tables: GCT, the format of GTEx (version 1.2)."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.identifiers import split_versions
from nucleotune.text import open_binary


def read_gct(path: str | Path) -> pd.DataFrame:
    """Return genes x tissues from a GCT file, plain or gzip: one row a gene, in file order.

    The index is `gene_id` without version (ENSG00000223972; ENSG00000002586_PAR_Y keeps its suffix). The columns are
    `gene_version` (Int32, missing where ids have none) and the tissues (float64) under the file's names for them. The
    file's Description, a symbol of its own release, is left out.

    Raises InputError for another format, for other numbers of genes and tissues than the file states, for a value that
    is missing, negative, infinite or no number, and for a gene or tissue that occurs twice; the message names the line.
    """
    lines = _lines(path)
    number, first = next(lines, (1, ""))
    if first != "#1.2":
        raise InputError(f"{path}: line {number}: expected #1.2, the first line of a GCT file")
    number, second = next(lines, (2, ""))
    numbers = re.fullmatch(r"([1-9]\d*)\t([1-9]\d*)", second.rstrip("\t"))
    if not numbers:
        raise InputError(
            f"{path}: line {number}: expected the numbers of genes and tissues, between them a tab; found"
            f" {second[:80]!r}"
        )
    n_genes, n_tissues = map(int, numbers.groups())
    number, header = next(lines, (3, ""))
    name, *tissues = header.split("\t")
    if name != "Name" or tissues[:1] != ["Description"] or len(tissues) != n_tissues + 1:
        raise InputError(
            f"{path}: line {number}: expected Name, Description and {n_tissues} tissues (as said before) between tabs"
        )
    del tissues[0]
    rows: list[np.ndarray] = []
    ids: list[str] = []
    for number, line in lines:
        gene, *fields = line.split("\t")
        if len(ids) == n_genes:
            raise InputError(f"{path}: line {number}: more genes than the {n_genes} stated above")
        try:
            row = [float(field) for field in fields[1:]]
        except ValueError as error:
            raise InputError(f"{path}: line {number}: gene {gene!r}: {error}") from error
        # Comparisons are false of NaN.
        wrong = [value for value in row if not 0 <= value < np.inf]
        if len(row) != n_tissues or wrong:
            found = f"{wrong[0]:g}" if wrong else f"{len(row)} values"
            raise InputError(
                f"{path}: line {number}: gene {gene!r}: expected {n_tissues} finite numbers of at least 0,"
                f" found {found}"
            )
        rows.append(np.array(row))
        ids.append(gene)
    if len(ids) < n_genes:
        raise InputError(
            f"{path}: {len(ids)} genes, but {n_genes} are stated at its beginning; the file is incomplete"
        )
    bare, versions = split_versions(pd.Series(ids, dtype="str"))
    for kind, names in (("gene", bare), ("tissue", pd.Series(tissues))):
        if names.duplicated().any():
            raise InputError(f"{path}: {kind} {names[names.duplicated()].iloc[0]!r} occurs twice")
    table = pd.DataFrame(np.stack(rows), pd.Index(bare, name="gene_id"), tissues)
    table.insert(0, "gene_version", versions.array)
    return table


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of the lines of a file, plain or gzip, without line ends; empty ones left out."""
    try:
        with open_binary(path) as file:
            for number, line in enumerate(file, start=1):
                if text := line.decode().rstrip("\r\n"):
                    yield number, text
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; expected GCT, plain or gzip") from error
