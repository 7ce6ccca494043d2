"""Tables and figures of tasks of one's own; standard library only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nucleotune.plan import describe_methods, pretraining_pairs
from nucleotune.plan.asked import asked_methods
from nucleotune.plan.run import METRICS, PREDICTIONS, Run
from nucleotune.studies.base import Product
from nucleotune.studies.explained import explained_products
from nucleotune.studies.task.plan import cross_files, crossed, described_tasks

_WRITE = "nucleotune.studies.task.write"

#: Kinds of methods in the order of tables.
GROUPS = ("language_model", "control", "baseline", "reference")


def described(run: Run) -> dict[str, Any]:
    """What tables, figures and the page are told of data sets and methods."""
    return {
        "datasets": described_tasks(run.datasets["task"], run.tasks),
        "methods": _grouped(run),
        "pools": {},
    }


def whole(run: Run) -> list[str]:
    """Data sets with all of their training rows."""
    return [name for name, one in run.datasets["task"].items() if not one.aside]


def facts(run: Run) -> list[str]:
    """What methods read of the sequences: further facts of the data cards; without language models that is all."""
    names = {name for methods in run.assigned["task"].values() for name in methods}
    return [run.place("facts/task.json")] if names & {*run.language_models} else []


def _grouped(run: Run) -> list[dict[str, Any]]:
    """Methods as tables show them: language models, their probes and controls, baselines, reference lines."""
    described = describe_methods(asked_methods(run.config, ["task"]), run.methods)

    def group(method: Mapping[str, Any]) -> tuple[int, bool]:
        probe = run.methods[method["name"]].get("adaptation") == "probe"
        return GROUPS.index(method["kind"]), probe

    return sorted(described, key=group)


def products(run: Run) -> list[Product]:
    """Tables and figures of the study; what the kinds of its tasks have nothing for is not among them."""
    asked = described(run)
    every, methods = asked["datasets"], asked["methods"]
    all_rows = [one for one in every if one["share"] is None]
    decided = [one for one in all_rows if one["kind"] in ("classes", "labels")]
    classes = [one for one in all_rows if one["kind"] == "classes"]
    numbers = [one for one in all_rows if one["kind"] == "numbers"]
    apart = [one for one in all_rows if _has_parts(one)]
    found = [
        Product(
            "task_data",
            "Table of the data of each task",
            f"{_WRITE}:data",
            {"cards": run.cards("task"), "relatives": run.relatives("task")},
            {"datasets": every},
        ),
        _product(
            "performance",
            "Table of every method",
            all_rows,
            methods,
            {**_metrics(run, all_rows), "reading": facts(run)},
        ),
    ]
    pairs = pretraining_pairs([one["name"] for one in methods], run.methods)
    if pairs or any(one["kind"] in ("baseline", "reference") for one in methods):
        needs = {"comparisons": _comparisons(run, all_rows)}
        title = "Table of differences from the best baseline"
        found.append(_product("comparison", title, all_rows, methods, needs))
    if apart:
        title = "Table of single classes, labels and numbers"
        found.append(_product("parts", title, apart, methods, _metrics(run, apart)))
    if len(every) > len(all_rows):
        needs = {"comparisons": _comparisons(run, every), **_of_curve(run, every)}
        title = "Table of learning curves"
        found.append(_product("learning_curve", title, every, methods, needs))
    if files := cross_files(run):
        matched = [one for one in all_rows if one["name"] in crossed(run)]
        needs = {"cross": files, **_metrics(run, matched)}
        title = "Every task tested on every other"
        found.append(_product("matrix", f"Table: {title.lower()}", matched, methods, needs))
        figure = _product("matrix_figure", title, matched, methods, needs, kind="figure")
        found.append(replace(figure, file="task_matrix"))
    for name, title, datasets, judged in (
        ("curves", "ROC and precision-recall curves", decided, True),
        ("confusion", "Confusion of classes", classes, False),
        ("calibration", "Calibration of probabilities", decided, False),
        ("scatter", "Predicted and true numbers", numbers, True),
    ):
        if datasets:
            needs = {"predictions": run.every(PREDICTIONS, "task", None, _names(datasets))}
            needs |= _metrics(run, datasets) if judged else {}
            found.append(_product(name, title, datasets, methods, needs, kind="figure"))
    if len(every) > len(all_rows):
        found.append(
            Product(
                "task_learning_figure",
                "Learning curves",
                f"{_WRITE}:learning_figure",
                _of_curve(run, every),
                {"datasets": every, "methods": methods},
                kind="figure",
                file="task_learning_curve",
            )
        )
    return [*found, *explained_products(run, "task", asked, positions=True)]


def _has_parts(dataset: Mapping[str, Any]) -> bool:
    """Whether its metrics are those of several classes, labels or numbers, each by itself."""
    least = {"classes": 3, "labels": 1, "numbers": 2}[dataset["kind"]]
    return len(dataset["names"]) >= least


def _product(
    name: str, title: str, datasets: list, methods: list, needs: dict[str, Any], **more: Any
) -> Product:
    arguments = {"datasets": datasets, "methods": methods}
    return Product(f"task_{name}", title, f"{_WRITE}:{name}", needs, arguments, **more)


def _of_curve(run: Run, datasets: list) -> dict[str, Any]:
    return {"cards": run.cards("task"), **_metrics(run, datasets)}


def _metrics(run: Run, datasets: list) -> dict[str, Any]:
    return {"metrics": run.every(METRICS, "task", None, _names(datasets))}


def _comparisons(run: Run, datasets: list) -> list[str]:
    return [run.place(f"task/{name}/comparison.tsv") for name in _names(datasets)]


def _names(described: Iterable[Mapping[str, Any]]) -> list[str]:
    return [one["name"] for one in described]
