"""Titles and captions of the tables and figures of explained models, by study."""

from typing import Any

_MOTIFS = (
    "Patterns that TF-MoDISco (modisco-lite, one strand) makes of the places with high contributions. Left: mean"
    " contribution of each base; middle: bases, in bits above the composition of the sequences; right: the known motif"
    " that fits best, with its false discovery rate among the patterns"
)

#: Study -> name of a figure's file -> its title and caption.
FIGURES: dict[str, dict[str, dict[str, str]]] = {
    "polya": {
        "polya_figure7": {
            "title": "Figure 7. Motifs behind the predictions",
            "caption": f"{_MOTIFS}, and the median distance of its middle to the position with most reads (quartiles).",
        },
        "polya_figure8": {
            "title": "Figure 8. Contributions along sequences, and distance and order of the elements",
            "caption": "Above: what each nucleotide contributes to the prediction, by DeepLIFT for networks on"
            " nucleotides, by integrated gradients for those on k-mers, and what it is worth above a base at random, by"
            " in-silico mutagenesis. Sequences were not picked by eye: of those that were mutated they are at the 25th,"
            " 50th and 75th percentile of the correlation of both ways in the first model; of each the stretch with the"
            " highest contributions. Blue: seqlets of patterns that fit a known element. Below: all seqlets of such"
            " patterns, by distance to the position with most reads of the gene (genes have several sites); the share"
            " of genes in which nucleotides of known words contribute more, on the mean, than the others within the"
            " same 10 nt (shaded: 95 %), whether or not motifs were made of them; and the share of genes whose elements"
            " lie in the known order and distance (table Order of the elements).",
        },
    },
    **{
        study: {
            f"{study}_motifs": {
                "title": "Motifs behind the predictions",
                "caption": f"{_MOTIFS}. Explained is the logit of class 1 less that of class 0, of sequences of class"
                " 1.",
            }
        }
        for study in ("promoters", "rbp")
    },
}

_LABELS = {
    "dataset": "Data set",
    "method": "Method",
    "pattern": "Pattern",
    "consensus": "Consensus",
    "motif": "Known motif",
    "seqlets": "Seqlets",
    "p": "p",
    "q": "q",
    "distance": "Distance to site (nt)",
    "distance_q1": "first quartile",
    "distance_q3": "third quartile",
}

_TABLE = (
    "Patterns of TF-MoDISco (modisco-lite, one strand); letters of a consensus have at least half of the seqlets, N is"
    " any. p: chance that an element of the same shape with letters of the sequences' composition fits as well,"
    " wherever it fits best, for the best of all known elements; q: false discovery rate among patterns."
)

#: Title, caption and column labels, as `tables.write_table` takes them: of the motifs of a study, and of their `order`.
TABLES: dict[str, dict[str, Any]] = {
    "polya": {
        "title": "Motifs behind the predictions",
        "caption": f"{_TABLE} Distance: from the motif's middle to the position with most reads, median over seqlets,"
        " negative upstream.",
        "labels": _LABELS,
    },
    "promoters": {
        "title": "Motifs behind the predictions",
        "caption": _TABLE,
        "labels": _LABELS,
    },
    "rbp": {"title": "Motifs behind the predictions", "caption": _TABLE, "labels": _LABELS},
    "attribution": {
        "title": "How far explanations can be trusted",
        "caption": "Completeness: contributions of a sequence should add up to the change of the explained number from"
        " its references; delta is what they are off, over sequences the median and the largest, and the largest by the"
        " mean change. Agreement: correlation along a sequence of contributions and of what each nucleotide is worth by"
        " in-silico mutagenesis, mean over the mutated sequences, with the 95 % bootstrap interval. Motifs of models on"
        " tokens are made of the effects of substitutions.",
        "labels": {
            "dataset": "Data set",
            "method": "Method",
            "way": "Contributions",
            "motifs_from": "Motifs are made of",
            "sequences": "Sequences",
            "delta_median": "Delta (median)",
            "delta_largest": "Delta (largest)",
            "delta_relative": "by mean change",
            "mutated": "Mutated",
            "pearson": "Agreement (Pearson)",
            "spearman": "Agreement (Spearman)",
        },
    },
    "order": {
        "title": "Order of the elements",
        "caption": "Share of genes whose elements lie in the known order and distance; of several seqlets of an element"
        " in a gene the one with the greatest contribution counts, and the site is the position with most reads."
        " Control: the same when each element's positions are shuffled among genes, mean and 95 % of 1,000"
        " permutations; it keeps where elements lie on the whole. p: share of permutations that reach the observed"
        " one.",
        "labels": {
            **_LABELS,
            "test": "Test",
            "share": "Share",
            "control": "Control",
            "p": "p",
        },
    },
}
