"""Test rows with relatives in training: what a random split hides, counted for the data card of any study."""

import logging
import os
from typing import Any

import pandas as pd

from nucleotune.errors import InputError
from nucleotune.sequence.similarity import COVERAGE, missing, relatives
from nucleotune.studies.leaks import TRAINING

log = logging.getLogger(__name__)

#: Identities at which test rows with a relative are counted.
IDENTITIES = (0.5, 0.7, 0.9)
#: Threads of the search where the caller names no number.
MOST_THREADS = 4


def related_shares(
    examples: pd.DataFrame,
    *,
    both_strands: bool = True,
    test: str = "test",
    threads: int | None = None,
    memory_gb: float = 2,
) -> dict[str, Any]:
    """How many test rows have a relative in training, by identity: key `related` of a data card.

    examples: columns `sequence` and `split`. test: the part that is looked at, perhaps `test-<name>`. Returned:
    `rows_at` and `shares_at` (identity in per cent, as text -> rows of the test part with such a relative, and their
    share), `test_rows`, `coverage` (least share of the test row that the alignment covers), `strands`, and `reason`.
    Where they cannot be counted `rows_at` and `shares_at` are None, and `reason` says why.
    """
    asked = {
        "test_rows": int((examples["split"] == test).sum()),
        "coverage": COVERAGE,
        "strands": "either strand" if both_strands else "the same strand",
    }
    rows, others = (
        examples.loc[examples["split"].isin(of), "sequence"].tolist() for of in ((test,), TRAINING)
    )
    reason = missing() if rows and others else "no rows in training, or none in the test split"
    identity = None
    if reason is None:
        try:
            identity = relatives(
                rows,
                others,
                least=min(IDENTITIES),
                both_strands=both_strands,
                threads=threads or min(MOST_THREADS, os.cpu_count() or 1),
                memory_gb=memory_gb,
            )
        except InputError as error:  # the audit is no reason to have no examples
            reason = str(error)
    if identity is None:
        log.warning("relatives of test rows in training were not counted: %s", reason)
        return {"rows_at": None, "shares_at": None, **asked, "reason": reason}
    counts = {f"{100 * least:g}": int((identity >= least).sum()) for least in IDENTITIES}
    shares = {least: n / len(rows) for least, n in counts.items()}
    return {"rows_at": counts, "shares_at": shares, **asked, "reason": None}
