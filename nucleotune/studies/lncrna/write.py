"""Makes the products of the lncRNA study from their files: arguments as `studies.lncrna.products` gives them.

What draws is imported where it is called: half a second that tables need not wait.
"""

from typing import Any

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.curves import Panel, roc_curves
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted
from nucleotune.reporting.measured import read_measured
from nucleotune.studies.lncrna import partial_tables, tables
from nucleotune.studies.lncrna.plan import part_name

Written = tuple[pd.DataFrame, dict]


def table1(files: Any, *, datasets: list) -> Written:
    """Transcripts of each class: paper and this run."""
    published, cards = pd.read_csv(files.published, sep="\t"), read_cards(files.cards)
    return tables.table1(published, cards, noted(datasets, cards)), tables.TABLES[1]


def table2(files: Any, *, datasets: list, methods: list) -> Written:
    """Loss and accuracy of the language models in training and test."""
    return tables.table2(*read_measured(files, datasets), methods), tables.TABLES[2]


def table3(files: Any, *, datasets: list, methods: list) -> Written:
    """All methods on full-length transcripts."""
    return tables.table3(*read_measured(files, datasets), methods), tables.TABLES[3]


def partial(files: Any, *, number: int, datasets: list, methods: list, kept: list) -> Written:
    """Tables 4 and 5: all methods on partial transcripts."""
    table = partial_tables.partial_table(number, *read_measured(files, datasets), methods, kept)
    return table, partial_tables.TABLES[number]


def table6(files: Any, *, datasets: list, methods: list, kept: list) -> Written:
    """Language models on partial transcripts, with and without the open reading frame."""
    table = partial_tables.sensitivity_table(*read_measured(files, datasets), methods, kept)
    return table, partial_tables.TABLES[6]


def figure3(files: Any, svg: str, *, datasets: list, methods: list, seeds: list) -> None:
    """ROC curves of all methods, one panel per data set."""
    panels = [Panel(one["title"], one["name"], "test") for one in datasets]
    _draw(panels, files, svg, datasets, methods, seeds)


def figure4(
    files: Any,
    svg: str,
    *,
    datasets: list,
    methods: list,
    kept: list,
    seeds: list,
    species: str,
) -> None:
    """Figures 4 and 5: ROC curves on partial transcripts, one panel per data set and share kept."""
    from nucleotune.reporting.figures import note_figure

    panels = [
        Panel(f"{one['title']}, {100 * share:g} % kept", one["name"], part_name(share))
        for one in datasets
        for share in kept
    ]
    if panels:
        _draw(panels, files, svg, datasets, methods, seeds, columns=len(kept))
    else:
        note_figure(f"No data set of the {species} in this run", svg)


def _draw(panels, files, svg, datasets, methods, seeds, **layout):
    from nucleotune.reporting.figures import roc_figure, styles_of

    metrics = read_metrics(files.metrics)
    curves = roc_curves(panels, files.predictions, metrics, datasets, methods, seeds)
    roc_figure(curves, svg, styles=styles_of(methods), **layout)
