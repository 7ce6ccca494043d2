"""Titles and captions of the tables and figures of explained models, as far as studies share them."""

from typing import Any

#: Caption of logos, without full stop.
MOTIFS = (
    "Patterns that TF-MoDISco (modisco-lite, one strand) finds where contributions are high. Left: mean"
    " contribution of each base; middle: bases, in bits above the composition of the sequences; right: the"
    " best-matching known motif, with its false discovery rate among the patterns"
)

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
    "Patterns of TF-MoDISco (modisco-lite, one strand); a consensus letter is in at least half of the seqlets,"
    " N is any letter. p: probability that a random element of the same shape, with letters drawn from the"
    " sequences' composition, matches as well at its best position, for the best of all known elements; q:"
    " false discovery rate among patterns."
)

#: Texts of the table of motifs of classifiers.
MOTIF_TABLE = {"title": "Motifs behind the predictions", "caption": _TABLE, "labels": _LABELS}

#: Title and caption of the logos of classifiers.
LOGOS = {
    "title": "Motifs behind the predictions",
    "caption": f"{MOTIFS}. Contributions explain the difference of the logits (class 1 minus class 0) for class-1"
    " sequences.",
}

#: Title, caption and column labels, as `tables.write_table` takes them.
TABLES: dict[str, dict[str, Any]] = {
    "attribution": {
        "title": "How far explanations can be trusted",
        "caption": "Completeness: contributions of a sequence should add up to the change of the explained number from"
        " its references; delta is the error: its median and maximum over sequences, and the maximum divided by"
        " the mean change. Agreement: correlation along a sequence between contributions and the effect of each"
        " nucleotide by in-silico mutagenesis, mean over the mutated sequences, with the 95 % bootstrap"
        " interval. Motifs of models on tokens are made from the effects of substitutions. Methods explained by these"
        " effects alone have neither.",
        "labels": {
            "dataset": "Data set",
            "method": "Method",
            "way": "Contributions",
            "motifs_from": "Motifs are made from",
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
        "caption": "Share of genes whose elements have the known order and distance. If a gene has several"
        " seqlets of an element, the one with the greatest contribution counts; the site is the position with"
        " the most reads. Control: the same after shuffling each element's positions among genes, mean and 95 %"
        " of 1,000 permutations, which keeps the overall distribution of positions. p: share of permutations"
        " that reach the observed share.",
        "labels": {
            **_LABELS,
            "test": "Test",
            "share": "Share",
            "control": "Control",
            "p": "p",
        },
    },
}
