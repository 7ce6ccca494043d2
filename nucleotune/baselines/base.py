"""What a classical method is; each describes itself in its own module."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nucleotune.baselines.fitted import Fitted, Learnt, Score


class Labelled(NamedTuple):
    """Sequences, or what else a method reads of the examples, with their labels (n,), 0 or 1.

    Of other kinds than two classes `labels` are those of `targets`.
    """

    sequences: list[str]
    labels: np.ndarray


def probability(score: np.ndarray) -> np.ndarray:
    """Decision of a method whose score is a probability."""
    return score >= 0.5


def margin(score: np.ndarray) -> np.ndarray:
    """Decision of a method whose score is a margin."""
    return score > 0


Options = Mapping[str, Any]
Made = tuple[Fitted, dict[str, Any]]


class Baseline(NamedTuple):
    """A method: `fit(train, valid, options, seed)` returns what was learnt, with its score, and an info dict.

    The score (n,) is higher for label 1; `decide` turns it into the method's own decision. `restore(learnt, threads)`
    is the score again, of what was saved.

    settings    blocks of the method file that are its options, later ones over earlier ones
    folds       whether it folds sequences: `threads` and `structures` that were folded before are also options
    one_length  whether all sequences must have one length
    column      what it reads of the examples: the sequence, or for a reference line a column of metadata
    general     `fit` for every other kind of labels, with the kind and the number of classes, labels or numbers; its
                scores are those of `targets`. None for a method of two classes alone
    threaded    whether `threads` is an option
    """

    fit: Callable[[Labelled, Labelled, Options, int], Made]
    decide: Callable[[np.ndarray], np.ndarray]
    restore: Callable[[Learnt, int], Score]
    settings: tuple[str, ...] = ()
    folds: bool = False
    one_length: bool = False
    column: str = "sequence"
    general: Callable[[Labelled, Labelled, Options, int, str, int], Made] | None = None
    threaded: bool = False

    def options(
        self, method: Mapping[str, Any], *, threads: int, structures: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """Options of `fit` from a method file."""
        found = {key: value for block in self.settings for key, value in method[block].items()}
        if self.threaded:
            return {**found, "threads": threads}
        return {**found, "threads": threads, "structures": structures} if self.folds else found


def every_kind(
    fit: Callable[[Labelled, Labelled, Options, int, str, int], Made],
    restore: Callable[[Learnt, int], Score],
    **described: Any,
) -> Baseline:
    """A method that treats two classes as any other kind; its `fit` is `general`."""
    return Baseline(
        lambda train, valid, options, seed: fit(train, valid, options, seed, "classes", 2),
        probability,
        restore,
        general=fit,
        **described,
    )
