"""Makes the products of the poly(A) study from their files: arguments as `studies.polya.products` gives them.

What draws is imported where it is called: half a second that tables need not wait.
"""

import itertools
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.attribution.contributions import read_contributions
from nucleotune.contracts import read_metrics
from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.profile_contracts import (
    examples_digest,
    read_profile_examples,
    read_profile_predictions,
)
from nucleotune.reporting import attribution_texts
from nucleotune.studies.polya.tables import TABLES, polya_table3, polya_table4, searches_of

Written = tuple[pd.DataFrame, dict]


def table3(files: Any, *, datasets: list, methods: list, settings: dict, found: dict) -> Written:
    """Published, configured and searched hyper-parameters."""
    training: dict[str, dict[str, list]] = {}
    for path in files.training:
        dataset, method = Path(path).parts[-4:-2]
        training.setdefault(dataset, {}).setdefault(method, []).append(read_json(path))
    digests = {
        Path(path).parts[-2]: examples_digest(read_profile_examples(path))
        for path in files.examples
        if Path(path).parts[-2] in found
    }
    published, searches = pd.read_csv(files.published, sep="\t"), searches_of(found, digests)
    return polya_table3(published, settings, training, searches, datasets, methods), TABLES[3]


def table4(files: Any, *, datasets: list, methods: list) -> Written:
    """Metrics of profiles, and the comparison with the mean profile."""
    table = polya_table4(
        pd.read_csv(files.published, sep="\t"),
        read_metrics(files.metrics),
        {Path(path).parent.name: read_tsv(path) for path in files.comparisons},
        datasets,
        methods,
    )
    return table, TABLES[4]


def figure3(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """Observed and predicted profiles of typical test genes."""
    from nucleotune.reporting.figures import styles_of
    from nucleotune.studies.polya.figures import profiles_figure, typical_genes

    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    runs = itertools.product(datasets, methods)
    paths = {
        (dataset["name"], method["title"]): path
        for (dataset, method), path in zip(runs, files.predictions, strict=True)
    }
    genes, names = {}, {}
    for dataset, path in zip(datasets, files.examples, strict=True):
        examples = read_profile_examples(path, splits=["test"])
        predictions = {
            method["title"]: read_profile_predictions(
                paths[dataset["name"], method["title"]], splits=["test"]
            )
            for method in methods
        }
        names[dataset["title"]] = examples.tracks
        genes[dataset["title"]] = typical_genes(examples, predictions, lines)
    profiles_figure(genes, names, svg, styles=styles_of(methods))


def figure6(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """Losses by epoch, one panel per data set."""
    from nucleotune.reporting.figures import styles_of
    from nucleotune.studies.polya.figures import loss_figure

    panels = {one["name"]: one["title"] for one in datasets}
    titles = {one["name"]: one["title"] for one in methods}
    histories: dict[str, dict[str, list]] = {}
    for path in files.training:
        dataset, method = Path(path).parts[-4:-2]
        panel = histories.setdefault(panels[dataset], {})
        panel.setdefault(titles[method], []).append(read_tsv(path))
    loss_figure(histories, svg, styles=styles_of(methods))


def figure8(files: Any, svg: str, *, described: dict, length: int) -> None:
    """Contributions along typical sequences, and where the elements are."""
    from nucleotune.reporting.attribution import Places, elements_figure
    from nucleotune.reporting.motifs import run_titles, tracks, typical

    chosen, rows, places = {}, [], []
    for run, *paths in zip(
        run_titles("polya", files.contributions, described),
        files.contributions,
        files.agreement,
        files.seqlets,
        files.words,
        files.order,
        strict=True,
    ):
        explained = read_contributions(paths[0])
        agreement, seqlets, words, in_order = (read_tsv(path) for path in paths[1:])
        # All models of a data set are shown on the same sequences.
        if run[0] not in chosen:
            chosen[run[0]] = typical(agreement, explained)
        rows += tracks(run, explained, seqlets, chosen[run[0]])
        places.append(Places(", ".join(run), seqlets, words, in_order))
    elements_figure(rows, places, length, svg)


def order(files: Any, *, described: dict) -> Written:
    """Whether the elements are in order more often than by chance."""
    from nucleotune.reporting.motifs import order_table, run_titles

    runs = run_titles("polya", files.order, described)
    found = [read_tsv(path) for path in files.order]
    return order_table(dict(zip(runs, found, strict=True))), attribution_texts.TABLES["order"]
