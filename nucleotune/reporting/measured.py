"""What most tables are made of: published numbers, metrics, and data sets with what their cards know of leaks."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.reporting.facts import read_cards
from nucleotune.reporting.leaks import noted


def read_measured(files: Any, datasets: Sequence[dict]) -> tuple[pd.DataFrame, dict, list[dict]]:
    """The first three arguments of most tables, from files `published`, `metrics` and `cards` of a product."""
    return (
        pd.read_csv(files.published, sep="\t"),
        read_metrics(files.metrics),
        noted(datasets, read_cards(files.cards)),
    )
