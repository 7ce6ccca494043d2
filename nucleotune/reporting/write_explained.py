"""Makes the products of `studies.explained` from their files."""

from typing import Any

import pandas as pd

from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.reporting.attribution import motif_figure, positions_figure
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import (
    drawn_motifs,
    drawn_positions,
    motifs_table,
    run_titles,
    summaries_table,
)
from nucleotune.reporting.tables import NOTHING_PUBLISHED
from nucleotune.reporting.texts import read_texts


def attribution_table(files: Any, *, study: str, described: dict) -> tuple[pd.DataFrame, dict]:
    """How far the explanations of a study can be trusted."""
    runs = run_titles(study, files.summaries, described)
    summaries = [read_json(path) for path in files.summaries]
    table = summaries_table(dict(zip(runs, summaries, strict=True)))
    return _written(study, table, TABLES["attribution"])


def motif_table(files: Any, *, study: str, described: dict) -> tuple[pd.DataFrame, dict]:
    """The motifs of a study's explained models."""
    runs = run_titles(study, files.motifs, described)
    tables = [read_tsv(path) for path in files.motifs]
    table = motifs_table(dict(zip(runs, tables, strict=True)))
    return _written(study, table, read_texts(study).motifs)


def logos(files: Any, svg: str, *, study: str, described: dict) -> None:
    """Logos of the motifs of a study's explained models."""
    runs = run_titles(study, files.motifs, described)
    motif_figure(drawn_motifs(runs, files.motifs, files.patterns, files.contributions), svg)


def contributions(files: Any, svg: str, *, study: str, described: dict) -> None:
    """Mean contributions by position of a study's explained models."""
    runs = run_titles(study, files.contributions, described)
    positions_figure(drawn_positions(runs, files.contributions), svg)


def _written(study: str, table: pd.DataFrame, texts: dict) -> tuple[pd.DataFrame, dict]:
    """A table and its texts, without a word on published numbers in a study that has none."""
    if read_texts(study).published:
        return table, texts
    notes = table["note"].replace(NOTHING_PUBLISHED, "")
    return table.assign(note=notes), {**texts, "statuses": False}
