"""Tables 1-4 of the promoter study, and Table 1 by truncation side: published numbers beside those of this run.

The paper prints 100 times MCC, accuracy and F1; here all are shares. Arguments as in `reporting.performance`, with

datasets   {"name", "task", "length", "title", "published_as", "comparable", "note"}: `task` is "task1" to "task4",
           `length` that of the promoters in nt; `published_as` is PAPER or None. `title` names species and split
           only, as task and length are keys of their own
methods    also `kmer`, the k of a DNABERT or None; `truncation`, the side that a language model cuts off or None
published  promoters.tsv; of Table 3 promoters_expression.tsv
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nucleotune.evaluation.titles import METRICS
from nucleotune.reporting.performance import (
    WITHOUT_CAPTION,
    Described,
    Metrics,
    performance,
    stacked,
    unrelated_labels,
    with_unrelated,
)
from nucleotune.reporting.tables import long_table, row

#: The paper's one species, as `published_as` of a data set.
PAPER = "human"

#: Task -> its name in the published table, and in ours.
TASKS = {
    "task1": ("biological_vs_artificial", "1: biological or artificial"),
    "task2": ("promoter_vs_nonpromoter", "2: promoter or not"),
    "task3": ("high_vs_low_expression", "3: high or low expression"),
    "task4": ("coding_vs_lncrna", "4: protein-coding or lncRNA gene"),
}
#: Layers whose attention is shown.
LAYERS = {"last": "last layer", "all": "all layers"}

#: Length of the promoters in Tables 2 and 4, nt.
LENGTH = 300

_PRINTED = ("mcc", "accuracy", "f1")
_MCC = {"mcc": ("test", "mcc")}
_LABELS = {
    "dataset": "Data set",
    "task": "Task",
    "length": "Promoter",
    "method": "Method",
    "truncation": "Cut off",
    "biotype": "Genes",
    **METRICS,
}
_SHARES = "The paper prints 100 times these numbers."
#: MCC of PAPER_CLASSES of `studies.promoters.genes`, tested to be that.
BIOTYPE_MCC = 0.734
_BIOTYPE = (
    f"By the paper's own counts, a gene's biotype alone has an MCC of {BIOTYPE_MCC} in Task 3: a model that"
    " does not exceed it may have learnt no more than which genes are coding."
)

#: Title, caption and column labels of each table, as `tables.write_table` takes them.
TABLES: dict[int | str, dict[str, Any]] = {
    1: {
        "title": "Table 1. High or low expression: promoters of several lengths",
        "caption": f"Genes and splits are the same at all lengths. {_SHARES} {_BIOTYPE}",
        "labels": _LABELS,
    },
    2: {
        "title": "Table 2. Four tasks on promoters of 300 bp",
        "caption": f"{_SHARES} {_BIOTYPE} {WITHOUT_CAPTION}",
        "labels": {**_LABELS, **unrelated_labels("mcc")},
    },
    3: {
        "title": "Table 3. Expression of protein-coding and lncRNA genes",
        "caption": "Median TPM, over all genes of the annotation that are in the expression file and the tissues kept.",
        "labels": {**_LABELS, "tpm_mean": "Mean TPM", "tpm_std": "SD of TPM", "genes": "Number"},
    },
    4: {
        "title": "Table 4. Promoter or not: DNABERT by k-mer size",
        "caption": f"{_SHARES} The printed accuracies and MCCs are incompatible on a test set of equal classes,"
        " where MCC >= 2 x accuracy - 1: 0.853 for k = 3.",
        "labels": _LABELS,
    },
    "truncation": {
        "title": "Table 1 by truncation side",
        "caption": "Promoters longer than a model can read are truncated: on the right, where the transcription"
        " start site (TSS) is, on the left, or equally at both ends. TSS lost: share of the promoters whose TSS"
        " the model does not see.",
        "labels": {**_LABELS, "tss_lost": "TSS lost"},
    },
    "controls": {
        "title": "Figure 2 in numbers: how peaked attention is, compared with its controls",
        "caption": "Share of a class's mean attention on the tenth of the positions with the most attention,"
        " with a bootstrap interval over its promoters. A flat profile has 0.1; with few promoters chance adds"
        " a little, in the controls as well. What the tuned model has beyond its controls is what it learnt"
        " about the sequences.",
        "labels": {
            "model": "Model",
            "layers": "Layers",
            "control": "Model and promoters",
            "class": "Class",
            "peak_share": "Share on the top tenth",
        },
    },
}


def page_titles(datasets: Described) -> dict[str, str]:
    """Name -> title on the study's page, which task, length and split belong to."""
    return {
        one[
            "name"
        ]: f"{one['title'].removesuffix(', ' + one['split'] + ' split')}, task {one['task'][-1]},"
        f" {one['length']} bp, {one['split']} split"
        for one in datasets
    }


def table1(
    published: pd.DataFrame, metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """MCC of Task 3 by length of the promoters, keys dataset, length and method."""
    chosen = [one for one in datasets if one["task"] == "task3"]
    printed = _shares(published, 1)
    lengths = sorted({one["length"] for one in chosen} | set(printed["promoter_length"]))
    return stacked(
        "length",
        [
            (
                f"{length} bp",
                printed[printed["promoter_length"] == length],
                [one for one in chosen if one["length"] == length],
                _MCC,
            )
            for length in lengths
        ],
        metrics,
        methods,
    )


def table2(
    published: pd.DataFrame, metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """MCC of every task on promoters of 300 nt, also without relatives, keys dataset, task and method."""
    printed = _shares(published, 2)
    return stacked(
        "task",
        [
            (
                title,
                printed[printed["task"] == name],
                [one for one in datasets if (one["task"], one["length"]) == (task, LENGTH)],
                with_unrelated(_MCC, "mcc"),
            )
            for task, (name, title) in TASKS.items()
        ],
        metrics,
        methods,
    )


def table3(
    published: pd.DataFrame, cards: Mapping[str, Mapping[str, Any]], datasets: Described
) -> pd.DataFrame:
    """Mean and standard deviation of TPM, keys dataset and biotype; `datasets` holds one of Task 3 for each species.

    `cards` is {dataset name: content of card.json}, of which `tpm` is used.
    """
    rows, covered = [], False
    for dataset in (one for one in datasets if one["name"] in cards):
        found = cards[dataset["name"]]["tpm"]
        for printed in published.to_dict("records"):
            keys = {"dataset": dataset["title"], "biotype": printed["biotype"]}
            known = dataset["published_as"] == PAPER
            covered |= known and dataset["comparable"]
            shared = {"comparable": dataset["comparable"], "note": dataset["note"]}
            ours = found.get(printed["biotype"])
            for metric, name in (("tpm_mean", "mean"), ("tpm_std", "sd"), ("genes", "genes")):
                value = {"value": ours[name]} if ours else None
                rows.append(
                    row(keys, metric, printed.get(metric) if known else None, value, **shared)
                )
    if not covered and any(dataset["published_as"] == PAPER for dataset in datasets):
        for printed in published.to_dict("records"):
            keys = {"dataset": "Human (as published)", "biotype": printed["biotype"]}
            rows += [
                row(keys, metric, printed[metric], None, comparable=False)
                for metric in ("tpm_mean", "tpm_std")
            ]
    return long_table(rows, ["dataset", "biotype"])


def table4(
    published: pd.DataFrame, metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """MCC, accuracy and F1 of DNABERT with k = 3 to 6 on Task 2, keys dataset and method."""
    chosen = [one for one in datasets if (one["task"], one["length"]) == ("task2", LENGTH)]
    models = [one for one in methods if one["kmer"] is not None]
    places = {metric: ("test", metric) for metric in _PRINTED}
    return performance(_shares(published, 4), metrics, chosen, models, places)


def truncation_table(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    reading: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Table 1 of the language models by truncation side, keys dataset, length, method and truncation.

    Next to MCC is the share of promoters whose TSS is lost, of `reading`: data set -> `reading` -> method ->
    `tss_lost`, as `studies.promoters.start_sites.tss_lost` returns it.
    A published number is shown for each side that `published_as` gives a method: the paper does not say which it took.
    """
    models = [one for one in methods if one["truncation"] is not None]
    printed = published[published["method"].isin({one["published_as"] for one in models})]
    table = table1(printed, metrics, datasets, models)
    sides = {one["title"]: one["truncation"] for one in models}
    table.insert(3, "truncation", table["method"].map(sides).fillna("not stated"))
    keys = list(table.columns[:4])
    ran = set(table[keys].itertuples(index=False, name=None))
    rows = []
    chosen = [one for one in datasets if one["task"] == "task3" and one["name"] in reading]
    for dataset in chosen:
        cuts = reading[dataset["name"]]["reading"]
        for method in (one for one in models if one["name"] in cuts):
            side = method["truncation"]
            key = (dataset["title"], f"{dataset['length']} bp", method["title"], side)
            if key in ran:
                lost = {"value": cuts[method["name"]]["tss_lost"][side]}
                key = dict(zip(keys, key, strict=True))
                rows.append(row(key, "tss_lost", None, lost, comparable=False))
    return pd.concat([table, long_table(rows, keys)], ignore_index=True)


def controls_table(peaks: Mapping[str, pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """How peaked the attention of Figure 2 is, keys model, layers, control and class.

    peaks: title -> peak shares of `attention.controls.profiles_with_controls`. labels: what 0 and 1 mean.
    """
    keys = ["model", "layers", "control", "class"]
    rows = [
        row(
            dict(
                zip(
                    keys,
                    (title, LAYERS[one["layers"]], one["control"], labels[one["label"]]),
                    strict=True,
                )
            ),
            "peak_share",
            None,
            {"value": one["peak_share"], "ci_low": one["ci_low"], "ci_high": one["ci_high"]},
            comparable=False,
            n_test=one["n"],
        )
        for title, table in peaks.items()
        for one in table.sort_values("layers", ascending=False, kind="stable").to_dict("records")
    ]
    return long_table(rows, keys)


def _shares(published: pd.DataFrame, number: int) -> pd.DataFrame:
    """Rows of one published table, numbers as shares, in the form that `performance` takes."""
    chosen = published[published["table"] == number].assign(species=PAPER)
    return chosen.assign(**{metric: (chosen[metric] / 100).round(9) for metric in _PRINTED})
