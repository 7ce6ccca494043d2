"""What the page of a study says first: the best language model against the best baseline."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.evaluation.titles import ALL_METRICS, LESS_IS_BETTER
from nucleotune.reporting.answer import Contest, main_metric, predicts_one_class
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

    Both were chosen by the main metric (AUROC, if metrics.json names no other) on the validation split. `comparisons`
    is {dataset name: comparison.tsv}. Returns dicts with dataset, method, baseline (titles), `main` (the metric's
    name) and its title, auroc, baseline_auroc or those of another main metric, mcc, baseline_mcc where there are
    these ({value, ci_low, ci_high}), n_test, seeds, and the comparison's delta_auroc, ci_low, ci_high, p_holm;
    `collapsed`, titles of those of the two that predict one class; and all of it as a `contest`. A data set where one
    of the two is missing, or its main metric is undefined, has no entry. `bootstrap` is for studies that resample
    over data sets.
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
        main = main_metric(measured[ran[0]])
        chosen = {name: measured[name]["splits"]["valid"][main]["value"] for name in ran}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if not chosen:
            continue
        best = (min if main in LESS_IS_BETTER else max)(chosen, key=lambda name: chosen[name])
        test = comparison.loc[comparison["method"] == best].iloc[0]
        model, baseline = (measured[name]["splits"]["test"] for name in (best, test["against"]))
        delta = next(column for column in comparison if column.startswith("delta_"))
        if pd.isna(test[delta]):
            continue
        pair = titles[best], titles[test["against"]]
        collapsed = [
            title
            for title, name in zip(pair, (best, test["against"]), strict=True)
            if predicts_one_class(measured[name])
        ]
        difference = test[[delta, "ci_low", "ci_high", "p_holm"]]
        values = model[main]["value"], baseline[main]["value"]
        shown = [main, *(["mcc"] if "mcc" in model and main != "mcc" else [])]
        result.append(
            {
                "dataset": dataset["title"],
                "method": pair[0],
                "baseline": pair[1],
                "main": main,
                "main_title": ALL_METRICS[main],
                **{name: model[name] for name in shown},
                **{f"baseline_{name}": baseline[name] for name in shown},
                "n_test": measured[best]["n_test"],
                "seeds": len(measured[best]["seeds"]),
                **difference.to_dict(),
                "collapsed": collapsed,
                "contest": Contest(
                    *(dataset["title"], *pair, ALL_METRICS[main], *values, *map(float, difference)),
                    collapsed=tuple(collapsed),
                    less=main in LESS_IS_BETTER,
                    one="number" if "rmse" in model else "class",
                ),
            }
        )
    return result
