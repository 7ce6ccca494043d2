"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts

ASKED = (
    "Does a nucleotide language model predict the labels of these sequences better than the classical methods do, on"
    " the same rows and with an interval?"
)

TEXTS = Texts(
    title="Tasks of your own",
    asked=ASKED,
    figures={"task_motifs": attribution_texts.LOGOS},
    motifs=attribution_texts.MOTIF_TABLE,
)
