"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts
from nucleotune.studies.polya.tables import headlines

ASKED = (
    "Does a fine-tuned language model predict to the nucleotide where yeast's transcripts end, better than a"
    " convolutional network that reads only the sequence (paper on poly(A) sites)?"
)

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "polya_figure3": {
        "title": "Figure 3. Observed and predicted profiles of test genes",
        "caption": "Share of a gene's reads by position, starting at the first nucleotide of the stop codon;"
        " grey: observed. Genes are selected by rule: among the half of the test genes with the most reads in"
        " their poorest"
        " condition, those at the 10th, 50th and 90th percentile of Pearson's correlation (mean over conditions"
        " and trained methods, first seed). Panels of one gene and condition share a scale, given with the"
        " observed profile; r: correlation with that profile.",
    },
    "polya_figure6": {
        "title": "Figure 6. Losses by epoch",
        "caption": "Thin: training loss during the epoch, with dropout; thick: validation loss. The circle"
        " marks the epoch whose weights were kept. Dashed: validation loss of the average profile, which is not"
        " trained. Losses have the weights with which each method was trained.",
    },
    "polya_figure7": {
        "title": "Figure 7. Motifs behind the predictions",
        "caption": f"{attribution_texts.MOTIFS}, and the median distance from its middle to the position with"
        " the most reads (quartiles).",
    },
    "polya_figure8": {
        "title": "Figure 8. Contributions along sequences, and distance and order of the elements",
        "caption": "Above: the contribution of each nucleotide to the prediction, by DeepLIFT for networks on"
        " nucleotides or by integrated gradients for those on k-mers, and its effect relative to a random base,"
        " by in-silico mutagenesis. Sequences are selected by rule: of the mutated ones, those at the 25th,"
        " 50th and 75th percentile of the correlation between the two methods in the first model; each is shown"
        " where contributions are highest. Blue: seqlets of patterns that match a known element. Below: all"
        " seqlets of such patterns, by distance to the gene's position with the most reads (genes have several"
        " sites); the share"
        " of genes in which nucleotides of known words contribute more, on average, than the others within the"
        " same 10 nt (shaded: 95 %), whether or not they became motifs; and the share of genes whose elements"
        " have the known order and distance (table Order of the elements).",
    },
}

TEXTS = Texts(
    title="where transcripts are cut",
    asked=ASKED,
    figures=FIGURES,
    motifs=attribution_texts.MOTIF_TABLE
    | {
        "caption": f"{attribution_texts.MOTIF_TABLE['caption']} Distance: from the motif's middle to the"
        " position with the most reads, median over seqlets, negative upstream."
    },
    headlines=headlines,
    compared=(
        "Each method against the average profile of the training genes, on the same test genes. Paired bootstrap over"
        " genes; Wilcoxon's signed-rank test of the genes' correlations."
    ),
)
