"""Kinds of labels: what differs between them in files, evaluation and comparison. Standard library only.

classes    one of two or more classes
labels     several labels of yes or no, some of which may be unknown
numbers    one or more numbers, some of which may be unknown
profiles   counts along the sequence

A kind is a module of this package with the functions

    write_examples(path, examples)                              checked; `read_examples` reads them
    write_predictions(path, predictions)                        checked; so `read_predictions(path, splits=None)`
    evaluate(examples, predictions, *, bootstrap, source)       content of metrics.json
    compare(examples, predictions, *, against, bootstrap)       content of comparison.tsv

The last two take paths: of the data set's examples, and of predictions by seed, or by method and seed; `evaluate` also
`relatives`, those of the test rows, and then judges the rows without a relative in training beside all. All kinds but
profiles also take `names` (of classes, labels or targets, by default those of the predictions' columns) and
`main_metric`; kinds with a decision of yes or no take `threshold` and `chosen_by` (see `base`).

How a kind is trained is said by the module of the same name in `nucleotune.training.kinds`, so that torch is imported
by trainings alone.
"""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

from nucleotune.evaluation import titles

KINDS = ("classes", "labels", "numbers", "profiles")


def task_of(kind: str) -> ModuleType:
    """The module of a kind; ValueError for an unknown one."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}; expected one of {', '.join(KINDS)}")
    return import_module(f"nucleotune.tasks.{kind}")


def metric_titles(kind: str, parts: int = 2) -> Mapping[str, str]:
    """Metrics that may be the main one, with their titles; `parts` is the number of classes, labels or targets."""
    if kind == "classes":
        return titles.METRICS if parts == 2 else titles.CLASS_METRICS
    return {"labels": titles.LABEL_METRICS, "numbers": titles.NUMBER_METRICS}[kind]


def compared(kind: str, parts: int = 2) -> tuple[str, ...]:
    """Metrics of comparison.tsv, the default main one first; arguments as above."""
    if kind == "classes":
        return titles.COMPARED if parts == 2 else titles.COMPARED_CLASSES
    return {"labels": titles.COMPARED_LABELS, "numbers": titles.COMPARED_NUMBERS}[kind]
