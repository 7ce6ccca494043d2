"""Makes the products of tasks of one's own from their files: arguments as `studies.task.products` gives them."""

from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import not_run, read_metrics
from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.reporting.facts import read_cards
from nucleotune.studies.task import figures, tables
from nucleotune.tasks import task_of

Written = tuple[pd.DataFrame, dict]


def data(files: Any, *, datasets: list) -> Written:
    """Rows, classes or values, what was dropped, relatives."""
    table, labels = tables.data_table(read_cards(files.cards, files.relatives), datasets)
    return table, tables.texts("data", labels)


def performance(files: Any, *, datasets: list, methods: list) -> Written:
    """Every method, with intervals, and what is not read of the sequences, or in windows."""
    reading = {name: found for path in files.reading for name, found in read_json(path).items()}
    table = tables.performance_table(read_metrics(files.metrics), datasets, methods, reading)
    return table, tables.texts("performance", {"part": "Test set"})


def comparison(files: Any, *, datasets: list, methods: list) -> Written:
    """Paired differences from the best baseline."""
    table, labels = tables.comparison_table(_compared(files), datasets, methods)
    return table, tables.texts("comparison", labels)


def parts(files: Any, *, datasets: list, methods: list) -> Written:
    """Every class, label or number by itself."""
    table, labels = tables.parts_table(read_metrics(files.metrics), datasets, methods)
    return table, tables.texts("parts", labels)


def matrix(files: Any, *, datasets: list, methods: list) -> Written:
    """Every task tested on every other."""
    cells = tables.crossed_cells(read_metrics(files.metrics), map(read_json, files.cross))
    table = tables.matrix_table(cells, datasets, methods)
    return table, tables.texts("matrix", tables.MATRIX_LABELS)


def matrix_figure(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """The same, drawn."""
    cells = tables.crossed_cells(read_metrics(files.metrics), map(read_json, files.cross))
    figures.matrix_figure(cells, datasets, methods, svg)


def learning_curve(files: Any, *, datasets: list, methods: list) -> Written:
    """The main metric by number of training rows, and from where on the best language model is ahead."""
    cards, metrics = read_cards(files.cards), read_metrics(files.metrics)
    table = tables.learning_table(cards, metrics, datasets, methods)
    said = tables.where_models_win(cards, metrics, _compared(files), datasets, methods)
    return table, tables.texts("learning_curve", said=said)


def learning_figure(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """The same, drawn."""
    cards, metrics = read_cards(files.cards), read_metrics(files.metrics)
    figures.learning_figure(cards, metrics, datasets, methods, svg)


def curves(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """ROC and precision-recall curves."""
    found = _predictions(files, datasets)
    figures.curves_figure(found, read_metrics(files.metrics), datasets, methods, svg)


def confusion(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """Which classes are called for which."""
    figures.confusion_figure(_predictions(files, datasets), datasets, methods, svg)


def calibration(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """Whether probabilities are what they say."""
    figures.calibration_figure(_predictions(files, datasets), datasets, methods, svg)


def scatter(files: Any, svg: str, *, datasets: list, methods: list) -> None:
    """Predicted and true numbers."""
    found = _predictions(files, datasets)
    figures.scatter_figure(found, read_metrics(files.metrics), datasets, methods, svg)


def _compared(files: Any) -> dict[str, pd.DataFrame]:
    return {Path(path).parent.name: read_tsv(path) for path in files.comparisons}


def _predictions(files: Any, datasets: list) -> figures.Predictions:
    """Validation and test rows of results/<study>/<dataset>/<method>/seed<seed>/predictions.parquet that ran."""
    kinds = {one["name"]: one["kind"] for one in datasets}
    found: figures.Predictions = {}
    for path in map(Path, files.predictions):
        if not_run(path):
            continue
        dataset, method, seed = path.parts[-4:-1]
        table = task_of(kinds[dataset]).read_predictions(path, splits=["valid", "test"])
        seeds = found.setdefault(dataset, {}).setdefault(method, {})
        seeds[int(seed.removeprefix("seed"))] = table
    return found
