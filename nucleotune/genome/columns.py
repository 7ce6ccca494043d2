"""From numbers that stand for texts to the columns of a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nucleotune.errors import InputError
from nucleotune.genome.identifiers import split_versions


def text_column(
    codes: np.ndarray, strings: pa.LargeStringArray, fill: str | None = None
) -> pd.Categorical:
    """Texts by their numbers int (n,); -1 is missing, or `fill`."""
    column = _categorical(*_used(codes, strings))
    if fill is None:
        return column
    if fill not in column.categories:
        column = column.add_categories([fill])
    return column.fillna(fill)


def renamed_column(
    codes: np.ndarray, strings: pa.LargeStringArray, names: dict[str, str]
) -> pd.Categorical:
    """Texts by their numbers, under other names where `names` has one."""
    codes, texts = _used(codes, strings)
    return _categorical(codes, texts.map(lambda text: names.get(text, text)))


def identifier_columns(
    codes: np.ndarray, versions: np.ndarray | None, strings: pa.LargeStringArray, path: str | Path
) -> tuple[pd.Categorical, pd.array]:
    """Identifiers without version, and versions (Int32): those stated beside them, else those in the identifiers."""
    codes_used, texts = _used(codes, strings)
    bare, within = split_versions(texts)
    of_row = within.array.take(codes_used, allow_fill=True)
    if versions is not None:
        stated = integer_column(versions, strings, "version", path)
        of_row = pd.array(pd.Series(stated).fillna(pd.Series(of_row)))
    return _categorical(codes_used, bare), of_row


def integer_column(codes: np.ndarray, strings: pa.LargeStringArray, name: str, path: str | Path):
    """Whole numbers (Int32) by the numbers of their texts; InputError naming `path` for a text that is none."""
    codes, texts = _used(codes, strings)
    illegal = texts[~texts.str.fullmatch("[0-9]{1,9}")]
    if len(illegal):
        raise InputError(
            f"{path}: attribute {name}: expected a whole number, found {illegal.iloc[0]!r}"
        )
    return pd.array(texts.astype("int32"), "Int32").take(codes, allow_fill=True)


def support_level_column(codes: np.ndarray, strings: pa.LargeStringArray):
    """Transcript support levels (Int32): "5 (assigned to previous version 4)" is 5, "NA" is missing."""
    codes, texts = _used(codes, strings)
    levels = texts.str.extract(r"^([0-9])\b", expand=False)
    return pd.to_numeric(levels).astype("Int32").array.take(codes, allow_fill=True)


def _used(codes: np.ndarray, strings: pa.LargeStringArray) -> tuple[np.ndarray, pd.Series]:
    """Those of the strings that occur, in order, and the codes counted among them."""
    used = np.zeros(len(strings) + 1, bool)
    used[codes] = True
    used[-1] = False
    numbers = np.where(used, np.cumsum(used) - 1, -1)
    return numbers[codes], pc.filter(strings, used[:-1]).to_pandas()


def _categorical(codes: np.ndarray, texts: pd.Series) -> pd.Categorical:
    """Categories from `texts`, of which several may be equal."""
    numbers, categories = pd.factorize(texts)
    return pd.Categorical.from_codes(np.append(numbers, -1)[codes], categories)
