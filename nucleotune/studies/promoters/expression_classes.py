"""Genes of high and of low expression in all tissues: percentiles of median TPM (GTEx), tissue by tissue."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.errors import InputError

#: Genes that a percentile may be taken over, which the paper leaves open: all of the expression file; its genes with
#: one of the two biotypes; of these such with a promoter sequence.
UNIVERSES = ("all", "joined", "pool")

#: Above the first percentile in all tissues is high; at or below the second in all is low. "Below" would leave none:
#: a quarter of all genes has a median of 0 in most tissues, so that the 25th percentile is 0 there.
HIGH, LOW = 75, 25


def tissue_id(name: str) -> str:
    """A tissue's name as GTEx's own file names have it: "Brain - Cortex" is "Brain_Cortex"."""
    bare = name.replace("(", "").replace(")", "")
    return bare.replace(" - ", " ").replace(" ", "_")


def select_tissues(expression: pd.DataFrame, exclude: Sequence[str]) -> pd.DataFrame:
    """Median TPM of the tissues that are kept, float64 (genes, tissues), on the index of `expression` (gene ids).

    `expression` is as read from a GCT file: columns of numbers are tissues, but for `gene_version`. Names in `exclude`
    may have either form of `tissue_id`. Raises InputError for an excluded tissue that is not there, when none is left,
    and for a gene that occurs twice.
    """
    if expression.index.has_duplicates:
        first = expression.index[expression.index.duplicated()][0]
        raise InputError(f"expression: gene {first!r} occurs twice; keep one row per gene")
    columns = expression.drop(columns="gene_version", errors="ignore").select_dtypes("number")
    tissues = {tissue_id(name): name for name in columns}
    unknown = [name for name in exclude if tissue_id(name) not in tissues]
    if unknown:
        raise InputError(
            f"expression: excluded tissue {unknown[0]!r} does not exist; tissues: {', '.join(tissues.values())}"
        )
    left_out = {tissue_id(name) for name in exclude}
    kept = [name for key, name in tissues.items() if key not in left_out]
    if not kept:
        raise InputError("expression: no tissue is left; exclude fewer")
    return expression[kept].astype("float64")


def classify(tpm: pd.DataFrame, universe: pd.DataFrame) -> tuple[pd.Series, int]:
    """Class of each gene of `tpm`: "high", "low" or "", on its index.

    Both tables are (genes, tissues) with the same tissues; percentiles of each tissue are taken over `universe`
    (linear interpolation). Returns also in how many tissues the lower percentile is 0.
    """
    low, high = np.percentile(universe.to_numpy(), [LOW, HIGH], axis=0)
    values = tpm.to_numpy()
    names = np.select(
        [(values > high).all(axis=1), (values <= low).all(axis=1)], ["high", "low"], default=""
    )
    return pd.Series(names, index=tpm.index), int((low == 0).sum())


def describe_tpm(tpm: pd.DataFrame, biotypes: pd.Series) -> dict[str, dict[str, Any]]:
    """Mean and standard deviation of TPM over genes and tissues, by biotype: the paper's Table 3.

    biotypes: biotype by gene id, genes that `tpm` has. The deviation is that of the values themselves (divided by n).
    """
    description = {}
    for biotype, genes in biotypes.groupby(biotypes, sort=False):
        values = tpm.loc[genes.index].to_numpy()
        description[str(biotype)] = {
            "genes": len(genes),
            "tissues": tpm.shape[1],
            "mean": float(values.mean()),
            "sd": float(values.std()),
        }
    return description
