"""What the page of the study says in words."""

from nucleotune.reporting.texts import Texts

_LINES = "Grey, dashed or dotted: single-feature baselines."

ASKED = (
    "Does a fine-tuned language model tell lncRNAs from mRNAs better than the classical methods it is claimed"
    " to beat (LoRA-BERT paper)?"
)

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "lncrna_figure3": {
        "title": "Figure 3. ROC curves, full-length transcripts",
        "caption": f"Test examples; lncRNA is the positive class. {_LINES}",
    },
    "lncrna_figure4": {
        "title": "Figure 4. ROC curves, partial transcripts",
        "caption": f"The middle part of the test transcripts, both ends cut off equally. {_LINES}",
    },
    "lncrna_figure5": {
        "title": "Figure 5. ROC curves, partial transcripts of the mouse",
        "caption": f"The middle part of the test transcripts, both ends cut off equally. {_LINES}",
    },
}

TEXTS = Texts(
    title="lncRNA or mRNA?",
    asked=ASKED,
    figures=FIGURES,
    rows="transcripts",
)
