"""Kinds of labels: what differs in evaluation and comparison between one of two classes and a profile along a sequence.

A kind is a module of this package with the functions

    evaluate(examples, predictions, *, bootstrap, source)       content of metrics.json
    compare(examples, predictions, *, against, bootstrap)       content of comparison.tsv

Both take paths: of the data set's examples, and of predictions by seed, or by method and seed. How a kind is trained is
said by the module of the same name in `nucleotune.training.kinds`, so that torch is imported by trainings alone.
"""

from importlib import import_module
from types import ModuleType

KINDS = ("classes", "profiles")


def task_of(kind: str) -> ModuleType:
    """The module of a kind; ValueError for an unknown one."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}; expected one of {', '.join(KINDS)}")
    return import_module(f"nucleotune.tasks.{kind}")
