"""Makes the products of the RBP study from their files: arguments as `studies.rbp.products` gives them.

What draws is imported where it is called: half a second that tables need not wait.
"""

from typing import Any

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.measured import read_measured
from nucleotune.sequence.mea import read_engine
from nucleotune.studies.rbp.findings import Findings, gather_findings
from nucleotune.studies.rbp.tables import (
    TABLES,
    auroc_by_protein,
    rbp_table_auroc,
    rbp_table_comparison,
)

Written = tuple[pd.DataFrame, dict]


def auroc(files: Any, *, datasets: list, methods: list, bootstrap: dict) -> Written:
    """AUROC of every method on every protein."""
    table = rbp_table_auroc(*read_measured(files, datasets), methods, bootstrap)
    return table, TABLES["auroc"]


def comparison(
    files: Any, *, datasets: list, methods: list, bootstrap: dict, focus: str
) -> Written:
    """Methods compared over proteins."""
    table = rbp_table_comparison(*read_measured(files, datasets), methods, focus, bootstrap)
    return table, TABLES["comparison"]


def figure2(files: Any, svg: str, *, datasets: list, methods: list, focus: str) -> None:
    """AUROC over proteins."""
    from nucleotune.studies.rbp.figures import auroc_figure

    values = auroc_by_protein(read_metrics(files.metrics), datasets, methods)
    auroc_figure(values, focus, svg)


def figure3(files: Any, svg: str, *, found: dict, titles: dict, example: list | None) -> None:
    """Attention and transcript regions."""
    from nucleotune.studies.rbp.attention_figures import region_figure

    all_found = _gathered(found)
    region_figure(
        all_found.summary,
        all_found.heads,
        all_found.curves,
        svg,
        titles=_but(titles, "before"),
        example=tuple(example) if example else None,
    )


def figure4(files: Any, svg: str, *, found: dict, titles: dict) -> None:
    """Likeness of attention before and after fine-tuning."""
    from nucleotune.studies.rbp.attention_figures import similarity_figure

    similarity_figure(_gathered(found).summary, svg, titles=_but(titles, "after"))


def figure5(files: Any, svg: str, *, found: dict, titles: dict, example: str | None) -> None:
    """Attention and secondary structure."""
    from nucleotune.studies.rbp.attention_figures import structure_figure

    all_found = _gathered(found)
    structure_figure(
        all_found.summary,
        all_found.curves,
        example,
        svg,
        titles=_but(titles, "scratch"),
        engine="; ".join(sorted({read_engine(path) for path in files.structures})),
    )


def _gathered(found: dict) -> Findings:
    return gather_findings({rbp: tuple(paths) for rbp, paths in found.items()})


def _but(titles: dict, name: str) -> dict:
    return {key: title for key, title in titles.items() if key != name}
