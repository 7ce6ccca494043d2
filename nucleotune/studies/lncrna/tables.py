"""Tables 1-3 of the LoRA-BERT paper (lncRNA or mRNA?): published numbers beside those of this run.

Every function is pure. Common arguments:

datasets   list of {"name", "species", "split", "title", "published_as", "comparable", "note"};
           `published_as` is a species of the published tables ("human") or None
methods    list of {"name", "title", "kind", "published_as", "comparable", "note"}; `kind` is
           "language_model", "baseline" or "reference" (length, GC or ORF alone), `published_as`
           a method of the published tables ("CPC2") or None
metrics    {dataset name: {method name: content of metrics.json}}; what was not asked for is not there, and a method
           that could not run (a tool that is not installed) has the reason under "not_run" and no splits

A row is there for everything that ran, with the published number beside it when data set and method
both have one, and "not comparable" unless both are comparable. A method that could not run has rows "not run" with the
reason. A published row that no comparable run covers follows as "not run".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from nucleotune.evaluation.metrics import METRICS
from nucleotune.reporting.answer import Contest, predicts_one_class
from nucleotune.reporting.tables import long_table, row

Described = Sequence[Mapping[str, Any]]
Metrics = Mapping[str, Mapping[str, Mapping[str, Any]]]

CLASSES = ("mRNA", "lncRNA")

#: Metric of Table 1 and its column in the published table.
LENGTHS = {
    "n": "size",
    "min_length": "min_length",
    "max_length": "max_length",
    "mean_length": "mean_length",
}
#: Metric of Table 2, then split and metric in metrics.json.
TRAINING = {
    "train_loss": ("train", "log_loss"),
    "test_loss": ("test", "log_loss"),
    "train_accuracy": ("train", "accuracy"),
    "test_accuracy": ("test", "accuracy"),
}
#: Metrics of Table 3.
PERFORMANCE = ("precision", "recall", "accuracy", "f1", "auroc", "mcc")

#: Title of the study's page in the report, and what it asks.
TITLE = "lncRNA or mRNA?"
ASKED = (
    "Does a fine-tuned language model tell lncRNAs from mRNAs better than the classical methods it is said to"
    " beat (LoRA-BERT paper)?"
)

_LINES = "Grey, dashed or dotted: one feature alone."
#: What the page says of the paired comparisons.
COMPARED = (
    "Each method against the baseline with the highest AUROC on the validation split, on the same test examples."
    " AUROC, accuracy and MCC: paired bootstrap; decisions: McNemar's exact test. Methods whose intervals hold 0 cannot"
    " be told apart from that baseline."
)
#: Title and caption of each figure in the report, by the name of its file.
FIGURES = {
    "lncrna_figure3": {
        "title": "Figure 3. ROC curves, full-length transcripts",
        "caption": f"Test examples; lncRNA is the positive class. {_LINES}",
    },
    "lncrna_figure4": {
        "title": "Figure 4. ROC curves, partial transcripts",
        "caption": f"The middle part of the test transcripts, both ends cut off equally. {_LINES}",
    },
    "lncrna_figure5": {
        "title": "Figure 5. ROC curves, partial transcripts of the mouse",
        "caption": f"The middle part of the test transcripts, both ends cut off equally. {_LINES}",
    },
}

#: Title, caption and column labels of each table, as `tables.write_table` takes them.
TABLES: dict[int, dict[str, Any]] = {
    1: {
        "title": "Table 1. Transcripts",
        "caption": (
            "Number and length (nt) of the transcripts of each class after filters and sampling, "
            "and before the larger class was sampled down to the smaller one."
        ),
        "labels": {
            "dataset": "Data set",
            "class": "Class",
            "n": "Number",
            "min_length": "Min length",
            "max_length": "Max length",
            "mean_length": "Mean length",
            "n_before_sampling": "Number before sampling",
            "min_length_before_sampling": "Min length before sampling",
            "max_length_before_sampling": "Max length before sampling",
            "mean_length_before_sampling": "Mean length before sampling",
        },
    },
    2: {
        "title": "Table 2. Loss and accuracy on training and test examples",
        "caption": (
            "Language models. Loss is the mean cross-entropy (nats) of the trained model, "
            "without dropout."
        ),
        "labels": {
            "dataset": "Data set",
            "method": "Method",
            "train_loss": "Train loss",
            "test_loss": "Test loss",
            "train_accuracy": "Train accuracy",
            "test_accuracy": "Test accuracy",
        },
    },
    3: {
        "title": "Table 3. lncRNA or mRNA: full-length transcripts",
        "caption": (
            "Test examples; lncRNA is the positive class. With several seeds, the mean over them."
        ),
        "labels": {"dataset": "Data set", "method": "Method", **METRICS},
    },
}


def table1(
    published: pd.DataFrame, cards: Mapping[str, Mapping[str, Any]], datasets: Described
) -> pd.DataFrame:
    """Number and lengths of the transcripts, keys dataset and class.

    `published` holds lncrna_datasets.tsv. `cards` is {dataset name: content of card.json} with, for
    each of "mRNA" and "lncRNA", {"n", "min_length", "max_length", "mean_length"} in card["classes"]
    and, before the larger class was sampled down, in card["classes_before_sampling"].
    """
    rows, covered = [], set()
    for dataset in (one for one in datasets if one["name"] in cards):
        card = cards[dataset["name"]]
        for biotype in CLASSES:
            keys = {"dataset": dataset["title"], "class": biotype}
            printed = _find(published, species=dataset["published_as"], biotype=biotype)
            if dataset["comparable"] and printed:
                covered.add((dataset["published_as"], biotype))
            shared = {"comparable": dataset["comparable"], "note": dataset["note"]}
            for metric, column in LENGTHS.items():
                found = {"value": card["classes"][biotype][metric]}
                rows.append(row(keys, metric, printed.get(column), found, **shared))
            for metric in LENGTHS:
                found = {"value": card["classes_before_sampling"][biotype][metric]}
                rows.append(row(keys, f"{metric}_before_sampling", None, found, **shared))
    for printed in _of_the_run(published, _named(datasets)):
        if (printed["species"], printed["biotype"]) not in covered:
            keys = {"dataset": _paper(printed["species"]), "class": printed["biotype"]}
            rows += _not_run(keys, {metric: printed[column] for metric, column in LENGTHS.items()})
    return long_table(rows, ["dataset", "class"])


def table2(
    published: pd.DataFrame, metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """Loss and accuracy of the language models in training and test, keys dataset and method.

    `published` holds lncrna_training.tsv, whose rows are all of LoRA-BERT.
    """
    models = [method for method in methods if method["kind"] == "language_model"]
    printed = published.assign(method="LoRA-BERT")
    return performance(printed, metrics, datasets, models, TRAINING)


def table3(
    published: pd.DataFrame, metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """Precision, recall, accuracy, F1, AUROC and MCC of every method, keys dataset and method.

    `published` holds lncrna.tsv, of which Table 3 is used; the paper gives no MCC.
    """
    places = {metric: ("test", metric) for metric in PERFORMANCE}
    printed = published.loc[published["table"] == 3]
    return performance(printed, metrics, datasets, methods, places)


def page_titles(datasets: Described) -> dict[str, str]:
    """Name -> title on the study's page."""
    return {dataset["name"]: dataset["title"] for dataset in datasets}


def headlines(
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
) -> list[dict[str, Any]]:
    """For each data set, the best language model against the best baseline.

    Both were chosen by AUROC on the validation split. `comparisons` is {dataset name:
    comparison.tsv}. Returns dicts with dataset, method, baseline (titles), auroc, baseline_auroc,
    mcc, baseline_mcc ({value, ci_low, ci_high}), n_test, seeds, and the comparison's delta_auroc,
    ci_low, ci_high, p_holm; `collapsed`, titles of those of the two that predict one class; and all
    of it as a `contest`. A data set where one of the two is missing has no entry.
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


def performance(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    places: Mapping[str, tuple[str, str]],
    species: Collection[str | None] | None = None,
) -> pd.DataFrame:
    """Rows for metrics that stand in metrics.json at `places`, {metric: (split, metric there)}.

    species: those of the paper whose rows are shown, by default what `datasets` stand for.
    """
    species = _named(datasets) if species is None else species
    rows, covered = [], set()
    for dataset in datasets:
        ran = metrics.get(dataset["name"], {})
        for method in (one for one in methods if one["name"] in ran):
            found = ran[method["name"]]
            printed = _find(
                published, species=dataset["published_as"], method=method["published_as"]
            )
            notes = (dataset["note"], method["note"])
            if "not_run" in found:
                notes = (f"not run: {found['not_run']}",)
            comparable = dataset["comparable"] and method["comparable"]
            if comparable and printed:
                covered.add((dataset["published_as"], method["published_as"]))
            for metric, (split, name) in places.items():
                rows.append(
                    row(
                        {"dataset": dataset["title"], "method": method["title"]},
                        metric,
                        printed.get(metric),
                        found["splits"].get(split, {}).get(name),
                        comparable=comparable,
                        n_test=found["n_test"] if split.startswith("test") else None,
                        seeds=len(found["seeds"]) or None,
                        note=_sentence(notes),
                    )
                )
    for printed in _of_the_run(published, species):
        if (printed["species"], printed["method"]) not in covered:
            keys = {"dataset": _paper(printed["species"]), "method": printed["method"]}
            rows += _not_run(keys, {name: printed[name] for name in places if name in printed})
    return long_table(rows, ["dataset", "method"])


def stacked(
    key: str,
    parts: Iterable[tuple[str, pd.DataFrame, Described, Mapping[str, tuple[str, str]]]],
    metrics: Metrics,
    methods: Described,
) -> pd.DataFrame:
    """Tables of `performance` in one, by data set; a further key `key`, the second, tells them apart.

    `parts` are value of the key, published rows, data sets and places of each.
    """
    tables = []
    parts = list(parts)
    species = {name for _, _, datasets, _ in parts for name in _named(datasets)}
    for value, published, datasets, places in parts:
        table = performance(published, metrics, datasets, methods, places, species)
        table.insert(1, key, value)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    order = {title: place for place, title in enumerate(dict.fromkeys(table["dataset"]))}
    return table.sort_values("dataset", key=lambda titles: titles.map(order), kind="stable")


def _named(datasets: Described) -> set[str | None]:
    """What the paper calls the species that some data sets stand for."""
    return {dataset["published_as"] for dataset in datasets}


def _of_the_run(published: pd.DataFrame, species: Collection[str | None]) -> list[dict[str, Any]]:
    """Published rows of these species: others are no part of the run's question."""
    return published[published["species"].isin(list(species))].to_dict("records")


def _find(published: pd.DataFrame, **keys: str | None) -> dict[str, Any]:
    """The published row with these keys, or an empty one."""
    if None in keys.values():
        return {}
    chosen = published
    for column, value in keys.items():
        chosen = chosen.loc[chosen[column] == value]
    return chosen.iloc[0].to_dict() if len(chosen) else {}


def _not_run(keys: Mapping[str, str], numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [row(keys, metric, value, None, comparable=False) for metric, value in numbers.items()]


def _paper(species: str) -> str:
    """A data set of the paper; never the title of one of ours, so that its rows stand apart."""
    return f"{species.capitalize()} (as published)"


def _sentence(notes: Iterable[str]) -> str:
    return "; ".join(note for note in notes if note)
