"""Makes the products of `studies.explained` from their files."""

from typing import Any

import pandas as pd

from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.reporting.attribution import motif_figure
from nucleotune.reporting.attribution_texts import TABLES
from nucleotune.reporting.motifs import drawn_motifs, motifs_table, run_titles, summaries_table
from nucleotune.reporting.texts import read_texts


def attribution_table(files: Any, *, study: str, described: dict) -> tuple[pd.DataFrame, dict]:
    """How far the explanations of a study can be trusted."""
    runs = run_titles(study, files.summaries, described)
    summaries = [read_json(path) for path in files.summaries]
    return summaries_table(dict(zip(runs, summaries, strict=True))), TABLES["attribution"]


def motif_table(files: Any, *, study: str, described: dict) -> tuple[pd.DataFrame, dict]:
    """The motifs of a study's explained models."""
    runs = run_titles(study, files.motifs, described)
    tables = [read_tsv(path) for path in files.motifs]
    return motifs_table(dict(zip(runs, tables, strict=True))), read_texts(study).motifs


def logos(files: Any, svg: str, *, study: str, described: dict) -> None:
    """Logos of the motifs of a study's explained models."""
    runs = run_titles(study, files.motifs, described)
    motif_figure(drawn_motifs(runs, files.motifs, files.patterns, files.contributions), svg)
