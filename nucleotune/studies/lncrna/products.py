"""Tables 1-6 and Figures 3-5 of the LoRA-BERT paper; standard library only."""

from typing import Any

from nucleotune.plan import describe_methods
from nucleotune.plan.run import METRICS, PREDICTIONS, Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.lncrna.plan import describe_datasets, pool_titles

_WRITE = "nucleotune.studies.lncrna.write"


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    return {
        "datasets": describe_datasets(run.datasets["lncrna"], run.species),
        "methods": describe_methods(run.config["lncrna"]["methods"], run.methods),
        "pools": pool_titles(run.datasets["lncrna"]),
    }


def products(run: Run) -> list[Product]:
    """Tables and figures of the study; those of partial transcripts are of the mouse, and of all others."""
    asked = described(run)
    both = {key: asked[key] for key in ("datasets", "methods")}
    models = run.every(METRICS, "lncrna", run.language_models)
    all_metrics, cards = run.every(METRICS, "lncrna"), run.cards("lncrna")
    published, kept = run.published("lncrna"), {"kept": run.config["lncrna"]["kept"]}
    found = [
        Product(
            "lncrna_table1",
            "Table 1: transcripts of each class",
            f"{_WRITE}:table1",
            {"cards": cards, "published": run.published("lncrna_datasets")},
            {"datasets": both["datasets"]},
        ),
        Product(
            "lncrna_table2",
            "Table 2: loss and accuracy in training and test",
            f"{_WRITE}:table2",
            {"metrics": models, "cards": cards, "published": run.published("lncrna_training")},
            both,
        ),
        Product(
            "lncrna_table3",
            "Table 3: full-length transcripts, all methods",
            f"{_WRITE}:table3",
            {"metrics": all_metrics, "cards": cards, "published": published},
            both,
        ),
        Product(
            "lncrna_table6",
            "Table 6: partial transcripts with and without the open reading frame",
            f"{_WRITE}:table6",
            {"metrics": models, "cards": cards, "published": published},
            both | kept,
        ),
        Product(
            "lncrna_figure3",
            "Figure 3: ROC curves",
            f"{_WRITE}:figure3",
            {"predictions": run.every(PREDICTIONS, "lncrna"), "metrics": all_metrics},
            both | {"seeds": run.seeds},
            kind="figure",
        ),
    ]
    mouse = [one for one in asked["datasets"] if one["published_as"] == "mouse"]
    others = [one for one in asked["datasets"] if one not in mouse]
    # On partial transcripts a language model reads the longest open reading frame.
    methods = [one for one in asked["methods"] if one["view"] != "transcript"]
    names = [one["name"] for one in methods]
    for number, datasets, species, what in (
        (4, others, "human or another species", "partial transcripts"),
        (5, mouse, "mouse", "partial transcripts of the mouse"),
    ):
        shown = [one["name"] for one in datasets]
        metrics = run.every(METRICS, "lncrna", names, shown)
        arguments = {"datasets": datasets, "methods": methods} | kept
        found += [
            Product(
                f"lncrna_table{number}",
                f"Table {number}: {what}, all methods",
                f"{_WRITE}:partial",
                {"metrics": metrics, "cards": run.cards("lncrna", shown), "published": published},
                arguments | {"number": number},
                shown=bool(datasets),
            ),
            Product(
                f"lncrna_figure{number}",
                f"Figure {number}: ROC curves on {what}",
                f"{_WRITE}:figure4",
                {
                    "predictions": run.every(PREDICTIONS, "lncrna", names, shown),
                    "metrics": metrics,
                },
                arguments | {"seeds": run.seeds, "species": species},
                kind="figure",
                shown=bool(datasets),
            ),
        ]
    return [*found, *explained_products(run, "lncrna", asked)]
