"""What a baseline learns besides two classes: classes, labels of yes or no, or numbers, of which some may be unknown.

Targets are int (n,) of classes, 0 to parts - 1, and float64 (n, parts) of labels and numbers, NaN where unknown. Scores
are float64 (n, parts): probabilities of classes and labels, or the numbers. Of two classes they are P(label 1), (n,).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from sklearn.metrics import r2_score

from nucleotune.contracts import LABEL, PREDICTED, SCORE, VALUE
from nucleotune.errors import InputError

#: What the choice among options is made by, on the rows of `valid`: its name in the info.
MEASURES = {
    **dict.fromkeys(("classes", "labels"), "valid_log_likelihood"),
    "numbers": "valid_r2",
}

#: Probability that a lower one counts as.
_LEAST = 1e-15

#: Begins the column of a label or number in examples and predictions, by kind.
COLUMNS = {"labels": LABEL, "numbers": VALUE}


def targets_of(rows: pd.DataFrame, kind: str, names: Sequence[str]) -> np.ndarray:
    """Targets of examples."""
    if kind == "classes":
        return rows["label"].to_numpy(dtype=np.int64)
    columns = [COLUMNS[kind] + name for name in names]
    missing = [column for column in columns if column not in rows]
    if missing:
        raise InputError(f"examples: missing column(s) {', '.join(missing)}")
    return rows[columns].to_numpy(dtype=float, na_value=np.nan)


def counts_of(targets: np.ndarray, kind: str, names: Sequence[str]) -> dict[str, int]:
    """Rows of each class, or rows in which each label or number is known."""
    if kind == "classes":
        counts = np.bincount(targets, minlength=len(names))
        return {f"label_{k}": int(n) for k, n in enumerate(counts)}
    return dict(zip(names, (~np.isnan(targets)).sum(axis=0).tolist(), strict=True))


def table_of(scores: np.ndarray, kind: str, names: Sequence[str]) -> pd.DataFrame:
    """Columns of predictions that hold the scores and decisions, of any kind but two classes."""
    if kind == "numbers":
        return pd.DataFrame(scores, columns=[PREDICTED + name for name in names])
    if kind == "labels":
        found = {}
        for name, score in zip(names, scores.T, strict=True):
            found |= {SCORE + name: score, PREDICTED + name: (score >= 0.5).astype(np.int8)}
        return pd.DataFrame(found)
    columns = {f"{SCORE}{k}": score for k, score in enumerate(scores.T)}
    return pd.DataFrame({"predicted": scores.argmax(axis=1).astype(np.int8), **columns})


def named_table(scores: np.ndarray, kind: str, names: Sequence[str]) -> pd.DataFrame:
    """What `predict` gives, as of language models: `table_of`, with classes by their names."""
    if kind != "classes":
        return table_of(scores, kind, names)
    each = {SCORE + name: score for name, score in zip(names, scores.T, strict=True)}
    return pd.DataFrame({**each, "predicted": np.array(names, dtype=object)[scores.argmax(axis=1)]})


def linked(raw: np.ndarray, kind: str) -> np.ndarray:
    """Scores (n, parts) of the outputs of a model (n, parts)."""
    if kind == "classes":
        return softmax(raw, axis=1)
    return expit(raw) if kind == "labels" else raw


def shaped(scores: np.ndarray, kind: str) -> np.ndarray:
    """Scores (n, parts); of two classes P(label 1), (n,)."""
    return scores[:, 1] if kind == "classes" and scores.shape[1] == 2 else scores


def known(targets: np.ndarray, part: int) -> np.ndarray:
    """Rows (n,) in which a label or number is known."""
    return ~np.isnan(targets[:, part])


def quality(kind: str, targets: np.ndarray, scores: np.ndarray, method: str) -> float:
    """How good scores (n, parts) are: mean log-likelihood of classes or known labels, or mean R2 of numbers.

    More than two classes count alike, as in `linear.fit_linear`: the mean over those there of the mean over their rows.
    Not AUROC: of probabilities drawn to the commonest class it sees the order alone, and their decisions are poor.
    Raises InputError, with `method`, when the rows say nothing.
    """
    found = []
    if kind == "classes":
        found = np.log(np.maximum(scores[np.arange(len(targets)), targets], _LEAST))
        if scores.shape[1] > 2:
            found = [found[targets == k].mean() for k in np.unique(targets)]
    elif kind == "labels":
        right = np.where(targets == 1, scores, 1 - scores)[~np.isnan(targets)]
        found = np.log(np.maximum(right, _LEAST))
    else:
        for part in range(scores.shape[1]):
            rows = known(targets, part)
            if len(np.unique(targets[rows, part])) > 1:
                found.append(r2_score(targets[rows, part], scores[rows, part]))
    if not len(found):
        needed = "numbers that differ" if kind == "numbers" else f"known {kind}"
        raise InputError(
            f"{method}: choosing among several options needs rows of {needed} in split 'valid'; give a single value"
            " of each, or a split with such rows"
        )
    return float(np.mean(found))
