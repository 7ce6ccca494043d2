"""Kinds of labels: what differs in training. `nucleotune.tasks` has them for evaluation and comparison."""

from importlib import import_module

from nucleotune.training.learner import Learner


def learner_class(kind: str) -> type[Learner]:
    """What learns a kind, `LEARNER` of its module; imported here, since the libraries behind a kind take seconds."""
    return import_module(f"{__name__}.{kind}").LEARNER
