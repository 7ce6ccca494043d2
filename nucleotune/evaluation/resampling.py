"""What the evaluation of every kind of label shares: resamples, values with their intervals, metrics by split.

A kind says what one split of one method's predictions is, a `Split`; all else is here. What is drawn with replacement
are groups of examples (genes, whose isoforms are much alike and so are right or wrong together), within each stratum:
the classes, where there are some. Percentile intervals. They tell how much the choice of test examples matters, and
nothing about the noise of training: for that, train with several seeds and read `seed_sd`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nucleotune.contracts import further_tests
from nucleotune.errors import InputError
from nucleotune.evaluation.titles import BIASED

#: Splits that are evaluated, and whether with intervals; further test sets (`test-<name>`) also have them.
SPLITS = {"train": False, "valid": True, "test": True}

#: Weights held at once: 2**21 float64 = 16 MiB, a few times over.
CHUNK = 2**21

#: Share of resamples in which a metric must be defined for an interval.
DEFINED = 0.9

#: The part of the keys of metrics that are about all classes, labels or targets together.
WHOLE = ""

Floats = NDArray[np.float64]
#: Part (a class, a label, a target, or WHOLE) and metric.
Key = tuple[str, str]
#: Of weights (resamples, n), or None for every example once: each metric (resamples,), NaN where it is undefined.
Measure = Callable[[Floats | None], dict[Key, Floats]]


class Split(NamedTuple):
    """Predictions of one method in one split, n examples sorted by id.

    ids       (n,)
    truth     what is known of them, (n,) or (n, parts), NaN where it is not
    strata    (n,), drawn within each value; None: all together
    measures  one per seed, seeds ascending
    flags     {part: {flag: number of seeds}}: seeds that predict `one_class`, or a `constant`
    reasons   {(part, metric): why it is undefined}; the whole speaks for its parts where they have no own
    sizes     {part: {what: number of examples}}
    right     bool (seeds, n), where an example is right or wrong as a whole
    """

    ids: NDArray[Any]
    truth: NDArray[Any]
    strata: NDArray[Any] | None
    measures: Sequence[Measure]
    flags: Mapping[str, Mapping[str, int]] = {}
    reasons: Mapping[Key, str] = {}
    sizes: Mapping[str, Mapping[str, int]] = {}
    right: NDArray[np.bool_] | None = None


def evaluate_splits(
    tables: Mapping[int, pd.DataFrame],
    split_of: Callable[[str], Split],
    *,
    groups: pd.Series | None,
    resamples: int,
    confidence: float,
    seed: int,
    source: str,
) -> dict[str, Any]:
    """Metrics of one method on one data set: what its `metrics.json` has whatever the kind.

    `tables` is {seed: predictions}, `split_of` makes the `Split` of a name, `groups` the group of every example by id.

    Returns {"n_test": int, "seeds": [int], "splits": {split: {metric: entry}}, "resamples": int, "confidence": float},
    and where there are parts "parts": {split: {part: {"n": int, metric: entry}}}; entries as in `judge`.
    `splits` holds those of train, valid, test and further test sets that were predicted; train has no intervals.
    Raises InputError, beginning with `source`, when test was not predicted.
    """
    if not tables:
        raise InputError(
            f"{source}: no seed was predicted; expected one table of predictions per seed"
        )
    present = dict.fromkeys(split for table in tables.values() for split in table["split"].unique())
    if "test" not in present:
        raise InputError(f"{source}: no rows of split 'test'; found {', '.join(sorted(present))}")
    splits, parts = {}, {}
    for name in (*(name for name in SPLITS if name in present), *further_tests(present)):
        split = split_of(name)
        judged = judge(
            split,
            resamples=resamples if SPLITS.get(name, True) else 0,
            confidence=confidence,
            seed=seed,
            groups=group_codes(groups, split.ids, source),
        )
        splits[name] = judged.pop(WHOLE)
        parts[name] = {
            part: {**split.sizes.get(part, {}), **found} for part, found in judged.items()
        }
        if name == "test":
            n_test = int(split.ids.size)
    return {
        "n_test": n_test,
        "seeds": sorted(int(key) for key in tables),
        "splits": splits,
        **({"parts": parts} if any(parts.values()) else {}),
        "resamples": resamples,
        "confidence": confidence,
    }


def unmeasured(reason: str) -> dict[str, Any]:
    """What `evaluate_splits` would return, of a method that did not run."""
    return {"not_run": reason, "n_test": None, "seeds": [], "splits": {}}


def judge(
    split: Split,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Every metric with its interval: {part: {metric: {value, ci_low, ci_high[, one_class, constant, seed_sd]}}}.

    With several seeds a metric is the mean over them, in each resample too (the same examples for every seed), and
    `seed_sd` its standard deviation (n - 1) between seeds. `resamples=0` leaves the intervals None. A metric that is
    undefined in a seed is {value: None, ci_low: None, ci_high: None, reason}; one that is undefined in more than a
    tenth of the resamples has no interval, and the reason. Where seeds predict one class, or one number, for all
    examples, every metric says of how many; when all do, a metric that no resample changes has no interval, since 0.000
    to 0.000 would say that it is known exactly. Of `BIASED` metrics the interval is that of the resamples moved to have
    the value as their mean, and not below 0.
    """
    each = [measure(None) for measure in split.measures]
    drawn = resample(split, resamples=resamples, seed=seed, groups=groups) if resamples else {}
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for key in each[0]:
        part, metric = key
        values = np.concatenate([one[key] for one in each])
        if metric in BIASED and key in drawn:
            drawn[key] = (values.mean() + drawn[key] - drawn[key].mean()).clip(0)
        result.setdefault(part, {})[metric] = _entry(
            values,
            drawn.get(key),
            confidence,
            split.flags.get(part, {}),
            split.reasons.get(key) or split.reasons.get((WHOLE, metric), "undefined on these rows"),
        )
    return result


def _entry(
    values: Floats,
    drawn: Floats | None,
    confidence: float,
    flags: Mapping[str, int],
    reason: str,
) -> dict[str, Any]:
    if not np.isfinite(values).all():
        return {"value": None, "ci_low": None, "ci_high": None, "reason": reason}
    low = high = unsure = None
    if drawn is not None:
        low, high, unsure = interval(drawn, confidence)
    if low == high and max(flags.values(), default=0) == values.size:
        low = high = None
    entry = {"value": float(values.mean()), "ci_low": low, "ci_high": high, **flags}
    if values.size > 1:
        entry["seed_sd"] = float(values.std(ddof=1))
    return entry | ({"reason": unsure} if unsure else {})


def interval(drawn: Floats, confidence: float) -> tuple[float | None, float | None, str | None]:
    """Percentile interval of a metric in all resamples (resamples,), and why there is none."""
    defined = drawn[np.isfinite(drawn)]
    if defined.size < DEFINED * drawn.size:
        return None, None, f"defined in {defined.size} of {drawn.size} resamples: no interval"
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return low, high, None


def resample(
    split: Split,
    *,
    resamples: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> dict[Key, Floats]:
    """Every metric, averaged over seeds, in every resample: {key: (resamples,)}.

    The same strata, groups and seed give the same resamples, so the results of two methods on the same examples are
    paired row by row.
    """
    strata = np.zeros(split.ids.size, dtype=bool) if split.strata is None else split.strata
    chunks = []
    for counts in draw(strata, groups, resamples, seed):
        each = [measure(counts) for measure in split.measures]
        chunks.append({key: np.stack([one[key] for one in each]).mean(axis=0) for key in each[0]})
    return {key: np.concatenate([chunk[key] for chunk in chunks]) for key in chunks[0]}


def draw(
    strata: NDArray[Any], groups: NDArray[np.int64] | None, resamples: int, seed: int
) -> Iterator[Floats]:
    """How often each example is drawn, (rows, n) at a time, drawing groups within each stratum."""
    groups = np.arange(strata.size) if groups is None else groups
    members = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    generators = np.random.default_rng(seed).spawn(len(members))
    rows = max(1, CHUNK // strata.size)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        counts = np.empty((size, strata.size))
        for own, generator in zip(members, generators, strict=True):
            units, unit_of_member = np.unique(groups[own], return_inverse=True)
            n = units.size
            drawn = generator.integers(0, n, size=(size, n))
            drawn += np.arange(size)[:, None] * n
            drawn = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
            counts[:, own] = drawn[:, unit_of_member]
        yield counts


def align(
    tables: Mapping[int, pd.DataFrame], split: str, truth: Sequence[str], source: str
) -> list[pd.DataFrame]:
    """Predictions of every seed (ascending) in one split, examples sorted by id; `truth` names what seeds share.

    Raises InputError, beginning with `source`, when two seeds differ in ids or in the columns `truth`, or no row is of
    that split.
    """
    parts = {
        seed: tables[seed].loc[tables[seed]["split"] == split].sort_values("id")
        for seed in sorted(tables)
    }
    first_seed, first = next(iter(parts.items()))
    ids, known = first["id"].to_numpy(), first[list(truth)]
    if not ids.size:
        raise InputError(f"{source}: seed {first_seed}: no rows of split {split!r}")
    for seed, part in parts.items():
        difference = np.setxor1d(part["id"].to_numpy(), ids)
        if difference.size or len(part) != ids.size:
            record = difference[0] if difference.size else "a repeated one"
            raise InputError(
                f"{source}: split {split!r}: seeds {first_seed} and {seed} hold different examples"
                f" ({ids.size} and {len(part)} rows; first that differs: {record!r}); expected"
                " the same in every seed: repeat the seed made from older examples"
            )
        differs = _differ(part[list(truth)].to_numpy(float), known.to_numpy(float))
        if differs.any():
            record = ids[np.argmax(differs)]
            raise InputError(
                f"{source}: split {split!r}: record {record!r} has another label in seed {seed}"
                f" than in seed {first_seed}: repeat the seed made from older examples"
            )
    return list(parts.values())


def check_same_examples(best: str, expected: Split, name: str, found: Split) -> None:
    """Raise InputError unless two methods were tested on the same examples, of which the same is known."""
    difference = np.setxor1d(expected.ids, found.ids)
    if difference.size:
        raise InputError(
            f"methods {best!r} and {name!r} were tested on different examples"
            f" ({expected.ids.size} and {found.ids.size}; first that only one has:"
            f" {difference[0]!r}); every method must predict every test example:"
            " rerun the one made from older examples"
        )
    differs = _differ(*(np.asarray(one.truth, dtype=float) for one in (found, expected)))
    if differs.any():
        record = expected.ids[np.argmax(differs)]
        raise InputError(f"methods {best!r} and {name!r} have different labels for {record!r}")


def _differ(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Whether rows differ, (n,); what is unknown in both does not."""
    differs = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return differs.reshape(len(one), -1).any(axis=1)


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
            f"{source}: record {record!r} is not among the examples: repeat predictions"
            " made from older examples"
        )
    return pd.factorize(found)[0]
