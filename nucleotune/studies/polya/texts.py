"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts
from nucleotune.studies.polya.tables import headlines

ASKED = (
    "Does a fine-tuned language model predict to the nucleotide where yeast's transcripts end, better than a"
    " convolutional network on the sequence alone (paper on poly(A) sites)?"
)

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "polya_figure3": {
        "title": "Figure 3. Observed and predicted profiles of test genes",
        "caption": "Share of a gene's reads by position, from the first nucleotide of the stop codon on; grey:"
        " observed. Genes are selected by rule: among the half of the test genes with the most reads in their poorest"
        " condition, those at the 10th, 50th and 90th percentile of Pearson's correlation (mean over conditions"
        " and trained methods, first seed). Panels of one gene and condition have the same scale, given with the"
        " observed profile; r: correlation with it.",
    },
    "polya_figure6": {
        "title": "Figure 6. Losses by epoch",
        "caption": "Thin: training, as the epoch went, with dropout; thick: validation. The circle is the epoch whose"
        " weights were kept. Dashed: validation loss of the average profile, which is not trained. Losses are weighted"
        " as each method was trained.",
    },
    "polya_figure7": {
        "title": "Figure 7. Motifs behind the predictions",
        "caption": f"{attribution_texts.MOTIFS}, and the median distance of its middle to the position"
        " with most reads (quartiles).",
    },
    "polya_figure8": {
        "title": "Figure 8. Contributions along sequences, and distance and order of the elements",
        "caption": "Above: what each nucleotide contributes to the prediction, by DeepLIFT for networks on"
        " nucleotides, by integrated gradients for those on k-mers, and what it is worth above a base at random, by"
        " in-silico mutagenesis. Sequences are selected by rule: of those that were mutated, they are at the 25th,"
        " 50th and 75th percentile of the correlation of both ways in the first model; of each the stretch with the"
        " highest contributions. Blue: seqlets of patterns that fit a known element. Below: all seqlets of such"
        " patterns, by distance to the position with most reads of the gene (genes have several sites); the share"
        " of genes in which nucleotides of known words contribute more, on average, than the others within the"
        " same 10 nt (shaded: 95 %), whether or not motifs were made of them; and the share of genes whose elements"
        " lie in the known order and distance (table Order of the elements).",
    },
}

TEXTS = Texts(
    title="where transcripts are cut",
    asked=ASKED,
    figures=FIGURES,
    motifs=attribution_texts.MOTIF_TABLE
    | {
        "caption": f"{attribution_texts.MOTIF_TABLE['caption']} Distance: from the motif's middle to the"
        " position with most reads, median over seqlets, negative upstream."
    },
    headlines=headlines,
    compared=(
        "Each method against the average profile of the training genes, on the same test genes. Paired bootstrap over"
        " genes; Wilcoxon's signed-rank test of the genes' correlations."
    ),
)
