"""What the page of the study says in words."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.headlines import headlines
from nucleotune.reporting.performance import Described, Metrics
from nucleotune.reporting.texts import Texts
from nucleotune.studies.task.figures import BINS, FEWEST, MOST, WRITTEN

ASKED = (
    "Does a nucleotide language model predict the labels of these sequences better than the classical methods do, on"
    " the same rows and with an interval?"
)

#: What the page says of the paired comparisons.
COMPARED = (
    "Each method against the baseline that is best on the validation split by the main metric, the first one here, on"
    " the same test rows. Differences: paired bootstrap; decisions, where a row is right or wrong as a whole: McNemar's"
    " exact test. Methods whose intervals contain 0 cannot be told apart from that baseline."
)

_SHOWN = f"At most {MOST} tasks are drawn, and {MOST} classes, labels or numbers of each."

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "task_curves": {
        "title": "ROC and precision-recall curves",
        "caption": "Test rows, mean over seeds. Of two classes the second is looked for, of more each"
        f" against the rest. Grey: what guessing gives. {_SHOWN}",
    },
    "task_confusion": {
        "title": "Which classes are taken for which",
        "caption": "Of the test rows of each class (a line) the share that was called each class, and how many rows"
        " that is, mean over seeds.",
    },
    "task_calibration": {
        "title": "Are probabilities what they say?",
        "caption": f"Test rows of all seeds in {BINS} bins of probability, those with {FEWEST} or more: on the grey"
        " diagonal probabilities come true as often as they say. Of more than two classes, the probability of the most"
        " likely one; of several labels, all of them together.",
    },
    "task_scatter": {
        "title": "Predicted and true numbers",
        "caption": "Test rows of the first seed. On the grey line both are the same. Correlations and R2 are means over"
        f" seeds. {_SHOWN}",
    },
    "task_matrix": {
        "title": "Every task tested on every other",
        "caption": "The main metric of each method: a line for each task that it was trained on, a column for each that"
        " it was tested on, darker for more, from the lowest to the highest of tasks with the same labels. Test rows of"
        " another task that have a relative among the rows that the method has seen are left out; the table says how"
        f" many. Numbers are written for at most {WRITTEN} tasks.",
    },
    "task_learning_curve": {
        "title": "How many training rows are needed?",
        "caption": "The main metric on the same test rows, by number of training rows. Bars tell how much the choice of"
        " test rows matters, not that of training rows.",
    },
    "task_motifs": attribution_texts.LOGOS,
}


def of_whole(
    metrics: Metrics,
    comparisons: Mapping[str, pd.DataFrame],
    datasets: Described,
    methods: Described,
    bootstrap: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Findings on all training rows of each task; shares of them are for the learning curve."""
    whole = [one for one in datasets if one["share"] is None]
    return headlines(metrics, comparisons, whole, methods, bootstrap)


TEXTS = Texts(
    title="Tasks of your own",
    asked=ASKED,
    figures=FIGURES,
    rows="rows",
    compared=COMPARED,
    headlines=of_whole,
    motifs=attribution_texts.MOTIF_TABLE,
)
