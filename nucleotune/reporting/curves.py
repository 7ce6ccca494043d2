"""ROC curves of many methods, from their prediction files: what `figures.roc_figure` draws."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nucleotune.contracts import not_run, read_predictions
from nucleotune.evaluation.metrics import mean_roc
from nucleotune.evaluation.two_classes import align_seeds

Described = Sequence[Mapping[str, Any]]


class Panel(NamedTuple):
    """One panel: its title, and the data set and test set whose curves it shows."""

    title: str
    dataset: str
    split: str


def roc_curves(
    panels: Iterable[Panel],
    predictions: Sequence[str],
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]],
    datasets: Described,
    methods: Described,
    seeds: Sequence[int],
) -> dict[str, dict[str, tuple]]:
    """{panel title: {method title: (fpr, tpr, auroc, (ci_low, ci_high))}}; the mean curve over seeds.

    `predictions` are the paths of all data sets, methods and seeds, the last varying fastest; `metrics` is as
    `contracts.read_metrics` gives it. A method that could not run has no curve.
    """
    runs = itertools.product((d["name"] for d in datasets), (m["name"] for m in methods), seeds)
    paths = dict(zip(runs, predictions, strict=True))
    curves: dict[str, dict[str, tuple]] = {}
    for panel, method in itertools.product(panels, methods):
        name = method["name"]
        files = {seed: paths[panel.dataset, name, seed] for seed in seeds}
        shown = curves.setdefault(panel.title, {})
        if any(map(not_run, files.values())):
            continue
        tables = {
            seed: read_predictions(path, splits=[panel.split]) for seed, path in files.items()
        }
        test = align_seeds(tables, panel.split, source=f"{panel.dataset}/{name}")
        auroc = metrics[panel.dataset][name]["splits"][panel.split]["auroc"]
        interval = (auroc["ci_low"], auroc["ci_high"])
        shown[method["title"]] = (
            *mean_roc(test.labels, test.scores),
            auroc["value"],
            interval,
        )
    return curves
