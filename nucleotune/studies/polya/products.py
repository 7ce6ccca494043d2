"""Tables 3 and 4, Figures 3 and 6 to 8 of the poly(A) paper, and what its models rest on; standard library only."""

from typing import Any

from nucleotune.plan import describe_methods
from nucleotune.plan.asked import asked_methods
from nucleotune.plan.run import METRICS, SEED_OF, Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.polya.plan import described_polya, found_by_search

_WRITE = "nucleotune.studies.polya.write"


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    return {
        "datasets": described_polya(run.datasets["polya"], run.species),
        "methods": describe_methods(asked_methods(run.config, ["polya"]), run.methods),
        "pools": {},
    }


def products(run: Run) -> list[Product]:
    """Tables and figures of the study."""
    asked = described(run)
    both = {key: asked[key] for key in ("datasets", "methods")}
    shown = run.shown["polya"]
    examples = [f"results/polya/{name}/examples.parquet" for name in shown]
    settings = {
        one["name"]: {
            key: run.methods[one["name"]][key] for key in ("network", "sizes", "training")
        }
        for one in both["methods"]
    }
    found = [
        Product(
            "polya_table3",
            "Table 3: hyper-parameters",
            f"{_WRITE}:table3",
            {
                "training": run.every(f"{SEED_OF}/training.json", "polya"),
                "examples": examples,
                "published": run.published("polya_hyperparameters"),
            },
            both | {"settings": settings, "found": found_by_search(run)},
        ),
        Product(
            "polya_table4",
            "Table 4: profiles of test genes",
            f"{_WRITE}:table4",
            {
                "metrics": run.every(METRICS, "polya"),
                "comparisons": run.comparisons("polya"),
                "published": run.published("polya"),
            },
            both,
        ),
        Product(
            "polya_figure3",
            "Figure 3: predicted and observed profiles",
            f"{_WRITE}:figure3",
            {
                "examples": examples,
                "predictions": run.first_seed(
                    "predictions.parquet",
                    "polya",
                    [(name, method) for name in shown for method in run.assigned["polya"][name]],
                ),
            },
            both,
            kind="figure",
        ),
        Product(
            "polya_figure6",
            "Figure 6: losses by epoch",
            f"{_WRITE}:figure6",
            {"training": run.every(f"{SEED_OF}/training.tsv", "polya")},
            both,
            kind="figure",
        ),
    ]
    if run.attributed["polya"]:
        found += _explained(run, asked)
    return [*found, *explained_products(run, "polya", asked, logos=False)]


def _explained(run: Run, asked: dict) -> list[Product]:
    """Motifs (Figure 7), contributions (Figure 8) and the test behind it."""

    def files(*names: str) -> dict[str, list[str]]:
        return {name.partition(".")[0]: run.explained("polya", name) for name in names}

    return [
        Product(
            "polya_figure7",
            "Figure 7: motifs behind the predictions",
            "nucleotune.reporting.write_explained:logos",
            files("contributions.npz", "patterns.h5", "motifs.tsv"),
            {"study": "polya", "described": asked},
            kind="figure",
        ),
        Product(
            "polya_figure8",
            "Figure 8: contributions along sequences, distances and order of the elements",
            f"{_WRITE}:figure8",
            files("contributions.npz", "agreement.tsv", "seqlets.tsv", "words.tsv", "order.tsv"),
            {"described": asked, "length": run.config["polya"]["length"]},
            kind="figure",
        ),
        Product(
            "polya_order",
            "Table of the order of the elements",
            f"{_WRITE}:order",
            files("order.tsv"),
            {"described": asked},
        ),
    ]
