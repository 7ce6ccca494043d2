"""What the page of a two-class study says first: the best language model against the best baseline."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.reporting.answer import Contest, predicts_one_class
from nucleotune.reporting.performance import Described, Metrics

#: What the page says of the paired comparisons.
COMPARED = (
    "Each method against the baseline with the highest AUROC on the validation split, on the same test examples."
    " AUROC, accuracy and MCC: paired bootstrap; decisions: McNemar's exact test. Methods whose intervals"
    " contain 0 cannot be told apart from that baseline."
)


def headlines(
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """For each data set, the best language model against the best baseline.

    Both were chosen by AUROC on the validation split. `comparisons` is {dataset name:
    comparison.tsv}. Returns dicts with dataset, method, baseline (titles), auroc, baseline_auroc,
    mcc, baseline_mcc ({value, ci_low, ci_high}), n_test, seeds, and the comparison's delta_auroc,
    ci_low, ci_high, p_holm; `collapsed`, titles of those of the two that predict one class; and all
    of it as a `contest`. A data set where one of the two is missing has no entry. `bootstrap` is for
    studies that resample over data sets.
    """
    titles = {method["name"]: method["title"] for method in methods}
    models = [method["name"] for method in methods if method["kind"] == "language_model"]
    result = []
    for dataset in datasets:
        measured = metrics.get(dataset["name"], {})
        comparison = comparisons.get(dataset["name"])
        ran = [name for name in models if name in measured and "not_run" not in measured[name]]
        if not ran or comparison is None or comparison.empty:
            continue
        best = max(ran, key=lambda name: measured[name]["splits"]["valid"]["auroc"]["value"])
        test = comparison.loc[comparison["method"] == best].iloc[0]
        model, baseline = (measured[name]["splits"]["test"] for name in (best, test["against"]))
        pair = titles[best], titles[test["against"]]
        collapsed = [
            title
            for title, name in zip(pair, (best, test["against"]), strict=True)
            if predicts_one_class(measured[name])
        ]
        difference = test[["delta_auroc", "ci_low", "ci_high", "p_holm"]]
        values = model["auroc"]["value"], baseline["auroc"]["value"]
        result.append(
            {
                "dataset": dataset["title"],
                "method": pair[0],
                "baseline": pair[1],
                "auroc": model["auroc"],
                "baseline_auroc": baseline["auroc"],
                "mcc": model["mcc"],
                "baseline_mcc": baseline["mcc"],
                "n_test": measured[best]["n_test"],
                "seeds": len(measured[best]["seeds"]),
                **difference.to_dict(),
                "collapsed": collapsed,
                "contest": Contest(
                    *(dataset["title"], *pair, "AUROC", *values, *map(float, difference)),
                    collapsed=tuple(collapsed),
                ),
            }
        )
    return result
