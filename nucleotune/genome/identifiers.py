"""Identifiers with and without version: one rule for all readers."""

import pandas as pd

#: Ensembl's and RefSeq's identifiers only: in others a dot means something else (AT1G01010.1, Y74C9A.3).
_VERSIONED = r"^(ENS[A-Z]*[0-9]{11}|[NX][MRP]_[0-9]+)\.([0-9]{1,9})(|[^0-9].*)$"


def split_versions(identifiers: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split ENSG00000223972.5 into ENSG00000223972 and 5; return ids (str) and versions (Int32, missing without one).

    What follows the version stays with the id: ENSG00000002586.20_PAR_Y is ENSG00000002586_PAR_Y, version 20.
    """
    parts = identifiers.str.extract(_VERSIONED)
    bare = (parts[0] + parts[2]).fillna(identifiers)
    return bare, pd.to_numeric(parts[1]).astype("Int32")
