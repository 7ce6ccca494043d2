"""Expression tables: GCT, the format of GTEx (version 1.2)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.genome.identifiers import split_versions
from nucleotune.genome.scanner import open_binary


def read_gct(path: str | Path) -> pd.DataFrame:
    """Return genes x tissues from a GCT file, plain or gzip: one row a gene, in file order.

    The index is `gene_id` without version (ENSG00000223972; ENSG00000002586_PAR_Y keeps its suffix). The columns are
    `gene_version` (Int32, missing where ids have none) and the tissues (float64) under the file's names for them. The
    file's Description, a symbol of its own release, is left out.

    Raises InputError for another format, for other numbers of genes and tissues than the file states, for a value that
    is missing, negative or no number, and for a gene or tissue that occurs twice; the message names file and line.
    """
    lines = _lines(path)
    if next(lines, "") != "#1.2":
        raise InputError(f"{path}: line 1: expected #1.2, the first line of a GCT file")
    try:
        n_genes, n_tissues = map(int, next(lines, "").split("\t"))
    except ValueError as error:
        raise InputError(
            f"{path}: line 2: expected the numbers of genes and tissues, between them a tab"
        ) from error
    name, *tissues = next(lines, "").split("\t")
    if name != "Name" or tissues[:1] != ["Description"] or len(tissues) != n_tissues + 1:
        raise InputError(
            f"{path}: line 3: expected Name, Description and {n_tissues} tissues (line 2) between tabs"
        )
    del tissues[0]
    values = np.empty((n_genes, n_tissues))
    ids: list[str] = []
    for number, line in enumerate(lines, start=4):
        gene, *fields = line.split("\t")
        if len(ids) == n_genes:
            raise InputError(f"{path}: line {number}: more genes than the {n_genes} of line 2")
        try:
            row = [float(field) for field in fields[1:]]
        except ValueError as error:
            raise InputError(f"{path}: line {number}: gene {gene!r}: {error}") from error
        # `not (value >= 0)` is true of NaN too.
        if len(row) != n_tissues or any(not (value >= 0) for value in row):
            raise InputError(
                f"{path}: line {number}: gene {gene!r}: expected {n_tissues} numbers of at least 0,"
                f" found {len(row)} values"
            )
        values[len(ids)] = row
        ids.append(gene)
    if len(ids) < n_genes:
        raise InputError(
            f"{path}: {len(ids)} genes, but {n_genes} in line 2; the file is incomplete"
        )
    bare, versions = split_versions(pd.Series(ids, dtype="str"))
    for kind, names in (("gene", bare), ("tissue", pd.Series(tissues))):
        if names.duplicated().any():
            raise InputError(f"{path}: {kind} {names[names.duplicated()].iloc[0]!r} occurs twice")
    table = pd.DataFrame(values, pd.Index(bare, name="gene_id"), tissues)
    table.insert(0, "gene_version", versions.array)
    return table


def _lines(path: str | Path) -> Iterator[str]:
    """The lines of a text file, plain or gzip, without line ends; empty ones left out."""
    try:
        with open_binary(path) as file:
            for line in file:
                if text := line.decode().rstrip("\r\n"):
                    yield text
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; expected GCT, plain or gzip") from error
