"""Tables 1-3 of the LoRA-BERT paper (lncRNA or mRNA?); arguments as in `reporting.performance`."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.evaluation.titles import METRICS
from nucleotune.reporting.performance import (
    WITHOUT_CAPTION,
    Described,
    Metrics,
    as_published,
    named_species,
    performance,
    printed_row,
    rows_not_run,
    rows_of_run,
    unrelated_labels,
    with_unrelated,
)
from nucleotune.reporting.tables import long_table, row

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
        "caption": f"Test examples; lncRNA is the positive class. Means over seeds. {WITHOUT_CAPTION}",
        "labels": {
            "dataset": "Data set",
            "method": "Method",
            **METRICS,
            **unrelated_labels("auroc"),
        },
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
            printed = printed_row(published, species=dataset["published_as"], biotype=biotype)
            if dataset["comparable"] and printed:
                covered.add((dataset["published_as"], biotype))
            shared = {"comparable": dataset["comparable"], "note": dataset["note"]}
            for metric, column in LENGTHS.items():
                found = {"value": card["classes"][biotype][metric]}
                rows.append(row(keys, metric, printed.get(column), found, **shared))
            for metric in LENGTHS:
                found = {"value": card["classes_before_sampling"][biotype][metric]}
                rows.append(row(keys, f"{metric}_before_sampling", None, found, **shared))
    for printed in rows_of_run(published, named_species(datasets)):
        if (printed["species"], printed["biotype"]) not in covered:
            keys = {"dataset": as_published(printed["species"]), "class": printed["biotype"]}
            rows += rows_not_run(
                keys, {metric: printed[column] for metric, column in LENGTHS.items()}
            )
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

    `published` holds lncrna.tsv, of which Table 3 is used; the paper gives no MCC. AUROC also without relatives.
    """
    places = with_unrelated({metric: ("test", metric) for metric in PERFORMANCE}, "auroc")
    printed = published.loc[published["table"] == 3]
    return performance(printed, metrics, datasets, methods, places)
