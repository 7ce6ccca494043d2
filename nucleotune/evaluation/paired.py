"""Is a method better than the best baseline? Paired tests on the same test examples.

The baseline to beat is chosen on the validation split by the main metric, so the test examples choose nothing. The
differences of some metrics are bootstrapped pairwise; decisions are compared by McNemar's exact test.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nucleotune.errors import InputError
from nucleotune.evaluation.resampling import (
    WHOLE,
    Floats,
    Key,
    Split,
    check_same_examples,
    group_codes,
    interval,
    resample,
)
from nucleotune.evaluation.titles import COMPARED, LESS_IS_BETTER
from nucleotune.evaluation.two_classes import check_classes, split_of

Tables = Mapping[int, pd.DataFrame]

#: Note of the rows of pairs.
PAIRED = "the same network with and without pre-training"


def comparison_columns(metrics: Sequence[str], decisions: bool = True) -> tuple[str, ...]:
    """Columns of comparison.tsv for the metrics compared, the main one first; `decisions`: with McNemar's test."""
    main, *further = metrics
    columns = ["method", "against", f"delta_{main}", "ci_low", "ci_high", "p", "p_holm"]
    for name in further:
        columns += [f"delta_{name}", *(f"{name}_{what}" for what in ("ci_low", "ci_high", "p"))]
    return (*columns, *(["mcnemar_p"] if decisions else []), "note")


def compare_splits(
    predictions: Mapping[str, Tables],
    baselines: Sequence[str],
    split_of: Callable[[Tables, str, str], Split],
    *,
    metrics: Sequence[str],
    titles: Mapping[str, str],
    decisions: bool = True,
    pairs: Sequence[tuple[str, str]] = (),
    groups: pd.Series | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Every method against the best baseline, on the test examples of one data set.

    `predictions` is {method: {seed: predictions}}; `baselines` names those methods that may be the one to beat;
    `split_of` makes the Split of a method's tables, a split's name and the source for messages; `metrics` are those
    compared, the main one first; `groups` is the group of every example by id, as in `resampling`. One row per method
    but the best baseline itself, with the columns of `comparison_columns`; a difference is method minus baseline, also
    where less is better; `p_holm` is `p` (of the main metric) after Holm's correction over the rows. What is undefined
    for one of the two is NaN, and the note says why. No such rows when there is no baseline. One more row follows for
    each of `pairs`, (method, against), whose p values are corrected among themselves. McNemar's test (`decisions`)
    takes examples one by one. Raises InputError when a baseline has no predictions, none has the main metric on the
    validation split, or methods were not tested on the same examples.
    """
    unknown = [name for name in baselines if name not in predictions]
    if unknown:
        raise InputError(f"baseline(s) without predictions: {', '.join(unknown)}")
    columns = list(comparison_columns(metrics, decisions))
    main = metrics[0]
    families: dict[str, Sequence[tuple[str, str]]] = {PAIRED: pairs} if pairs else {}
    if baselines:
        validation = {
            name: {main: {"value": _mean(split_of(predictions[name], "valid", name), main)}}
            for name in baselines
        }
        best = best_baseline(validation, main)
        reached = validation[best][main]["value"]
        chosen = f"best baseline by validation {titles[main]} ({reached:.3f})"
        families = {chosen: [(name, best) for name in predictions if name != best], **families}
    if not families:
        return pd.DataFrame(columns=columns)
    tests = {name: split_of(tables, "test", name) for name, tables in predictions.items()}
    first = best if baselines else next(iter(tests))
    for name, test in tests.items():
        check_same_examples(first, tests[first], name, test)
    codes = group_codes(groups, tests[first].ids, first)
    resampled = {
        name: resample(test, resamples=resamples, seed=seed, groups=codes)
        for name, test in tests.items()
    }
    rows = []
    for note, family in families.items():
        found = []
        for name, other in family:
            pair = (tests[name], tests[other])
            result = _difference(pair, (resampled[name], resampled[other]), metrics, confidence)
            notes = [note]
            if decisions:
                result["mcnemar_p"] = _mcnemar(*pair)
                if len(predictions[name]) > 1 or len(predictions[other]) > 1:
                    seeds = [min(predictions[key]) for key in (name, other)]
                    notes.append(f"McNemar on seeds {seeds[0]} and {seeds[1]}")
            if not np.isfinite(result[f"delta_{main}"]):
                one = next(one for one in pair if not np.isfinite(_mean(one, main)))
                why = one.reasons.get((WHOLE, main), "undefined on the test rows")
                notes.append(f"{titles[main]}: {why}")
            found.append({"method": name, "against": other, **result, "note": "; ".join(notes)})
        p = np.array([one["p"] for one in found], dtype=float)
        known = np.isfinite(p)
        p[known] = holm(p[known])
        rows += [one | {"p_holm": value} for one, value in zip(found, p, strict=True)]
    return pd.DataFrame(rows, columns=columns)


def compare(
    labels: ArrayLike,
    method: tuple[ArrayLike, ArrayLike],
    other: tuple[ArrayLike, ArrayLike],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, float]:
    """One method against another on the same examples; a difference is method minus other.

    `labels` has shape (n,); `method` and `other` are (scores, predicted), each (seeds, n) or (n,),
    not necessarily of as many seeds: metrics are averaged over seeds. Returns delta_auroc, ci_low,
    ci_high, p, the same of accuracy and of mcc (delta_mcc, mcc_ci_low, ...), and mcnemar_p (on the
    decisions of each one's first seed, since the test is about one decision an example). Raises
    InputError when the labels hold one class only.

    A bootstrap p is twice the smaller share of resampled differences on the far side of zero,
    counting one more resample so that it is never 0 (Davison and Hinkley 1997, chapter 4); it is
    at least 2 / (resamples + 1).
    """
    check_classes(np.asarray(labels, dtype=bool), "labels")
    pair = split_of(labels, *method), split_of(labels, *other)
    first, second = (resample(one, resamples=resamples, seed=seed) for one in pair)
    result = _difference(pair, (first, second), COMPARED, confidence)
    return {**result, "mcnemar_p": _mcnemar(*pair)}


def best_baseline(
    validation: Mapping[str, Mapping[str, Mapping[str, Any]]], main: str = "auroc"
) -> str:
    """The baseline whose main metric on the validation split is best; the first one on a tie.

    `validation` is {baseline: metrics of its valid split, as in metrics.json}; those without a value (None or NaN) are
    left out. Raises InputError when there is none.
    """
    if not validation:
        raise InputError(
            "no baseline was evaluated on the validation split; configure at least one"
        )
    values = {name: found[main]["value"] for name, found in validation.items()}
    values = {name: one for name, one in values.items() if one is not None and np.isfinite(one)}
    if not values:
        raise InputError(
            f"no baseline has metric {main!r} on the validation split ({', '.join(validation)}): choose another main"
            " metric, or baselines that have it"
        )
    choose = min if main in LESS_IS_BETTER else max
    return choose(values, key=lambda name: values[name])


def holm(p: ArrayLike) -> Floats:
    """P values after Holm's step-down correction (Holm 1979), shape (m,), in the order given."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def _difference(
    pair: tuple[Split, Split],
    resampled: tuple[Mapping[Key, Floats], Mapping[Key, Floats]],
    metrics: Sequence[str],
    confidence: float,
) -> dict[str, float]:
    result: dict[str, float] = {}
    for metric in metrics:
        prefix = "" if metric == metrics[0] else f"{metric}_"
        delta = _mean(pair[0], metric) - _mean(pair[1], metric)
        drawn = resampled[0][WHOLE, metric] - resampled[1][WHOLE, metric]
        low, high, _ = interval(drawn, confidence)
        drawn = drawn[np.isfinite(drawn)]
        tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
        p = min(1.0, 2 * float(tail + 1) / (drawn.size + 1)) if low is not None else np.nan
        result[f"delta_{metric}"] = delta
        result[f"{prefix}ci_low"] = np.nan if low is None else low
        result[f"{prefix}ci_high"] = np.nan if high is None else high
        result[f"{prefix}p"] = p
    return result


def _mcnemar(method: Split, other: Split) -> float:
    """McNemar's exact test on the decisions of each one's first seed."""
    right, other_right = method.right[0], other.right[0]
    only_method = int((right & ~other_right).sum())
    discordant = int((right != other_right).sum())
    from scipy.stats import binomtest  # takes a second, and tables need none of it

    return float(binomtest(only_method, discordant).pvalue) if discordant else 1.0


def _mean(split: Split, metric: str) -> float:
    """A metric on the examples as they are, averaged over seeds."""
    return float(np.mean([measure(None)[WHOLE, metric][0] for measure in split.measures]))
