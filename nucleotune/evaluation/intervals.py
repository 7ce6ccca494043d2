"""Bootstrap intervals of all metrics of one method on one data set.

What is drawn with replacement are groups of examples (genes, whose isoforms are much alike and so
are right or wrong together), within each class: the studies fix the class balance by design, and
AUROC is then defined in every resample. Percentile intervals. They tell how much the choice of test examples matters,
and nothing about the noise of training: for that, train with several seeds and read `seed_sd`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nucleotune.contracts import further_tests
from nucleotune.errors import InputError
from nucleotune.evaluation.metrics import METRICS, measure

#: Splits that are evaluated, and whether with intervals; further test sets (`test-<name>`) also have them.
SPLITS = {"train": False, "valid": True, "test": True}

#: Weights held at once: 2**21 float64 = 16 MiB, a few times over.
CHUNK = 2**21

Floats = NDArray[np.float64]


class Aligned(NamedTuple):
    """Predictions of one method in one split: one row per seed, one column per example (sorted by id)."""

    ids: NDArray[Any]  # (n,)
    labels: NDArray[np.bool_]  # (n,)
    scores: Floats  # (seeds, n)
    predicted: NDArray[np.bool_]  # (seeds, n)


def evaluate_predictions(
    tables: Mapping[int, pd.DataFrame],
    *,
    groups: pd.Series | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    source: str = "predictions",
) -> dict[str, Any]:
    """Metrics of one method on one data set: the content of its `metrics.json`.

    `tables` is {seed: predictions}; `groups` the group of every example, indexed by id (None: each
    example is a separate group).

    Returns {"n_test": int, "seeds": [int], "splits": {split: {metric: {value, ci_low, ci_high[,
    seed_sd]}}}, "resamples": int, "confidence": float}; the caller adds study, dataset and method.
    `splits` holds those of train, valid, test and further test sets that were predicted; the
    intervals of train are None. Raises InputError, beginning with `source`, when test was not
    predicted, the seeds do not hold the same examples, or a split holds one class only.
    """
    if not tables:
        raise InputError(
            f"{source}: no seed was predicted; expected one table of predictions per seed"
        )
    present = dict.fromkeys(split for table in tables.values() for split in table["split"].unique())
    if "test" not in present:
        raise InputError(f"{source}: no rows of split 'test'; found {', '.join(sorted(present))}")
    splits = {}
    for split in (*(name for name in SPLITS if name in present), *further_tests(present)):
        aligned = align_seeds(tables, split, source=source)
        splits[split] = evaluate(
            aligned.labels,
            aligned.scores,
            aligned.predicted,
            resamples=resamples if SPLITS.get(split, True) else 0,
            confidence=confidence,
            seed=seed,
            groups=group_codes(groups, aligned.ids, source),
            source=f"{source}: split {split!r}",
        )
        if split == "test":
            n_test = int(aligned.labels.size)
    return {
        "n_test": n_test,
        "seeds": sorted(int(key) for key in tables),
        "splits": splits,
        "resamples": resamples,
        "confidence": confidence,
    }


def unmeasured(reason: str) -> dict[str, Any]:
    """What `evaluate_predictions` would return, of a method that did not run."""
    return {"not_run": reason, "n_test": None, "seeds": [], "splits": {}}


def align_seeds(
    tables: Mapping[int, pd.DataFrame], split: str, *, source: str = "predictions"
) -> Aligned:
    """Predictions of every seed (ascending) in one split, examples sorted by id.

    Raises InputError, beginning with `source`, when two seeds differ in ids or labels, or no row is
    of that split.
    """
    parts = {
        seed: tables[seed].loc[tables[seed]["split"] == split].sort_values("id")
        for seed in sorted(tables)
    }
    first_seed, first = next(iter(parts.items()))
    ids, labels = first["id"].to_numpy(), first["label"].to_numpy()
    if not ids.size:
        raise InputError(f"{source}: seed {first_seed}: no rows of split {split!r}")
    for seed, part in parts.items():
        difference = np.setxor1d(part["id"].to_numpy(), ids)
        if difference.size or len(part) != ids.size:
            record = difference[0] if difference.size else "a repeated one"
            raise InputError(
                f"{source}: split {split!r}: seeds {first_seed} and {seed} hold different examples"
                f" ({ids.size} and {len(part)} rows; first that differs: {record!r}); expected the same in"
                " every seed: repeat the seed made from older examples"
            )
        if not np.array_equal(part["label"].to_numpy(), labels):
            record = ids[np.argmax(part["label"].to_numpy() != labels)]
            raise InputError(
                f"{source}: split {split!r}: record {record!r} has another label in seed {seed}"
                f" than in seed {first_seed}: repeat the seed made from older examples"
            )
    return Aligned(
        ids,
        labels.astype(bool),
        np.stack([part["score"].to_numpy(dtype=float) for part in parts.values()]),
        np.stack([part["predicted"].to_numpy() for part in parts.values()]).astype(bool),
    )


def group_codes(
    groups: pd.Series | None, ids: NDArray[Any], source: str
) -> NDArray[np.int64] | None:
    """Number of each example's group, in the order of `ids`; None when there are no groups.

    Raises InputError, beginning with `source`, when an id has no group.
    """
    if groups is None:
        return None
    found = groups.reindex(ids)
    if found.isna().any():
        record = found.index[found.isna()][0]
        raise InputError(
            f"{source}: record {record!r} is not among the examples: repeat predictions made from older examples"
        )
    return pd.factorize(found)[0]


def evaluate(
    labels: ArrayLike,
    scores: ArrayLike,
    predicted: ArrayLike,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
    source: str = "predictions",
) -> dict[str, dict[str, float | None]]:
    """Every metric with its bootstrap interval: {metric: {value, ci_low, ci_high}}.

    `labels` has shape (n,), `scores` and `predicted` (seeds, n) or (n,), `groups` (n,) numbers the
    groups that are drawn together (None: every example alone). With several seeds a metric is the
    mean over seeds, in each resample too (the same examples for every seed), and
    `seed_sd` is its standard deviation (n - 1) between seeds. `resamples=0` leaves the intervals
    None. `log_loss` only when all scores are in [0, 1]. Where seeds predict one class for all
    examples, every metric says of how many: `one_class`; when all do, a metric that no resample changes has no
    interval, since 0.000 to 0.000 would say that it is known exactly. Raises InputError, beginning with `source`, when
    the labels hold one class only.
    """
    y = np.asarray(labels, dtype=bool)
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    predicted = np.atleast_2d(np.asarray(predicted, dtype=bool))
    check_classes(y, source)
    per_seed = _per_seed(y, scores, predicted)
    intervals = {}
    if resamples:
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        resampled = resample_metrics(
            y, scores, predicted, resamples=resamples, seed=seed, groups=groups
        )
        intervals = {name: np.quantile(values, tails) for name, values in resampled.items()}
    one_class = int((predicted.all(axis=1) | ~predicted.any(axis=1)).sum())
    result: dict[str, dict[str, float | None]] = {}
    for name, values in per_seed.items():
        low, high = intervals[name].tolist() if resamples else (None, None)
        if one_class == len(predicted) and low == high:
            low = high = None
        result[name] = {"value": float(values.mean()), "ci_low": low, "ci_high": high}
        if one_class:
            result[name]["one_class"] = one_class
        if len(scores) > 1:
            result[name]["seed_sd"] = float(values.std(ddof=1))
    return result


def check_classes(labels: NDArray[np.bool_], source: str) -> None:
    """Raise InputError, beginning with `source`, unless both labels occur."""
    if labels.all() or not labels.any():
        raise InputError(
            f"{source}: {labels.size} examples, {int(labels.sum())} of label 1 and"
            f" {int((~labels).sum())} of label 0; both labels are needed: check the filters and the"
            " split fractions"
        )


def resample_metrics(
    labels: NDArray[np.bool_],
    scores: Floats,
    predicted: NDArray[np.bool_],
    *,
    resamples: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> dict[str, Floats]:
    """Every metric, averaged over seeds, in every resample: {metric: (resamples,)}.

    `scores` and `predicted` have shape (seeds, n). The same labels, groups and seed give the same
    resamples, so the results of two methods on the same examples are paired row by row.
    """
    chunks = [
        _per_seed(labels, scores, predicted, counts)
        for counts in _resampled_counts(labels, groups, resamples, seed)
    ]
    return {
        name: np.concatenate([chunk[name].mean(axis=0) for chunk in chunks]) for name in chunks[0]
    }


def _per_seed(
    labels: NDArray[np.bool_],
    scores: Floats,
    predicted: NDArray[np.bool_],
    weights: Floats | None = None,
) -> dict[str, Floats]:
    """{metric: (seeds, resamples)}, of the metrics that every seed has."""
    measured = [measure(labels, s, p, weights) for s, p in zip(scores, predicted, strict=True)]
    return {
        name: np.stack([values[name] for values in measured])
        for name in METRICS
        if all(name in values for values in measured)
    }


def _resampled_counts(
    labels: NDArray[np.bool_], groups: NDArray[np.int64] | None, resamples: int, seed: int
) -> Iterator[Floats]:
    """How often each example is drawn, (rows, n) at a time, drawing groups within each class."""
    groups = np.arange(labels.size) if groups is None else groups
    classes = [np.flatnonzero(labels == value) for value in (False, True)]
    generators = np.random.default_rng(seed).spawn(2)
    rows = max(1, CHUNK // labels.size)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        counts = np.empty((size, labels.size))
        for members, generator in zip(classes, generators, strict=True):
            units, unit_of_member = np.unique(groups[members], return_inverse=True)
            n = units.size
            drawn = generator.integers(0, n, size=(size, n))
            drawn += np.arange(size)[:, None] * n
            drawn = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
            counts[:, members] = drawn[:, unit_of_member]
        yield counts
