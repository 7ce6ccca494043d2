"""Kinds of labels: what differs in training. `nucleotune.tasks` has the same kinds, for evaluation and comparison."""

from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.training.learner import Learner


class Task(ABC):
    """A network of one kind to be trained on some examples: what `fit` asks before and after the loop.

    learner     what the loop asks
    table       examples that are trained on or predicted: `id`, `sequence`, `split`, `label` (what decides the loss)
    model       the language model's dict as it is read; None for a network without one
    parameters  counts: `total`, `trainable`
    report      of `models.load.load_pretrained`, or None
    identity    what else decides the numbers; JSON values, as all that follow
    facts       for the summary
    described   for the model directory's description
    """

    learner: Learner
    table: pd.DataFrame
    model: dict[str, Any] | None
    parameters: dict[str, int]
    report: dict[str, Any] | None
    identity: dict[str, Any]
    facts: dict[str, Any]
    described: dict[str, Any]

    @abstractmethod
    def __init__(self, examples: Any, **arguments: Any) -> None:
        """Check examples and method, and build the network; all arguments are those of `fit.fit`."""

    @staticmethod
    @abstractmethod
    def read(path: str | Path) -> Any:
        """Examples of a file."""

    @staticmethod
    @abstractmethod
    def write(path: str | Path, predictions: Any) -> None:
        """Check and write predictions."""

    @abstractmethod
    def finish(self, best_loss: float) -> tuple[Any, bool]:
        """Predictions of train, valid and test sets with the weights that were kept, and whether these learnt nothing.

        Raises:
            InputError: they learnt nothing, where that is no result.
        """

    @abstractmethod
    def save(self, directory: Path, description: dict[str, Any]) -> None:
        """Write the model directory; `finish` comes before."""


def task_class(kind: str) -> type[Task]:
    """What trains a kind, `TASK` of its module; imported here, since the libraries behind a kind take seconds."""
    return import_module(f"{__name__}.{kind}").TASK
