"""Motifs (Figure 7) of the poly(A) study, contributions (Figure 8) and the test behind it, each a target of its own name.

REQUIRED INPUTS: results/polya/<dataset>/<method>/seed<seed>/attribution/*
OUTPUTS: results/figures/polya_figure7.*, polya_figure8.*, results/tables/polya_order.*
"""


localrules:
    polya_motifs,
    polya_figure7,
    polya_figure8,
    polya_order,


rule polya_motifs:
    input:
        expand(of_run("tables/polya_motifs.{kind}"), kind=["tsv", "html"]),
        expand(of_run("figures/polya_figure7.{kind}"), kind=["svg", "png"]),


rule polya_figure7:
    input:
        contributions=attribution_files("polya", "contributions.npz"),
        patterns=attribution_files("polya", "patterns.h5"),
        motifs=attribution_files("polya", "motifs.tsv"),
    output:
        svg=of_run("figures/polya_figure7.svg"),
        png=of_run("figures/polya_figure7.png"),
    log:
        "logs/polya_figure7.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        described=REPORTED["polya"],
        version=STAGE["modisco"],
    message:
        "Figure 7: motifs behind the predictions"
    script:
        "../scripts/polya_figure7.py"


rule polya_figure8:
    input:
        contributions=attribution_files("polya", "contributions.npz"),
        agreement=attribution_files("polya", "agreement.tsv"),
        seqlets=attribution_files("polya", "seqlets.tsv"),
        words=attribution_files("polya", "words.tsv"),
        order=attribution_files("polya", "order.tsv"),
    output:
        svg=of_run("figures/polya_figure8.svg"),
        png=of_run("figures/polya_figure8.png"),
    log:
        "logs/polya_figure8.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        described=REPORTED["polya"],
        length=SETTINGS["polya"]["length"],
        version=STAGE["modisco"],
    message:
        "Figure 8: contributions along sequences, distances and order of the elements"
    script:
        "../scripts/polya_figure8.py"


rule polya_order:
    input:
        attribution_files("polya", "order.tsv"),
    output:
        tsv=of_run("tables/polya_order.tsv"),
        html=of_run("tables/polya_order.html"),
    log:
        "logs/polya_order.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        described=REPORTED["polya"],
        version=STAGE["modisco"],
    message:
        "Table of the order of the elements"
    script:
        "../scripts/polya_order.py"
