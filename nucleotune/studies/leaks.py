"""What training and test examples share: groups (genes, places), places that overlap, sequences and words of them.

A count that cannot be made is None, never 0: no row of training, or none of test, whose gene or place is known.
"""

import logging
from collections.abc import Callable
from typing import Any

import pandas as pd

from nucleotune.contracts import SPLITS
from nucleotune.sequence.labelled import shown
from nucleotune.sequence.shared import WORD, canonical, sharing_word

log = logging.getLogger(__name__)

#: Parts that a method learns from.
TRAINING = ("pretrain", "train")


def leakage(
    splits: pd.Series, groups: pd.Series, known: pd.Series | None = None
) -> dict[str, float | int | None]:
    """How many groups (genes) are on both sides of the train/test border.

    known: whether the group of each row is known (None: of all); other rows are not looked at. Returns `genes_shared`
    (genes with rows in test and in pretrain or train), `test_rows_with_gene_in_training` and their `share` of the test
    rows.
    """
    known = pd.Series(True, index=groups.index) if known is None else known
    training, test = (groups[known & splits.isin(of)] for of in (TRAINING, ("test",)))
    if training.empty or test.empty:
        return dict.fromkeys(("genes_shared", "test_rows_with_gene_in_training", "share"))
    leaked = test.isin(set(training))
    return {
        "genes_shared": int(test[leaked].nunique()),
        "test_rows_with_gene_in_training": int(leaked.sum()),
        "share": float(leaked.mean()),
    }


def overlaps(
    examples: pd.DataFrame,
    known: pd.Series,
    count: Callable[[pd.DataFrame, pd.DataFrame], int],
) -> int | None:
    """Test rows that overlap one of training, by `count` (test rows, training rows) of those whose place is `known`."""
    training, test = (examples[known & examples["split"].isin(of)] for of in (TRAINING, ("test",)))
    return None if training.empty or test.empty else count(test, training)


def shared_sequences(examples: pd.DataFrame, *, both_strands: bool) -> dict[str, Any]:
    """Sequences and words that test rows share with training: keys of a card's `leakage`.

    `test_rows_with_sequence_in_training`: the very same sequence. `test_rows_with_word_in_training`: WORD nucleotides
    in a row that are also in training (`sequence.shared.sharing_word`). Both on either strand where `both_strands`.
    """
    same = canonical(examples["sequence"], both_strands)
    training, test = (examples["split"].isin(of) for of in (TRAINING, ("test",)))
    words = sharing_word(
        *(examples.loc[part, "sequence"].tolist() for part in (test, training)),
        both_strands=both_strands,
    )
    return {
        "test_rows_with_sequence_in_training": int(same[test].isin(set(same[training])).sum()),
        "test_rows_with_word_in_training": int(words.sum()),
        "test_rows": int(test.sum()),
        "word": WORD,
        "strands": "either strand" if both_strands else "the same strand",
    }


def identical(examples: pd.DataFrame, *, both_strands: bool) -> dict[str, int]:
    """Identical sequences of a data set, further test sets left out: a card's `identical`.

    `rows`: those whose sequence another row also has. `in_one_part`, `across_parts`: sequences that several rows of a
    part have, and that rows of several parts have. `in_both_classes`: sequences that rows of both classes have, so that
    no method can get them all right; the log also says so. Not there where rows have no label.
    """
    whole = examples[examples["split"].isin(SPLITS)]
    same = canonical(whole["sequence"], both_strands).rename("same")
    table = whole[[name for name in ("split", "label") if name in whole]].assign(same=same)
    table = table[table["same"].duplicated(keep=False)]
    by_part = table.groupby(["same", "split"]).size()
    by_sequence = table.groupby("same")
    counts = {
        "rows": len(table),
        "in_one_part": int((by_part > 1).groupby("same").any().sum()),
        "across_parts": int((by_sequence["split"].nunique() > 1).sum()),
    }
    if "label" in table:
        both = by_sequence["label"].nunique() > 1
        counts["in_both_classes"] = int(both.sum())
        if both.any():
            log.warning(
                "%d sequences are in both classes, such as %s; no method can tell these apart: if it is a"
                " mistake, remove one of the rows",
                *(int(both.sum()), shown(whole["sequence"][same == both.idxmax()].iloc[0])),
            )
    return counts
