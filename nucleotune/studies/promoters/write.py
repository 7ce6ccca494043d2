"""Makes the products of the promoter study from their files: arguments as `studies.promoters.products` gives them.

What draws is imported where it is called: half a second that tables need not wait.
"""

from typing import Any

import pandas as pd

from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.measured import read_measured
from nucleotune.studies.promoters import tables

Written = tuple[pd.DataFrame, dict]


def table1(files: Any, *, datasets: list, methods: list) -> Written:
    """High or low expression, by length of the promoters."""
    return tables.table1(*read_measured(files, datasets), methods), tables.TABLES[1]


def table2(files: Any, *, datasets: list, methods: list) -> Written:
    """All methods on four tasks."""
    return tables.table2(*read_measured(files, datasets), methods), tables.TABLES[2]


def table3(files: Any, *, datasets: list) -> Written:
    """Expression of protein-coding and lncRNA genes."""
    published = pd.read_csv(files.published, sep="\t")
    return tables.table3(published, read_cards(files.cards), datasets), tables.TABLES[3]


def table4(files: Any, *, datasets: list, methods: list) -> Written:
    """DNABERT by size of k-mers."""
    return tables.table4(*read_measured(files, datasets), methods), tables.TABLES[4]


def truncation(files: Any, *, datasets: list, methods: list) -> Written:
    """Table 1 again: language models by the side at which they cut promoters that are too long."""
    measured = read_measured(files, datasets)
    table = tables.truncation_table(*measured, methods, read_json(files.reading))
    return table, tables.TABLES["truncation"]


def controls(files: Any, *, titles: list, labels: list) -> Written:
    """How peaked attention is: of the models of Figure 2 and of their controls."""
    peaks = {title: read_tsv(path) for title, path in zip(titles, files.peaks, strict=True)}
    return tables.controls_table(peaks, labels), tables.TABLES["controls"]


def figure2(files: Any, svg: str, *, titles: list, labels: list) -> None:
    """Attention along promoters, by class."""
    from nucleotune.studies.promoters.figures import profile_figure

    shown = {title: read_tsv(path) for title, path in zip(titles, files.attention, strict=True)}
    profile_figure(shown, dict(enumerate(labels)), svg)
