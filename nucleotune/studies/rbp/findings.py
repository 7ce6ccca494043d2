"""What the attention analyses of the BERT-RBP study found: three tables, their files, and many proteins joined.

Figures 3 to 5 are drawn from these files alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.frames import read_parquet, read_tsv, write_parquet, write_tsv

KEYS = ["model", "property", "kind"]
SUMMARY = [
    *(*KEYS, "n", "n_with", "background", "cv", "layer", "head"),
    *("highest", "bins", "spearman", "similarity", "note"),
]
HEADS = [*KEYS, "layer", "head", "value"]
CURVES = [*KEYS, "chosen", "layer", "head", "begin", "end", "n", "probability", "mean", "sd"]


@dataclass(frozen=True)
class Findings:
    """What was found, in three tables; layers and heads count from 0.

    All begin with `model` (`after`, `before`, `scratch`: `rbp.load_models`), `property` and `kind` (`rbp_properties`).

    summary  one row per model and kind. `n`: sequences of which it is known; `n_with`: those that have it;
             `background`:
             share of the sequences (regions) or tokens that have it; `cv`: coefficient of variation over all heads, a
             share; `layer`, `head`: the most specialised head, `highest` its value; `spearman`: of raw attention and
             probability in that head, over its `bins` that have samples; `similarity`: Pearson's correlation with the
             first model, over all heads; `note`: why numbers are missing
    heads    `layer`, `head`, `value`: relative attention of regions (equation 1), attention ratio of boundaries and
             structures (equation 2)
    curves   `chosen`, `layer`, `head`, then the columns of `statistics.probability_by_attention`. `chosen` is `own` for
             the most specialised head of the kind, and `loops` for one head for all structures: that of the first model
             with the most attention to loops, each kind's ratio taken relative to its background (figure 5, where one
             head leads in all three)
    """

    summary: pd.DataFrame
    heads: pd.DataFrame
    curves: pd.DataFrame


def make_findings(
    summaries: Sequence[Mapping[str, Any]],
    heads: Sequence[pd.DataFrame],
    curves: Sequence[pd.DataFrame],
) -> Findings:
    """Findings from rows of `summary` (what a row lacks is missing) and the parts, if any, of the other two."""
    return Findings(
        _typed(pd.DataFrame(list(summaries), columns=SUMMARY)),
        *(
            pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
            for parts, columns in ((heads, HEADS), (curves, CURVES))
        ),
    )


def write_findings(
    findings: Findings, *, summary: str | Path, heads: str | Path, curves: str | Path
) -> None:
    """Write the three tables, each atomically: `summary` as TSV, `heads` and `curves` as Parquet."""
    write_tsv(summary, findings.summary, float_format="%.9g")
    for path, table in ((heads, findings.heads), (curves, findings.curves)):
        write_parquet(path, table)


def gather_findings(
    files: Mapping[str, tuple[str | Path, str | Path, str | Path]],
) -> Findings:
    """The findings of many proteins, {title: paths of summary, heads, curves}; the title is the first column, `rbp`.

    Of no protein, the tables are empty.
    """
    if not files:
        return Findings(
            *(pd.DataFrame(columns=["rbp", *names]) for names in (SUMMARY, HEADS, CURVES))
        )
    tables: tuple[list[pd.DataFrame], ...] = ([], [], [])
    for title, (summary, heads, curves) in files.items():
        read = (
            _typed(read_tsv(summary)),
            read_parquet(heads),
            read_parquet(curves),
        )
        for parts, table in zip(tables, read, strict=True):
            table.insert(0, "rbp", title)
            parts.append(table)
    return Findings(
        *(
            # Empty tables have no types of their own, and would change those of the others.
            pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
            for parts in tables
        )
    )


def _typed(summary: pd.DataFrame) -> pd.DataFrame:
    summary["note"] = summary["note"].fillna("")
    return summary.astype(dict.fromkeys(("layer", "head", "bins"), "Int64"))
