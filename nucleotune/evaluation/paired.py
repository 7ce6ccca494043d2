"""Is a method better than the best baseline? Paired tests on the same test examples.

The baseline to beat is chosen on the validation split, so the test examples choose nothing. The
differences of AUROC, accuracy and MCC are bootstrapped pairwise; the decisions are compared by
McNemar's exact test.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from nucleotune.errors import InputError
from nucleotune.evaluation.intervals import (
    Aligned,
    align_seeds,
    check_classes,
    group_codes,
    resample_metrics,
)
from nucleotune.evaluation.metrics import measure

COMPARISON_COLUMNS = (
    "method",
    "against",
    "delta_auroc",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "delta_accuracy",
    "accuracy_ci_low",
    "accuracy_ci_high",
    "accuracy_p",
    "delta_mcc",
    "mcc_ci_low",
    "mcc_ci_high",
    "mcc_p",
    "mcnemar_p",
    "note",
)

Floats = NDArray[np.float64]


def compare_methods(
    predictions: Mapping[str, Mapping[int, pd.DataFrame]],
    baselines: Sequence[str],
    *,
    groups: pd.Series | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Every method against the best baseline, on the test examples of one data set.

    `predictions` is {method: {seed: predictions}}; `baselines` names those methods that may be the
    one to beat; `groups` is the group of every example by id, as in `intervals`. One row per method
    but the best baseline itself, with COMPARISON_COLUMNS; a difference is method minus baseline;
    `p_holm` is `p` (of AUROC) after Holm's correction over the rows. No rows when there is no
    baseline. McNemar's test takes examples one by one. Raises InputError when a baseline has no
    predictions or methods were not tested on the same examples.
    """
    unknown = [name for name in baselines if name not in predictions]
    if unknown:
        raise InputError(f"baseline(s) without predictions: {', '.join(unknown)}")
    if not baselines:
        return pd.DataFrame(columns=list(COMPARISON_COLUMNS))
    best, validation_auroc = _best_on_validation(predictions, baselines)
    tests = {name: align_seeds(tables, "test", source=name) for name, tables in predictions.items()}
    for name, test in tests.items():
        _check_same_examples(best, tests[best], name, test)
    labels = tests[best].labels
    check_classes(labels, f"{best}: split 'test'")
    codes = group_codes(groups, tests[best].ids, best)
    resampled = {
        name: resample_metrics(
            labels, test.scores, test.predicted, resamples=resamples, seed=seed, groups=codes
        )
        for name, test in tests.items()
    }
    chosen = f"best baseline by validation AUROC ({validation_auroc:.3f})"
    rows = []
    for name in (name for name in predictions if name != best):
        result = _difference(
            labels, tests[name], tests[best], resampled[name], resampled[best], confidence
        )
        seeds = [min(predictions[key]) for key in (name, best)]
        several = len(predictions[name]) > 1 or len(predictions[best]) > 1
        note = f"{chosen}; McNemar on seeds {seeds[0]} and {seeds[1]}" if several else chosen
        rows.append({"method": name, "against": best, **result, "note": note})
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    return table


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
    y = np.asarray(labels, dtype=bool)
    check_classes(y, "labels")
    pair, resampled = [], []
    for scores, predicted in (method, other):
        one = Aligned(
            np.arange(y.size),
            y,
            np.atleast_2d(np.asarray(scores, dtype=float)),
            np.atleast_2d(np.asarray(predicted, dtype=bool)),
        )
        pair.append(one)
        resampled.append(
            resample_metrics(y, one.scores, one.predicted, resamples=resamples, seed=seed)
        )
    return _difference(y, *pair, *resampled, confidence)


def best_baseline(validation: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The baseline of highest validation AUROC; the first one on a tie.

    `validation` is {baseline: metrics of its valid split, as in metrics.json}. Raises InputError
    when it is empty.
    """
    if not validation:
        raise InputError(
            "no baseline was evaluated on the validation split; configure at least one"
        )
    return max(validation, key=lambda name: validation[name]["auroc"]["value"])


def holm(p: ArrayLike) -> Floats:
    """P values after Holm's step-down correction (Holm 1979), shape (m,), in the order given."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def _best_on_validation(
    predictions: Mapping[str, Mapping[int, pd.DataFrame]], baselines: Sequence[str]
) -> tuple[str, float]:
    validation = {}
    for name in baselines:
        part = align_seeds(predictions[name], "valid", source=name)
        check_classes(part.labels, f"{name}: split 'valid'")
        validation[name] = {"auroc": {"value": _mean(part, "auroc")}}
    best = best_baseline(validation)
    return best, validation[best]["auroc"]["value"]


def _check_same_examples(best: str, expected: Aligned, name: str, found: Aligned) -> None:
    difference = np.setxor1d(expected.ids, found.ids)
    if difference.size:
        raise InputError(
            f"methods {best!r} and {name!r} were tested on different examples"
            f" ({expected.ids.size} and {found.ids.size}; first that only one has:"
            f" {difference[0]!r}); every method must predict every test example: rerun the one made from older examples"
        )
    if not np.array_equal(expected.labels, found.labels):
        record = expected.ids[np.argmax(expected.labels != found.labels)]
        raise InputError(f"methods {best!r} and {name!r} have different labels for {record!r}")


def _difference(
    labels: NDArray[np.bool_],
    method: Aligned,
    other: Aligned,
    resampled_method: Mapping[str, Floats],
    resampled_other: Mapping[str, Floats],
    confidence: float,
) -> dict[str, float]:
    result: dict[str, float] = {}
    for metric, prefix in (("auroc", ""), ("accuracy", "accuracy_"), ("mcc", "mcc_")):
        differences = resampled_method[metric] - resampled_other[metric]
        low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
        tail = min((differences <= 0).sum(), (differences >= 0).sum())
        result[f"delta_{metric}"] = _mean(method, metric) - _mean(other, metric)
        result[f"{prefix}ci_low"], result[f"{prefix}ci_high"] = float(low), float(high)
        result[f"{prefix}p"] = min(1.0, 2 * float(tail + 1) / (differences.size + 1))
    right, other_right = method.predicted[0] == labels, other.predicted[0] == labels
    only_method = int((right & ~other_right).sum())
    discordant = int((right != other_right).sum())
    result["mcnemar_p"] = float(binomtest(only_method, discordant).pvalue) if discordant else 1.0
    return result


def _mean(part: Aligned, metric: str) -> float:
    """A metric on the examples as they are, averaged over seeds."""
    values = [
        measure(part.labels, scores, predicted)[metric][0]
        for scores, predicted in zip(part.scores, part.predicted, strict=True)
    ]
    return float(np.mean(values))
