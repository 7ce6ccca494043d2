"""Tables 4-6 of the LoRA-BERT paper: partial transcripts. Arguments as in `reporting.performance`.

Methods carry a `view`, of a language model what it is shown of a transcript ("transcript" or "orf"), else None.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from nucleotune.evaluation.titles import METRICS
from nucleotune.reporting.performance import Described, Metrics, stacked
from nucleotune.studies.lncrna.plan import part_name
from nucleotune.studies.lncrna.tables import PERFORMANCE

#: What Table 6 of the paper calls a language model of each view.
SENSITIVITY = {"orf": "Original", "transcript": "No ORF"}

_LABELS = {"dataset": "Data set", "kept": "Kept", "method": "Method", **METRICS}
_CAPTION = (
    "Middle part of the test transcripts, both ends cut off equally; lncRNA is the positive class. "
)

#: Title, caption and column labels of each table, as `tables.write_table` takes them.
TABLES: dict[int, dict[str, Any]] = {
    number: {
        "title": f"Table {number}. lncRNA or mRNA: partial transcripts{species}",
        "caption": _CAPTION
        + "Language models read the longest open reading frame of the remaining part.",
        "labels": _LABELS,
    }
    for number, species in ((4, ""), (5, " of the mouse"))
}
TABLES[6] = {
    "title": "Table 6. Partial transcripts, with and without the open reading frame",
    "caption": _CAPTION
    + "Language models that read the longest open reading frame of the remaining part, and ones that read all of it.",
    "labels": _LABELS,
}


def partial_table(
    number: int,
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    kept: Sequence[float],
) -> pd.DataFrame:
    """Table 4 or 5, keys dataset, kept and method.

    `published` holds lncrna.tsv, `kept` the shares shown; of language models those that read the open reading frame
    belong here.
    """
    chosen = published.loc[published["table"] == number]
    return _by_share(chosen, metrics, datasets, methods, kept)


def sensitivity_table(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    kept: Sequence[float],
) -> pd.DataFrame:
    """Table 6, keys dataset, kept and method: language models of both views on the largest share in `kept`."""
    models = [
        {**one, "published_as": one["published_as"] and SENSITIVITY[one["view"]]}
        for one in methods
        if one["view"] is not None
    ]
    chosen = published.loc[published["table"] == 6]
    return _by_share(chosen, metrics, datasets, models, sorted(kept)[-1:])


def _by_share(
    published: pd.DataFrame,
    metrics: Metrics,
    datasets: Described,
    methods: Described,
    kept: Sequence[float],
) -> pd.DataFrame:
    return stacked(
        "kept",
        [
            (
                f"{100 * share:g} %",
                published.loc[published["kept_fraction"] == share],
                datasets,
                {metric: (part_name(share), metric) for metric in PERFORMANCE},
            )
            for share in kept
        ],
        metrics,
        methods,
    )
