"""What pre-training is worth: models against the same networks trained from random weights, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from nucleotune.evaluation.titles import ALL_METRICS, LESS_IS_BETTER
from nucleotune.reporting.answer import AHEAD, BEHIND, MOST, UNDECIDED, verdict
from nucleotune.reporting.performance import Described


class Worth(NamedTuple):
    """What a method (title) gains of a metric (title) on a data set (title) over itself without pre-training.

    `verdict` is of `answer.verdict`.
    """

    where: str
    method: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    verdict: str


def pretraining(
    comparisons: Mapping[str, pd.DataFrame], datasets: Described, methods: Described
) -> str:
    """A sentence on all pairs of comparison.tsv, by data set; empty where there are none."""
    found = list(_pairs(comparisons, datasets, methods))
    if not found:
        return ""
    if len(found) <= MOST:
        return " ".join(map(_one, found))
    counts = Counter(one.verdict for one in found)
    told = {AHEAD: "better", BEHIND: "worse", UNDECIDED: UNDECIDED}
    differences = [one.difference for one in found]
    return (
        f"Pre-training, in {len(found)} comparisons of a model with the same network from random weights:"
        f" {', '.join(f'{name} in {counts[key]}' for key, name in told.items() if counts[key])}; difference of"
        f" {found[0].metric} {min(differences):+.3f} to {max(differences):+.3f}."
    )


def _pairs(
    comparisons: Mapping[str, pd.DataFrame], datasets: Described, methods: Described
) -> Iterable[Worth]:
    titles = {method["name"]: method["title"] for method in methods}
    controls = [method["name"] for method in methods if method["kind"] == "control"]
    for dataset in datasets:
        table = comparisons.get(dataset["name"])
        if table is None or not controls:
            continue
        delta = next(column for column in table if column.startswith("delta_"))
        metric = delta.removeprefix("delta_")
        for row in table[table["against"].isin(controls) & table[delta].notna()].to_dict("records"):
            better = -row[delta] if metric in LESS_IS_BETTER else row[delta]
            yield Worth(
                *(dataset["title"], titles[row["method"]], ALL_METRICS[metric]),
                *(row[key] for key in (delta, "ci_low", "ci_high", "p_holm")),
                verdict(better, row["p_holm"]),
            )


def _one(worth: Worth) -> str:
    said = {
        AHEAD: "it helps",
        BEHIND: "it harms",
        UNDECIDED: UNDECIDED,
    }[worth.verdict]
    return (
        f"{worth.where}: pre-training is worth {worth.difference:+.3f} of {worth.metric}"
        f" ({worth.low:+.3f} to {worth.high:+.3f}, p = {worth.p:.2g}) to {worth.method}: {said}."
    )
