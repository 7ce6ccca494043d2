"""Tables and Figures 2-5 of the BERT-RBP paper; standard library only."""

from typing import Any

from nucleotune.plan import describe_methods
from nucleotune.plan.asked import asked_methods
from nucleotune.plan.run import METRICS, Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.rbp.plan import analysed, attended, described_rbps, reads_structures

_WRITE = "nucleotune.studies.rbp.write"


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    return {
        "datasets": described_rbps(run.datasets["rbp"], run.collections),
        "methods": describe_methods(asked_methods(run.config, ["rbp"]), run.methods),
        "pools": {},
    }


def findings(run: Run) -> dict[str, list[str]]:
    """Title of an RBP -> files of what was found in its models' attention, of those analysed."""
    return {
        one["title"]: [
            f"results/rbp/{one['name']}/attention/{file}"
            for file in ("summary.tsv", "heads.parquet", "curves.parquet")
        ]
        for one in described(run)["datasets"]
        if one["name"] in attended(run)
    }


def intermediates(run: Run) -> list[str]:
    """Findings, structures and regions; the last two are made before, and their failure deletes them alone."""
    return [
        *(path for paths in findings(run).values() for path in paths),
        *(
            f"results/rbp/{name}/{kind}.parquet"
            for name, one in run.datasets["rbp"].items()
            for kind in ("regions", "structures")
            if analysed(run, one, kind)
            or (
                kind == "structures"
                and any(reads_structures(run.methods[m]) for m in run.assigned["rbp"][name])
            )
        ),
    ]


def products(run: Run) -> list[Product]:
    """Tables and figures of the study."""
    asked, settings = described(run), run.config["rbp"]
    both = {key: asked[key] for key in ("datasets", "methods")}
    # Whom the others are compared with: the analysed model, or the first method.
    focus = settings["attention"]["method"] or settings["methods"][0]
    metrics = run.every(METRICS, "rbp")
    needs = {"metrics": metrics, "cards": run.cards("rbp"), "published": run.published("rbp")}
    resampled = both | {"bootstrap": run.config["bootstrap"]}
    return [
        Product("rbp_table_auroc", "AUROC by RBP and method", f"{_WRITE}:auroc", needs, resampled),
        Product(
            "rbp_table_comparison",
            "Methods compared over RBPs",
            f"{_WRITE}:comparison",
            needs,
            resampled | {"focus": focus},
        ),
        Product(
            "rbp_figure2",
            "Figure 2: AUROC over RBPs",
            f"{_WRITE}:figure2",
            {"metrics": metrics},
            both | {"focus": run.methods[focus]["title"]},
            kind="figure",
        ),
        *_attention(run, both["datasets"]),
        *explained_products(run, "rbp", asked),
    ]


def _attention(run: Run, datasets: list) -> list[Product]:
    """Figures 3 to 5: what attention goes to, over all RBPs whose models were analysed."""
    found = findings(run)
    common = {"found": found, "titles": _model_titles(run)}
    files = {"findings": [path for paths in found.values() for path in paths]}
    structures = [
        f"results/rbp/{name}/structures.parquet"
        for name, one in run.datasets["rbp"].items()
        if analysed(run, one, "structures")
    ]

    def figure(number: int, title: str, needs: dict, **more: Any) -> Product:
        return Product(
            f"rbp_figure{number}",
            f"Figure {number}: {title}",
            f"{_WRITE}:figure{number}",
            needs,
            common | more,
            kind="figure",
            shown=bool(found),
        )

    return [
        figure(
            3,
            "attention and transcript regions",
            files,
            example=_example(run, datasets, "example", "regions"),
        ),
        figure(4, "similarity of attention before and after fine-tuning", files),
        figure(
            5,
            "attention and secondary structure",
            files | {"structures": structures},
            example=_example(run, datasets, "structure_example", "structures"),
        ),
    ]


def _model_titles(run: Run) -> dict[str, str]:
    """Titles of the analysed model after and before fine-tuning, and of the one trained from random weights."""
    attention = run.config["rbp"]["attention"]
    if attention["method"] is None:
        return {}
    method = run.methods[attention["method"]]
    titles = {"after": method["title"], "before": run.models[method["model"]]["title"]}
    if attention["random_method"]:
        titles["scratch"] = run.methods[attention["random_method"]]["title"]
    return titles


def _example(run: Run, datasets: list, key: str, kind: str) -> list[str] | str | None:
    """What Figure 3 or 5 shows as example: titles in place of names; None lets the figure choose."""
    asked = run.config["rbp"]["attention"][key]
    rbp = asked["rbp"] if key == "example" and asked else asked
    for one in datasets:
        if asked and one["rbp"] == rbp and analysed(run, run.datasets["rbp"][one["name"]], kind):
            return [one["title"], asked["region"]] if key == "example" else one["title"]
    return None
