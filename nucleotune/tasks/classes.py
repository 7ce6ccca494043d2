"""Examples that belong to one of two or more classes; their files are those of `contracts`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import (
    classes_of,
    read_examples,
    read_predictions,
    write_examples,
    write_predictions,
)
from nucleotune.errors import InputError
from nucleotune.evaluation.class_metrics import confusion, many_classes
from nucleotune.evaluation.cut_off import Columns
from nucleotune.evaluation.titles import CLASS_METRICS, COMPARED, COMPARED_CLASSES, METRICS
from nucleotune.evaluation.two_classes import two_classes
from nucleotune.tasks.base import Judging, Paths, Tables, compare_kind, evaluate_kind

__all__ = [
    "compare",
    "evaluate",
    "read_examples",
    "read_predictions",
    "write_examples",
    "write_predictions",
]


def evaluate(
    examples: str | Path, predictions: Paths, *, names: Sequence[str] | None = None, **asked: Any
) -> dict[str, Any]:
    """Metrics of one method with intervals; the reason alone if it did not run. `asked` are those of `evaluate_kind`.

    `names` are those of the classes, in the order of their numbers. Of more than two classes also `parts`, by class,
    and `confusion`: {split: {seed: rows of true classes, each of how often each class was called}}.
    """
    judging = partial(_judging, names)
    return evaluate_kind(examples, predictions, read_predictions, judging, **asked)


def compare(
    examples: str | Path,
    predictions: Mapping[str, Paths],
    *,
    names: Sequence[str] | None = None,
    **asked: Any,
) -> pd.DataFrame:
    """Every method that ran against the best baseline; `asked` are the arguments of `compare_kind`."""
    judging = partial(_judging, names)
    return compare_kind(examples, predictions, read_predictions, judging, **asked)


def _judging(names: Sequence[str] | None, tables: Iterable[pd.DataFrame], source: str) -> Judging:
    classes = {classes_of(table, source) for table in tables}
    expected = min(classes, default=2) if names is None else len(names)
    if classes - {expected}:
        raise InputError(
            f"{source}: predictions of {', '.join(map(str, sorted(classes)))} classes; expected {expected}:"
            " repeat predictions made from older examples"
        )
    stated = {} if names is None else {"classes": list(names)}
    if expected == 2:
        decision = Columns("label", "score", "predicted")
        return Judging(
            two_classes, METRICS, COMPARED, {"label": decision}, True, lambda tables: stated
        )
    titles = [str(k) for k in range(expected)] if names is None else list(names)

    def split_of(tables: Tables, split: str, source: str):
        return many_classes(tables, split, source, titles)

    def states(tables: Tables) -> dict[str, Any]:
        splits = dict.fromkeys(name for table in tables.values() for name in table["split"])
        counts = {name: confusion(tables, name, expected) for name in splits if name != "pretrain"}
        return {"classes": titles, "confusion": counts}

    return Judging(split_of, CLASS_METRICS, COMPARED_CLASSES, mcnemar=True, states=states)
