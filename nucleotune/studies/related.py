"""Test rows with relatives in training: what a split hides, counted for every data set in the same way.

Training is all that a method may have learnt from: the rows `pretrain` and `train` of the data set, and of a pool of
species that methods start from its rows `pretrain`. Validation rows are not among them: they choose when a training
stops, but no weight is fitted to them, and the other counts of a data card (`leaks`) leave them out as well.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.contracts import RELATIVE_COLUMNS, further_tests
from nucleotune.errors import InputError
from nucleotune.evaluation.unrelated import IDENTITY
from nucleotune.sequence.similarity import COVERAGE, relatives
from nucleotune.studies.leaks import TRAINING

log = logging.getLogger(__name__)

#: Identities at which test rows with a relative are counted.
IDENTITIES = (IDENTITY, 0.7, 0.9)


def nearest(
    examples: pd.DataFrame,
    pool: Sequence[str] = (),
    *,
    further: bool = True,
    both_strands: bool,
    threads: int = 1,
    memory_gb: float = 2,
) -> tuple[pd.DataFrame, str | None]:
    """Test rows with the `identity` of their nearest relative in training (`contracts`).

    Args:
        examples: columns `id`, `sequence` and `split`.
        pool: sequences of a pool that methods also learn from.
        further: whether rows of further test sets are looked at, too.
        both_strands: whether a reverse complement is a relative.
        threads: of the search.
        memory_gb: of its index.

    Returns also the reason where relatives cannot be looked for; identities are then NaN.
    """
    tests = ("test", *(further_tests(examples["split"]) if further else ()))
    rows = examples[examples["split"].isin(tests)].reset_index(drop=True)
    training = examples.loc[examples["split"].isin(TRAINING), "sequence"].tolist() + list(pool)
    found = rows[["id", "split"]].assign(identity=np.nan)[list(RELATIVE_COLUMNS)]
    if not len(rows) or not training:
        return found, "no rows in training, or none in the test split"
    try:
        identity = relatives(
            rows["sequence"].tolist(),
            training,
            least=min(IDENTITIES),
            both_strands=both_strands,
            threads=threads,
            memory_gb=memory_gb,
        )
    except InputError as error:  # the audit is no reason to have no results
        log.warning("relatives of test rows in training were not looked for: %s", error)
        return found, str(error)
    return found.assign(identity=identity), None


def related_shares(
    found: pd.DataFrame, reason: str | None, *, both_strands: bool
) -> dict[str, dict[str, Any]]:
    """How many rows of each test set have a relative in training, by identity: the content of relatives.json.

    `found` and `reason` are those of `nearest`. Test set -> `rows_at` and `shares_at` (identity in per cent, as text ->
    rows with such a relative, and their share), `test_rows`, `coverage` (least share of the test row that the alignment
    covers), `strands`, and `reason`. Where there is a reason `rows_at` and `shares_at` are None.
    """
    shares: dict[str, dict[str, Any]] = {}
    for split, rows in found.groupby("split", sort=False):
        counts = {f"{100 * one:g}": int((rows["identity"] >= one).sum()) for one in IDENTITIES}
        shares[str(split)] = {
            "rows_at": None if reason else counts,
            "shares_at": None if reason else {at: n / len(rows) for at, n in counts.items()},
            "test_rows": len(rows),
            "coverage": COVERAGE,
            "strands": "either strand" if both_strands else "the same strand",
            "reason": reason,
        }
    return shares
