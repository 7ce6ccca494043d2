"""Published numbers beside those of this run, one row per data set, method and metric: what most tables are made of.

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

from nucleotune.evaluation.titles import ALL_METRICS
from nucleotune.evaluation.unrelated import IDENTITY
from nucleotune.reporting.tables import NOTHING_PUBLISHED, long_table, row

#: Ends the name of a metric that is of the test rows without a relative in training.
WITHOUT = "_without_relatives"
#: What a caption says of such a metric.
WITHOUT_CAPTION = (
    "Without relatives: the same on the test rows that align with no row of training at"
    f" {100 * IDENTITY:g} % identity or more."
)

Described = Sequence[Mapping[str, Any]]
Metrics = Mapping[str, Mapping[str, Mapping[str, Any]]]


def performance(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    places: Mapping[str, tuple[str, str]],
    species: Collection[str | None] | None = None,
) -> pd.DataFrame:
    """Rows for metrics found in metrics.json at `places`, {metric: (split, metric there)} (see also `with_unrelated`).

    species: those of the paper whose rows are shown, by default what `datasets` stand for.
    """
    species = named_species(datasets) if species is None else species
    rows, covered = [], set()
    for dataset in datasets:
        ran = metrics.get(dataset["name"], {})
        for method in (one for one in methods if one["name"] in ran):
            found = ran[method["name"]]
            printed = printed_row(
                published, species=dataset["published_as"], method=method["published_as"]
            )
            notes = (dataset["note"], method["note"])
            if "not_run" in found:
                notes = (f"not run: {found['not_run']}",)
            comparable = dataset["comparable"] and method["comparable"]
            if comparable and printed:
                covered.add((dataset["published_as"], method["published_as"]))
            keys = {"dataset": dataset["title"], "method": method["title"]}
            for metric, (split, name) in places.items():
                if metric.endswith(WITHOUT):
                    rows += _without_row(keys, metric, found, (split, name), joined(notes))
                    continue
                rows.append(
                    row(
                        keys,
                        metric,
                        printed.get(metric),
                        found["splits"].get(split, {}).get(name),
                        comparable=comparable,
                        n_test=found["n_test"] if split.startswith("test") else None,
                        seeds=len(found["seeds"]) or None,
                        note=joined(notes),
                    )
                )
    for printed in rows_of_run(published, species):
        if (printed["species"], printed["method"]) not in covered:
            keys = {"dataset": as_published(printed["species"]), "method": printed["method"]}
            rows += rows_not_run(keys, {name: printed[name] for name in places if name in printed})
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
    species = {name for _, _, datasets, _ in parts for name in named_species(datasets)}
    for value, published, datasets, places in parts:
        table = performance(published, metrics, datasets, methods, places, species)
        table.insert(1, key, value)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    order = {title: place for place, title in enumerate(dict.fromkeys(table["dataset"]))}
    return table.sort_values("dataset", key=lambda titles: titles.map(order), kind="stable")


def with_unrelated(places: Mapping[str, tuple[str, str]], main: str) -> dict[str, tuple[str, str]]:
    """Places of `performance`, and behind `main` the same on the test rows without a relative in training."""
    found = {}
    for metric, place in places.items():
        found[metric] = place
        if metric == main:
            found[main + WITHOUT] = place
    return found


def unrelated_labels(*mains: str) -> dict[str, str]:
    """Titles of metrics on the test rows without a relative in training."""
    return {main + WITHOUT: f"{ALL_METRICS[main]} without relatives" for main in mains}


def _without_row(
    keys: Mapping[str, str],
    metric: str,
    found: Mapping[str, Any],
    place: tuple[str, str],
    note: str,
) -> list[dict[str, Any]]:
    """The row of a metric on the test rows without a relative in training, which no paper has; or why there is none."""
    split, name = place
    seeds = len(found["seeds"]) or None
    if "not_run" in found:
        return [row(keys, metric, None, None, comparable=False, note=note)]
    part = found.get("without_relatives", {"splits": {}})["splits"].get(split)
    if part is None:
        return []
    entry = part[name]
    made = row(
        *(keys, metric, None, entry),
        comparable=False,
        n_test=part["rows"],
        seeds=seeds,
        note=note,
    )
    if entry["value"] is None:
        made |= {"status": "not comparable", "note": joined((entry["reason"], note))}
    return [{**made, "note": "" if made["note"] == NOTHING_PUBLISHED else made["note"]}]


def named_species(datasets: Described) -> set[str | None]:
    """What the paper calls the species that some data sets stand for."""
    return {dataset["published_as"] for dataset in datasets}


def rows_of_run(published: pd.DataFrame, species: Collection[str | None]) -> list[dict[str, Any]]:
    """Published rows of these species: others are no part of the run's question."""
    return published[published["species"].isin(list(species))].to_dict("records")


def printed_row(published: pd.DataFrame, **keys: str | None) -> dict[str, Any]:
    """The published row with these keys, or an empty one."""
    if None in keys.values():
        return {}
    chosen = published
    for column, value in keys.items():
        chosen = chosen.loc[chosen[column] == value]
    return chosen.iloc[0].to_dict() if len(chosen) else {}


def rows_not_run(keys: Mapping[str, str], numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of published numbers without a run next to them."""
    return [row(keys, metric, value, None, comparable=False) for metric, value in numbers.items()]


def as_published(species: str) -> str:
    """A data set of the paper; never the title of one of ours, so that its rows stand apart."""
    return f"{species.capitalize()} (as published)"


def joined(notes: Iterable[str]) -> str:
    """Notes as one text."""
    return "; ".join(note for note in notes if note)
