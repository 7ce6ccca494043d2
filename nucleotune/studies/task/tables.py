"""Tables of tasks of one's own: their data, every method, paired differences, single parts, and learning curves.

Arguments as in `reporting.performance`. Data sets are those of `plan.described_tasks`; `cards` are data cards by data
set, `comparisons` the content of comparison.tsv by data set.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from nucleotune.evaluation.titles import ALL_METRICS
from nucleotune.reporting.answer import AHEAD
from nucleotune.reporting.facts import Card, in_words
from nucleotune.reporting.headlines import headlines
from nucleotune.reporting.performance import (
    WITHOUT,
    WITHOUT_CAPTION,
    Described,
    Metrics,
    joined,
    performance,
    unrelated_labels,
    with_unrelated,
)
from nucleotune.reporting.tables import NOTHING_PUBLISHED, long_table, row
from nucleotune.tasks import compared

_NOTHING = pd.DataFrame(columns=["species", "method"])
_KEYS = {
    "dataset": "Data set",
    "part": "Part",
    "step": "Rows",
    "method": "Method",
    "against": "Against",
    "training": "Training rows",
    "trained": "Trained on",
    "tested": "Tested on",
    "name": "Class, label or number",
}
#: What a table shows of a part of a metrics.json, in this order.
_OF_PARTS = tuple(dict.fromkeys(("n", "positive", "auroc", "auprc", "f1", "recall", *ALL_METRICS)))

#: Labels of the metrics of the matrix that are counts.
MATRIX_LABELS = {
    "left_out": "Test rows left out",
    "identical": "of these the very same",
}

#: Data set trained on -> data set tested on -> method -> metrics.
Cells = dict[str, dict[str, dict[str, Mapping[str, Any]]]]

#: Title and caption of each table.
TABLES: dict[str, dict[str, Any]] = {
    "data": {
        "title": "Data",
        "caption": "Rows of each part, and how many of each class, or with each label; of numbers the median. Dropped:"
        " rows that cleaning left out. Relatives: share of the test rows that align with a row of training at this"
        " identity.",
    },
    "performance": {
        "title": "Every method",
        "caption": "Test rows, and further test sets where there are some. The first metric is the one by which models"
        f" and baselines are chosen, on validation rows. {WITHOUT_CAPTION}",
    },
    "comparison": {
        "title": "Differences from the best baseline",
        "caption": "Method minus the baseline that is best on validation rows, on the same test rows: paired bootstrap."
        " p is of a task's first difference, that of its main metric; p (Holm) is corrected for the number of methods.",
    },
    "parts": {
        "title": "Every class, label or number by itself",
        "caption": "Test rows; a class is judged against the rest. A label counts where it is known.",
    },
    "matrix": {
        "title": "Every task tested on every other",
        "caption": "The main metric of the methods of each task on the test rows of all tasks with the same labels."
        " Test rows of another task that have a relative among the rows that a method has seen are left out; on its own"
        " test rows it is judged as in the other tables.",
    },
    "learning_curve": {
        "title": "Learning curve",
        "caption": "Validation and test rows are the same for all numbers of training rows, and fewer training rows are"
        " part of more.",
    },
}


def texts(name: str, labels: Mapping[str, str] | None = None, said: str = "") -> dict[str, Any]:
    """Texts of a table as `tables.write_table` takes them; `said` follows the caption."""
    shown = TABLES[name]
    caption = " ".join(filter(None, (shown["caption"], said)))
    titles = {**_KEYS, **ALL_METRICS, **unrelated_labels(*ALL_METRICS), **(labels or {})}
    return {**shown, "caption": caption, "labels": titles, "statuses": False}


def data_table(cards: Mapping[str, Card], datasets: Described) -> tuple[pd.DataFrame, dict]:
    """Rows by part, classes or values, what cleaning dropped, and relatives; keys dataset and step.

    Of a share of the training rows only these. Returns also the labels of its metrics.
    """
    rows, labels = [], {"rows": "All"}
    for dataset in datasets:
        card = cards[dataset["name"]]
        for step, found in _steps(card, dataset):
            for metric, (title, value) in found.items():
                labels[metric] = title
                keys = {"dataset": dataset["title"], "step": step}
                rows.append(_plain_row(keys, metric, value))
    order = {name: n for n, name in enumerate(labels)}
    rows.sort(key=lambda one: order[one["metric"]])
    table = long_table(rows, ["dataset", "step"])
    return _in_order_of_first(table, [dataset["title"] for dataset in datasets]), labels


def performance_table(
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    reading: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Every method on the test rows and on further test sets, keys dataset, part and method.

    Notes say what a method does not read of the sequences, or in windows: `reading` is data set -> `reading` -> method
    -> what `studies.reading.read_by` returns.
    """
    tables = []
    asked = methods
    for dataset in datasets:
        read = reading.get(dataset["name"], {}).get("reading", {})
        cut_off = ""
        if by := dataset["threshold"]:
            cut_off = f"decides at the cut-off of the best {ALL_METRICS[by]} on validation rows"
        methods = [
            {**one, "note": joined((one["note"], in_words(read.get(one["name"])), cut_off))}
            for one in asked
        ]
        for split in ("test", *(f"test-{name}" for name in dataset["tests"])):
            places = {name: (split, name) for name in shown_metrics(dataset)}
            places = with_unrelated(places, dataset["main_metric"])
            table = performance(_NOTHING, metrics, [dataset], methods, places)
            table.insert(1, "part", split.removeprefix("test-"))
            if split != "test":
                table.loc[~table["metric"].str.endswith(WITHOUT), "n_test"] = float("nan")
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def comparison_table(
    comparisons: Mapping[str, pd.DataFrame], datasets: Described, methods: Described
) -> tuple[pd.DataFrame, dict]:
    """Paired differences, keys dataset, method and against. Returns also the labels of its metrics."""
    titles = {method["name"]: method["title"] for method in methods}
    labels = {"p": "p", "p_holm": "p (Holm)", "mcnemar_p": "McNemar p"}
    rows = []
    for dataset in datasets:
        table = comparisons[dataset["name"]]
        names = [c.removeprefix("delta_") for c in table if c.startswith("delta_")]
        labels |= {f"delta_{name}": f"{ALL_METRICS[name]} difference" for name in names}
        for found in table.to_dict("records"):
            keys = {
                "dataset": dataset["title"],
                "method": titles[found["method"]],
                "against": titles[found["against"]],
            }
            for name in names:
                prefix = "" if name == names[0] else f"{name}_"
                value = {"value": found[f"delta_{name}"]}
                value |= {end: found[prefix + end] for end in ("ci_low", "ci_high")}
                rows.append(_row(keys, f"delta_{name}", value, note=found["note"]))
                if name == names[0]:
                    both = ("p", "p_holm")
                    rows += [_row(keys, p, {"value": found[p]}, note=found["note"]) for p in both]
            if "mcnemar_p" in found:
                value = {"value": found["mcnemar_p"]}
                rows.append(_row(keys, "mcnemar_p", value, note=found["note"]))
    # Differences of all kinds first.
    rows.sort(key=lambda one: not one["metric"].startswith("delta_"))
    return long_table(rows, ["dataset", "method", "against"]), labels


def parts_table(
    metrics: Metrics, datasets: Described, methods: Described
) -> tuple[pd.DataFrame, dict]:
    """Every class, label or number by itself, keys dataset, name and method. Returns also the labels of its metrics."""
    rows = []
    for dataset in datasets:
        ran = [one for one in methods if "parts" in metrics[dataset["name"]].get(one["name"], {})]
        for name in dataset["names"]:
            for method in ran:
                measured = metrics[dataset["name"]][method["name"]]
                found = measured["parts"]["test"][name]
                keys = {"dataset": dataset["title"], "name": name, "method": method["title"]}
                for metric in (one for one in _OF_PARTS if one in found):
                    value = found[metric]
                    if not isinstance(value, dict):
                        rows.append(_plain_row(keys, metric, value))
                        continue
                    rows.append(
                        _row(
                            keys,
                            metric,
                            value,
                            seeds=len(measured["seeds"]),
                            note=value.get("reason", "") if value["value"] is None else "",
                        )
                    )
    return long_table(rows, ["dataset", "name", "method"]), {"n": "Rows", "positive": "With it"}


def crossed_cells(metrics: Metrics, crosses: Iterable[Mapping[str, Any]]) -> Cells:
    """Metrics of every method on the test rows of its own task and of others; `crosses` are contents of cross.json."""
    cells: Cells = {name: {name: dict(of)} for name, of in metrics.items()}
    for content in crosses:
        for tested, found in content["tests"].items():
            of = cells[content["dataset"]].setdefault(tested, {})
            of[content["method"]] = found
    return cells


def matrix_table(cells: Cells, datasets: Described, methods: Described) -> pd.DataFrame:
    """The main metric of what a method was trained on, keys trained, tested and method, and what was left out."""
    rows = []
    for trained, tested in itertools.product(datasets, datasets):
        of = cells[trained["name"]].get(tested["name"], {})
        for method in (one for one in methods if one["name"] in of):
            found = of[method["name"]]
            note = f"not run: {found['not_run']}" if "not_run" in found else method["note"]
            keys = {
                "trained": trained["title"],
                "tested": tested["title"],
                "method": method["title"],
            }
            counts = {"n_test": found["n_test"], "seeds": len(found["seeds"]) or None}
            main = trained["main_metric"]
            value = found["splits"].get("test", {}).get(main)
            rows.append(_row(keys, main, value, **counts, note=note))
            if trained is not tested:
                rows += [_plain_row(keys, key, found[key]) for key in MATRIX_LABELS]
    rows.sort(key=lambda one: one["metric"] in MATRIX_LABELS)
    return long_table(rows, ["trained", "tested", "method"])


def learning_table(
    cards: Mapping[str, Card], metrics: Metrics, datasets: Described, methods: Described
) -> pd.DataFrame:
    """The main metric by number of training rows, keys dataset, training and method."""
    rows = []
    for whole, points in curves(datasets):
        main = whole["main_metric"]
        for point in points:
            keys = {"dataset": whole["title"], "training": _amount(cards, point)}
            for method in methods:
                found = metrics[point["name"]].get(method["name"])
                if not found:
                    continue
                note = f"not run: {found['not_run']}" if "not_run" in found else method["note"]
                rows.append(
                    _row(
                        {**keys, "method": method["title"]},
                        main,
                        found["splits"].get("test", {}).get(main),
                        n_test=found["n_test"],
                        seeds=len(found["seeds"]) or None,
                        note=note,
                    )
                )
    return long_table(rows, ["dataset", "training", "method"])


def where_models_win(
    cards: Mapping[str, Card],
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
) -> str:
    """From how many training rows on the best language model is ahead of the best baseline: a sentence a task."""
    if not any(method["kind"] == "language_model" for method in methods):
        return "No language model is in this run."
    said = []
    for whole, points in curves(datasets):
        verdicts = {
            one["dataset"]: one["contest"].verdict
            for one in headlines(metrics, comparisons, points, methods)
        }
        first = None
        for point in reversed(points):
            if verdicts.get(point["title"]) != AHEAD:
                break
            first = point
        said.append(
            f"{whole['title']}: the best language model is ahead of the best baseline from"
            f" {_amount(cards, first)} training rows on."
            if first
            else f"{whole['title']}: the best language model is not ahead of the best baseline with all training rows."
        )
    return " ".join(said)


def curves(datasets: Described) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    """Each data set with all of its training rows, and it and its shares from few rows to all."""
    for whole in (one for one in datasets if one["share"] is None):
        shares = [
            one for one in datasets if one["whole"] == whole["name"] and one["share"] is not None
        ]
        if shares:
            yield whole, [*sorted(shares, key=lambda one: one["share"]), whole]


def training_rows(card: Card) -> int:
    """Rows of the training part."""
    return sum(card["splits"]["train"].values())


def shown_metrics(dataset: Mapping[str, Any]) -> list[str]:
    """Metrics of the tables, the main one first."""
    parts = len(dataset["names"])
    further = ["auprc"] if dataset["kind"] == "classes" and parts == 2 else []
    kept = [dataset["main_metric"], *compared(dataset["kind"], parts), *further]
    return list(dict.fromkeys(kept))


def _amount(cards: Mapping[str, Card], dataset: Mapping[str, Any]) -> str:
    return f"{training_rows(cards[dataset['name']]):,} ({100 * (dataset['share'] or 1):g} %)"


def _steps(
    card: Card, dataset: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, tuple[str, float | None]]]]:
    """What a row of the table of data is about, and of each metric its title and value."""
    if dataset["share"] is not None:
        yield "train", _of_part(card, dataset, "train")
        return
    for step in dict.fromkeys(one["step"] for one in card["waterfall"]):
        first = step == card["waterfall"][0]["step"]
        key = "kept" if first else "dropped"
        by_class = {one["class"]: one[key] for one in card["waterfall"] if one["step"] == step}
        found: dict[str, tuple[str, float | None]] = {"rows": ("All", sum(by_class.values()))}
        if dataset["kind"] == "classes":
            found |= {f"class:{name}": (name, n) for name, n in by_class.items()}
        yield (step if first else f"dropped, {step}"), found
    for part in card["splits"]:
        yield part, _of_part(card, dataset, part)


def _of_part(
    card: Card, dataset: Mapping[str, Any], part: str
) -> dict[str, tuple[str, float | None]]:
    sizes = card["splits"][part]
    found: dict[str, tuple[str, float | None]] = {"rows": ("All", sum(sizes.values()))}
    if dataset["kind"] == "classes":
        found |= {f"class:{name}": (name, n) for name, n in sizes.items()}
    elif dataset["kind"] == "labels":
        of = card["labels"][part]
        found |= {f"label:{name}": (f"With {name}", one["present"]) for name, one in of.items()}
        if unknown := sum(one["unknown"] for one in of.values()):
            found["unknown"] = ("Unknown labels", unknown)
    else:
        of = card["numbers"][part]
        found |= {f"value:{name}": (f"{name}, median", one["median"]) for name, one in of.items()}
    for identity, share in (card["related"].get(part, {}).get("shares_at") or {}).items():
        found[f"related:{identity}"] = (f"Relatives at {identity} %", share)
    return found


def _row(keys: Mapping[str, str], metric: str, value: Any, **more: Any) -> dict[str, Any]:
    """A row of the table contract that no published number stands beside."""
    made = row(keys, metric, None, value, comparable=False, **more)
    return {**made, "note": "" if made["note"] == NOTHING_PUBLISHED else made["note"]}


def _plain_row(keys: Mapping[str, str], metric: str, value: float | None) -> dict[str, Any]:
    return _row(keys, metric, {"value": value})


def _in_order_of_first(table: pd.DataFrame, titles: Iterable[str]) -> pd.DataFrame:
    """Rows by data set, and of each the first metric's before the others, so that keys come in its order."""
    order = {title: n for n, title in enumerate(titles)}
    key = table["dataset"].map(order)
    return table.iloc[key.argsort(kind="stable")].reset_index(drop=True)
