"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts
from nucleotune.studies.rbp.tables import headlines

_HEADS = "Layers and heads count from 1, as in the paper."

ASKED = (
    "Does a language model that was pre-trained on the genome predict where a protein binds RNA better than models of"
    " sequence and structure, and does its attention show transcript regions and secondary structure (BERT-RBP paper)?"
)

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "rbp_figure2": {
        "title": "Figure 2. AUROC over proteins",
        "caption": "Test examples, one dot a protein. a: every method, the line is the mean; b and on: the fine-tuned"
        " model against each other method on the same protein, dots above the diagonal are wins.",
    },
    "rbp_figure3": {
        "title": "Figure 3. Attention and transcript regions",
        "caption": "Sequences outside the training split. a: how much heads differ in their relative attention to"
        " [CLS], as coefficient of variation; values above 20 % stand at the upper edge with their number. b, c:"
        " relative attention of every head, one protein and region; the frame marks the most specialised head. d: rank"
        " correlation, in the most specialised head, of raw attention and the share of sequences that have the region;"
        " rings: the model trained from random weights. A head chosen as the best of all is correlated by chance, too."
        " e: that share by raw attention, mean and standard deviation of three random subsets; dashed: share of all"
        f" sequences. {_HEADS}",
    },
    "rbp_figure4": {
        "title": "Figure 4. What fine-tuning leaves of attention patterns",
        "caption": "Pearson's correlation, over all heads, of attention ratios of the fine-tuned model and of the one"
        " before (colour); one dot a protein, the line is the median. Grey: the model trained from random weights in"
        " place of the one before, as control: a correlation that it reaches as well says nothing of pre-training.",
    },
    "rbp_figure5": {
        "title": "Figure 5. Attention and secondary structure, before and after fine-tuning",
        "caption": "Share of tokens that have a structure by the raw attention to them, in the head of the fine-tuned"
        " model with the most attention to loops; mean and standard deviation of three random subsets of the sequences."
        f" Dashed: share of all tokens. What found the structures stands below. {_HEADS}",
    },
    "rbp_motifs": attribution_texts.LOGOS,
}

TEXTS = Texts(
    title="RNA-binding proteins",
    asked=ASKED,
    figures=FIGURES,
    motifs=attribution_texts.MOTIF_TABLE,
    headlines=headlines,
)
