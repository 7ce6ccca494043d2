"""Tables 3 and 4 of the poly(A) study: published numbers beside those of this run.

Arguments as in `reporting.performance`, with

methods    `kind` is "profile_model", or "reference" for the average profile
published  of Table 3 polya_hyperparameters.tsv, of Table 4 polya.tsv; the paper has one species, `PAPER`
"""

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from nucleotune.evaluation.profile_metrics import LOSS_WEIGHTS, MIN_READS
from nucleotune.evaluation.titles import PROFILE_METRICS
from nucleotune.reporting.answer import Contest
from nucleotune.reporting.performance import (
    WITHOUT_CAPTION,
    Described,
    Metrics,
    performance,
    unrelated_labels,
    with_unrelated,
)
from nucleotune.reporting.tables import long_table, row

#: The paper's one species, as `published_as` of a data set.
PAPER = "yeast"

#: Metrics of Table 4: metric -> column of the published table; None where the paper has none.
PRINTED = {
    "pearson_median": "pearson_median",
    "pearson_mean": "pearson_mean",
    "auprc": "auprc",
    "auroc": "auroc",
    "auprc_5nt": None,
    "auroc_5nt": None,
    "loss": "test_loss",
    "count_pearson": None,
}

#: Hyper-parameters of Table 3: metric -> its title.
HYPERPARAMETERS = {
    "learning_rate": "Learning rate (10^-4)",
    "epochs": "Epochs, at most",
    "best_epoch": "Best epoch",
    "parameters": "Parameters (millions)",
    "trainable": "Trainable (millions)",
    "layers": "Layers",
    "filters": "Filters",
    "filters_2": "of layer 2",
    "filters_3": "of layer 3",
    "batchnorm": "Batch norm. (1: yes)",
    "dilation": "Dilation (1: yes)",
    "batch_size": "Batch",
    "kernel_first": "First kernel",
    "kernel_middle": "Middle kernel",
    "kernel_last": "Last kernel",
}

#: Widths of the convolutions that no method file changes (`models.heads`).
KERNEL = 3

_LABELS = {"dataset": "Data set", "method": "Method"}
#: Title, caption and column labels of each table, as `tables.write_table` takes them.
TABLES: dict[int, dict[str, Any]] = {
    3: {
        "title": "Table 3. Hyper-parameters",
        "caption": "Published values next to those of the method files and, after a search, those with the"
        " lowest validation loss in it. Parameters: all and trainable. Layers: the dilated ones, or the"
        " convolutions of a head without dilation. The paper gives BPNet eight layers in this table and six in"
        " its text, and the frozen encoder's head 512 filters in this table and 256 in its text; the numbers of"
        " parameters match the table.",
        "labels": {**_LABELS, "values": "Values", **HYPERPARAMETERS},
    },
    4: {
        "title": "Table 4. Profiles of test genes",
        "caption": f"Correlations, AUPRC and AUROC use the genes with more than {MIN_READS} reads in a"
        " condition and are means over conditions. A position is positive if every condition has reads there,"
        " and negative if none has; (5 nt): in bins of that width, which are positive if one position is. Test"
        " loss: {} profile loss +"
        " {} count loss; in the paper language models predict 295 of 300 positions, so its losses are over"
        " different positions. Count correlation: of log(1 + reads), over genes. Difference: median correlation"
        " minus that of the average training profile on the same genes; p: Wilcoxon's signed-rank test on the genes'"
        " correlations. {}".format(*LOSS_WEIGHTS, WITHOUT_CAPTION),
        "labels": {
            **_LABELS,
            **PROFILE_METRICS,
            **unrelated_labels("pearson_median"),
            "loss": "Test loss",
            "delta_pearson_median": "Difference from the average profile",
            "wilcoxon_p": "p",
        },
    },
}


def headlines(
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """For each data set a finding on the method of the lowest validation loss: dataset, text and `contest`.

    `bootstrap` is for studies that resample over data sets.
    """
    titles = {method["name"]: method["title"] for method in methods}
    found = []
    for dataset in datasets:
        measured = metrics.get(dataset["name"], {})
        ran = [one["name"] for one in methods if one["name"] in measured]
        table = comparisons.get(dataset["name"])
        ran = [name for name in ran if table is not None and name in set(table["method"])]
        if not ran:
            continue
        best = min(ran, key=lambda name: measured[name]["splits"]["valid"]["loss"]["value"])
        row = table[table["method"] == best].iloc[0]
        test = measured[best]["splits"]["test"]
        line = measured.get(row["against"], {}).get("splits", {}).get("test", {})
        median, other = test["pearson_median"], line.get("pearson_median", {}).get("value")
        text = (
            f"{titles[best]}, the method with the lowest validation loss, reached a median correlation of"
            f" {median['value']:.3f} ({median['ci_low']:.3f} to {median['ci_high']:.3f}) with the profiles of"
            f" {measured[best]['n_test']:,} test genes and an AUPRC of {test['auprc']['value']:.3f};"
        )
        if other is not None:
            text += f" the average profile {other:.3f} and {line['auprc']['value']:.3f}."
        text += (
            f" Difference of the medians {row['delta_pearson_median']:+.3f} ({row['ci_low']:+.3f} to"
            f" {row['ci_high']:+.3f}), p = {row['p_holm']:.2g} after Holm's correction."
        )
        difference = row[["delta_pearson_median", "ci_low", "ci_high", "p_holm"]]
        contest = Contest(
            *(dataset["title"], titles[best], titles[row["against"]], "median correlation"),
            *(median["value"], median["value"] - row["delta_pearson_median"]),
            *map(float, difference),
            model="profile model",
        )
        found.append({"dataset": dataset["title"], "text": text, "contest": contest})
    return found


def searches_of(
    found: Mapping[str, Mapping[str, Mapping[str, Any]]], examples: Mapping[str, str]
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Of searches (data set -> method -> best.json) those of the present examples; `examples`: data set -> digest."""
    return {
        dataset: {name: one for name, one in of.items() if one["examples"] == examples[dataset]}
        for dataset, of in found.items()
    }


def polya_table3(
    published: pd.DataFrame,
    settings: Mapping[str, Mapping[str, Any]],
    training: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]],
    found: Mapping[str, Mapping[str, Mapping[str, Any]]],
    datasets: Described,
    methods: Described,
) -> pd.DataFrame:
    """Hyper-parameters of the trained methods, keys dataset, method and values ("configured" or "found by search").

    Args:
        published: polya_hyperparameters.tsv.
        settings: method -> its `network`, `sizes` and `training`.
        training: data set -> method -> content of training.json of every seed.
        found: data set -> method -> what `training.tune` found, where a search was made.
        datasets: see this module.
        methods: likewise.
    """
    keys, rows, covered = ("dataset", "method", "values"), [], set()
    printed = {one["method"]: _published(one) for one in published.to_dict("records")}
    for dataset in datasets:
        for method in (one for one in methods if one["kind"] != "reference"):
            name, runs = method["name"], training.get(dataset["name"], {}).get(method["name"], [])
            own = settings[name]
            variants = {"configured": _hyperparameters(own) | _measured(own, runs)}
            if name in found.get(dataset["name"], {}):
                best = found[dataset["name"]][name]
                text = f"found by search ({best['trials']} trials)"
                variants[text] = _hyperparameters(_changed(own, best["parameters"]))
            known = dataset["published_as"] == PAPER
            claims = printed.get(method["published_as"], {}) if known else {}
            comparable = dataset["comparable"] and method["comparable"]
            if comparable and claims:
                covered.add(method["published_as"])
            for values, numbers in variants.items():
                rows += [
                    row(
                        dict(zip(keys, (dataset["title"], method["title"], values), strict=True)),
                        metric,
                        claims.get(metric),
                        {"value": numbers[metric]},
                        comparable=comparable,
                        note="; ".join(filter(None, (dataset["note"], method["note"]))),
                    )
                    for metric in HYPERPARAMETERS
                    if metric in numbers
                ]
    ours = any(dataset["published_as"] == PAPER for dataset in datasets)
    for method, numbers in printed.items() if ours else ():
        if method not in covered:
            names = (f"{PAPER.capitalize()} (as published)", method, "as published")
            rows += [
                row(dict(zip(keys, names, strict=True)), metric, value, None, comparable=False)
                for metric, value in numbers.items()
            ]
    return long_table(rows, keys)


def polya_table4(
    published: pd.DataFrame,
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
) -> pd.DataFrame:
    """Metrics of every method on the test genes and its difference to the line, keys dataset and method.

    `comparisons` is {data set name: comparison.tsv}.
    """
    places = with_unrelated({metric: ("test", metric) for metric in PRINTED}, "pearson_median")
    columns = {column: metric for metric, column in PRINTED.items() if column}
    printed = published.rename(columns=columns).assign(species=PAPER)
    table = performance(printed, metrics, datasets, methods, places)
    rows = []
    for dataset in datasets:
        compared = comparisons[dataset["name"]].set_index("method")
        for method in (one for one in methods if one["name"] in compared.index):
            found = compared.loc[method["name"]]
            keys = {"dataset": dataset["title"], "method": method["title"]}
            difference = {"value": found["delta_pearson_median"]}
            difference |= {name: found[name] for name in ("ci_low", "ci_high")}
            rows += [
                row(keys, "delta_pearson_median", None, difference, comparable=False),
                row(keys, "wilcoxon_p", None, {"value": found["wilcoxon_p"]}, comparable=False),
            ]
    return pd.concat([table, long_table(rows, ["dataset", "method"])], ignore_index=True)


def _published(one: Mapping[str, Any]) -> dict[str, float]:
    """A row of the published Table 3 in the units of HYPERPARAMETERS."""
    filters = [float(width) for width in str(one["n_filters"]).split(",")]
    return {
        "learning_rate": _ten_thousandths(one["learning_rate"]),
        "epochs": one["epochs"],
        "parameters": one["params"] / 1e6,
        "trainable": one["trainable_params"] / 1e6,
        "layers": one["n_layers"],
        **dict(zip(("filters", "filters_2", "filters_3"), filters, strict=False)),
        **{name: float(one[name] == "yes") for name in ("batchnorm", "dilation")},
        **{
            name: one[name]
            for name in ("batch_size", "kernel_first", "kernel_middle", "kernel_last")
        },
    }


def _hyperparameters(method: Mapping[str, Any]) -> dict[str, float]:
    """What a method file says, in the units of HYPERPARAMETERS."""
    sizes, training = method["sizes"], method["training"]
    convolutional = method["network"] == "encoder_conv"
    if convolutional:
        # The layer that gives the profile is one of them in the paper's count.
        layers, filters = len(sizes["widths"]) + 1, sizes["widths"][:3]
    else:
        layers, filters = sizes["layers"], [sizes["filters"]]
    return {
        "learning_rate": _ten_thousandths(training["learning_rate"]),
        "epochs": training["epochs"],
        "layers": layers,
        **dict(zip(("filters", "filters_2", "filters_3"), filters, strict=False)),
        "batchnorm": float(convolutional),
        "dilation": float(not convolutional),
        "batch_size": training["batch_size"],
        "kernel_first": KERNEL if convolutional else sizes["first_kernel"],
        "kernel_middle": KERNEL,
        "kernel_last": KERNEL if convolutional else sizes["profile_kernel"],
    }


def _measured(method: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Parameters, which all seeds have in common, and the best epoch, the mean over seeds."""
    runs = list(runs)
    if not runs:
        return {}
    steps = math.ceil(runs[0]["examples"]["train"] / method["training"]["batch_size"])
    parameters = runs[0]["parameters"]
    return {
        "parameters": parameters["total"] / 1e6,
        "trainable": parameters["trainable"] / 1e6,
        "best_epoch": sum(run["best_step"] for run in runs) / steps / len(runs),
    }


def _changed(method: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The method with what a search found, whose keys have dots between levels."""
    changed = copy.deepcopy(dict(method))
    for key, value in parameters.items():
        *blocks, last = key.split(".")
        place = changed
        for block in blocks:
            place = place.setdefault(block, {})
        place[last] = value
    return changed


def _ten_thousandths(rate: float) -> float:
    return round(rate * 1e4, 9)
