"""Tables of the RBP study: AUROC of every method on every protein, the means, and a comparison over proteins.

The paper prints means over 154 proteins (figure 2a) and no numbers of single ones. Arguments as in
`reporting.performance`, a data set being a protein; `published` holds rbp.tsv, and `bootstrap` the keywords resamples,
confidence and seed.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.evaluation.over_sets import compare_over_sets, mean_over_sets
from nucleotune.reporting.answer import Contest, predicts_one_class
from nucleotune.reporting.headlines import headlines as of_proteins
from nucleotune.reporting.performance import (
    WITHOUT,
    WITHOUT_CAPTION,
    Described,
    Metrics,
    performance,
    unrelated_labels,
    with_unrelated,
)
from nucleotune.reporting.tables import ONE_CLASS, long_table, row

#: The paper's model, as `published_as` of a method.
PAPER = "BERT-RBP"

#: The paper's data, as `published_as` of a collection.
PAPER_DATA = "rbpsuite"

_LABELS = {
    "dataset": "Protein",
    "method": "Method",
    "against": "Against",
    "auroc": "AUROC",
    "sets": "Proteins",
    "difference": "Mean difference of AUROC",
    "wins": "Wins",
    "ties": "Ties",
    "losses": "Losses",
    "p": "p, Wilcoxon",
    "p_holm": "p, Holm",
}
#: Title, caption and column labels of each table, as `tables.write_table` takes them.
TABLES: dict[str, dict[str, Any]] = {
    "auroc": {
        "title": "AUROC by protein and method",
        "caption": "Test examples. Intervals are over examples for a protein and over proteins for a mean. A"
        " mean is comparable with the paper's only if it is over all of the paper's proteins."
        f" {WITHOUT_CAPTION}",
        "labels": {**_LABELS, **unrelated_labels("auroc")},
    },
    "comparison": {
        "title": "Fine-tuned model against each other method, over proteins",
        "caption": "Difference of AUROC on the same protein, with its bootstrap interval over proteins; Wilcoxon's"
        " signed-rank test, two-sided. With n proteins, p cannot be below 2 / 2^n. Published difference: of the"
        " printed means; published wins: the paper says that its model improved every single protein.",
        "labels": _LABELS,
    },
}


def headlines(
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """One finding over all proteins, the best language model and the best baseline: dataset, text and `contest`.

    Both are those of the highest mean validation AUROC; baselines include the one-feature lines. The contest of one
    protein is that of its test examples, of several over the proteins, by Wilcoxon's signed-rank test.
    """
    values = auroc_by_protein(metrics, datasets, methods)
    choosing = auroc_by_protein(metrics, datasets, methods, split="valid")
    kinds = {method["title"]: method["kind"] for method in methods}
    ran = [title for title in values if values[title].notna().all()]
    models = [title for title in ran if kinds[title] == "language_model"]
    others = [title for title in ran if kinds[title] in ("baseline", "reference")]
    if not models or not others:
        return []
    model, other = (choosing[names].mean().idxmax() for names in (models, others))
    wins = int((values[model] > values[other]).sum())
    number = f"{len(values)} proteins" if len(values) > 1 else "one protein"
    text = (
        f"The best language model, {model}, reached a mean AUROC of {values[model].mean():.3f}; the best other method,"
        f" {other}, {values[other].mean():.3f}. It was ahead on {wins} of {number}. Both were chosen by their mean"
        " validation AUROC."
    )
    if len(values) == 1:
        contests = [one["contest"] for one in of_proteins(metrics, comparisons, datasets, methods)]
    else:
        contests = [_over_proteins(values[[model, other]], metrics, datasets, methods, bootstrap)]
    return [{"dataset": "Over all proteins", "text": text, "contest": one} for one in contests]


def _over_proteins(
    values: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any],
) -> Contest:
    """The first of two columns of `values`, as of `auroc_by_protein`, against the second."""
    model, other = values
    row = compare_over_sets(values, model, **bootstrap).iloc[0]
    (name,) = [method["name"] for method in methods if method["title"] == model]
    collapsed = _one_class(metrics, datasets, name)
    remark = f"ahead on {row['wins']} of {row['sets']} proteins"
    return Contest(
        *(f"{len(values)} proteins", model, other, "mean AUROC"),
        *(values[model].mean(), values[other].mean()),
        *(float(row[name]) for name in ("difference", "ci_low", "ci_high", "p")),
        remark=remark + (f", {ONE_CLASS} on {collapsed}" if collapsed else ""),
    )


def auroc_by_protein(
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    split: str = "test",
    *,
    unrelated: bool = False,
) -> pd.DataFrame:
    """AUROC, one row per protein and one column per method, by their titles; NaN where a method did not run.

    unrelated: on the rows without a relative in training; NaN where these are too few.
    """

    def value(dataset: str, method: str) -> float | None:
        found = metrics.get(dataset, {}).get(method, {})
        found = found.get("without_relatives", {}) if unrelated else found
        return found.get("splits", {}).get(split, {}).get("auroc", {}).get("value")

    values = {
        method["title"]: [value(dataset["name"], method["name"]) for dataset in datasets]
        for method in methods
    }
    return pd.DataFrame(values, index=[dataset["title"] for dataset in datasets], dtype=float)


def rbp_table_auroc(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any],
) -> pd.DataFrame:
    """AUROC of every method on every protein, then means over proteins, keys dataset and method.

    A published mean is shown next to that of a method with its `published_as`, and is comparable when all data sets and
    the method are, and the proteins are as many as the paper's. Published means that no such row covers follow as "not
    run". Where a data set is not `published_as` PAPER_DATA, no number of the paper is shown.
    """
    published = _of_the_paper(published, datasets)
    nothing = pd.DataFrame(columns=["species", "method"])
    places = with_unrelated({"auroc": ("test", "auroc")}, "auroc")
    single = performance(nothing, metrics, datasets, methods, places)
    values = auroc_by_protein(metrics, datasets, methods)
    without = auroc_by_protein(metrics, datasets, methods, unrelated=True)
    printed = published.set_index("method")
    rows, covered = [], set()
    for method in methods:
        measured = values[method["title"]].dropna()
        known = method["published_as"] if method["published_as"] in printed.index else None
        comparable, note = False, f"{len(measured)} of {len(values)} proteins"
        if known is not None:
            paper = int(printed.loc[known, "n_rbps"])
            comparable = _comparable(datasets, [method], len(measured), paper)
            note += f", the paper has {paper}"
        if collapsed := _one_class(metrics, datasets, method["name"]):
            note += f"; {ONE_CLASS} on {collapsed} of them"
        if comparable:
            covered.add(known)
        rows.append(
            row(
                {"dataset": "Mean over proteins", "method": method["title"]},
                "auroc",
                None if known is None else printed.loc[known, "mean_auroc"],
                mean_over_sets(measured, **bootstrap) if len(measured) else None,
                comparable=comparable,
                note="; ".join(filter(None, (note, method["note"]))),
            )
        )
        if len(judged := without[method["title"]].dropna()):
            keys = {"dataset": "Mean over proteins", "method": method["title"]}
            mean = mean_over_sets(judged, **bootstrap)
            note = f"without relatives: {len(judged)} of {len(values)} proteins"
            rows.append(row(keys, "auroc" + WITHOUT, None, mean, comparable=False, note=note))
    for name, mean in printed["mean_auroc"].items():
        if name not in covered:
            keys = {"dataset": "Mean over proteins (as published)", "method": name}
            rows.append(row(keys, "auroc", mean, None, comparable=False))
    means = long_table(rows, ["dataset", "method"])
    return pd.concat([single, means], ignore_index=True) if len(single) else means


def rbp_table_comparison(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    focus: str,
    bootstrap: Mapping[str, Any],
) -> pd.DataFrame:
    """The method named `focus` against every other one that ran on the same proteins, keys method and against.

    Numbers of the paper are shown where `rbp_table_auroc` shows them.
    """
    published = _of_the_paper(published, datasets)
    described = {method["title"]: method for method in methods}
    ours = next(method for method in methods if method["name"] == focus)
    values = auroc_by_protein(metrics, datasets, methods)
    printed = published[published["figure"] == "2a"].set_index("method")
    rows = []
    for found in compare_over_sets(values, ours["title"], **bootstrap).to_dict("records"):
        other = described[found["against"]]
        claims: dict[str, float] = {}
        comparable = False
        if ours["published_as"] == PAPER and other["published_as"] in printed.index:
            paper, baseline = printed.loc[PAPER], printed.loc[other["published_as"]]
            claims = {
                "difference": round(paper["mean_auroc"] - baseline["mean_auroc"], 3),
                "wins": int(paper["n_rbps"]),
            }
            pair = [ours, other]
            comparable = _comparable(datasets, pair, found["sets"], int(paper["n_rbps"]))
        keys = {"method": found["method"], "against": found["against"]}
        for metric in ("difference", "sets", "wins", "ties", "losses", "p", "p_holm"):
            value = {"value": found[metric]}
            if metric == "difference":
                value |= {"ci_low": found["ci_low"], "ci_high": found["ci_high"]}
            rows.append(row(keys, metric, claims.get(metric), value, comparable=comparable))
    return long_table(rows, ["method", "against"])


def _one_class(metrics: Metrics, datasets: Described, method: str) -> int:
    """On how many data sets a method predicts one class in every seed."""
    found = [metrics.get(dataset["name"], {}).get(method, {}) for dataset in datasets]
    return sum(predicts_one_class(one) for one in found if one.get("splits"))


def _of_the_paper(published: pd.DataFrame, datasets: Described) -> pd.DataFrame:
    """The paper's numbers, or none of them beside other data than stand for the paper's."""
    ours = all(dataset["published_as"] == PAPER_DATA for dataset in datasets)
    return published if ours else published[:0]


def _comparable(datasets: Described, methods: Described, proteins: int, paper: int) -> bool:
    """Whether a number over `proteins` may be held against the paper's, over `paper` of them."""
    return proteins == paper and all(one["comparable"] for one in (*datasets, *methods))
