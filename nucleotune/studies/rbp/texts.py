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
        "caption": "Test examples, one dot per protein. a: every method, the line is the mean. From b on: the"
        " fine-tuned model against each other method on the same protein; dots above the diagonal are wins.",
    },
    "rbp_figure3": {
        "title": "Figure 3. Attention and transcript regions",
        "caption": "Sequences outside the training split. a: how much heads differ in their relative attention to"
        " [CLS], as coefficient of variation; values above 20 % are drawn at the upper edge and labelled. b, c:"
        " relative attention of every head, for one protein and region; the frame marks the most specialised"
        " head. d: rank correlation, in the most specialised head, between raw attention and the share of"
        " sequences with the region; rings: the model trained from random weights. A head chosen as the best of"
        " all is also correlated by chance."
        " e: that share by raw attention, mean and standard deviation of three random subsets; dashed: share of all"
        f" sequences. {_HEADS}",
    },
    "rbp_figure4": {
        "title": "Figure 4. What fine-tuning leaves of attention patterns",
        "caption": "Pearson's correlation, over all heads, between the attention ratios of the model before and"
        " after fine-tuning (colour); one dot per protein, the line is the median. Grey: as a control, the"
        " model trained from random weights instead of the one before fine-tuning. A correlation that the"
        " control also reaches says nothing about pre-training.",
    },
    "rbp_figure5": {
        "title": "Figure 5. Attention and secondary structure, before and after fine-tuning",
        "caption": "Share of tokens with a structure, by the raw attention to them, in the head of the fine-tuned"
        " model with the most attention to loops; mean and standard deviation of three random subsets of the sequences."
        " Dashed: share of all tokens. The program that predicted the structures is named at the bottom of the"
        f" figure. {_HEADS}",
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
