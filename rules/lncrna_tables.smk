"""Tables 1-6 and Figures 3-5 of the lncRNA study, each a target of its own name.

REQUIRED INPUTS: cards, metrics and predictions of the study's data sets; resources/published/lncrna*.tsv
OUTPUTS: results/tables/lncrna_table<N>.tsv and .html, results/figures/lncrna_figure<N>.svg and .png
"""

LNCRNA_DATASETS = describe_datasets(DATASETS["lncrna"], RUN["species"])
LNCRNA_METHODS = plan.describe_methods(SETTINGS["lncrna"]["methods"], RUN["methods"])
LNCRNA_LANGUAGE_MODELS = [name for name in SETTINGS["lncrna"]["methods"] if name in LANGUAGE_MODELS]
# Tables and Figures 4 and 5 are of one kind: those of the mouse, and those of all others.
LNCRNA_MOUSE = [one for one in LNCRNA_DATASETS if one["published_as"] == "mouse"]
LNCRNA_OTHERS = [one for one in LNCRNA_DATASETS if one not in LNCRNA_MOUSE]
# On partial transcripts a language model reads the longest open reading frame.
LNCRNA_PARTIAL_METHODS = [one for one in LNCRNA_METHODS if one["view"] != "transcript"]

REPORTED["lncrna"] = {
    "datasets": LNCRNA_DATASETS,
    "methods": LNCRNA_METHODS,
    "pools": pool_titles(DATASETS["lncrna"]),
}

TARGETS["lncrna"] = [
    *expand(
        of_run("tables/lncrna_table{n}.{kind}"),
        n=[1, 2, 3, *([4] if LNCRNA_OTHERS else []), *([5] if LNCRNA_MOUSE else []), 6],
        kind=["tsv", "html"],
    ),
    *expand(
        of_run("figures/lncrna_figure{n}.{kind}"),
        n=[3, *([4] if LNCRNA_OTHERS else []), *([5] if LNCRNA_MOUSE else [])],
        kind=["svg", "png"],
    ),
]


localrules:
    lncrna,
    lncrna_table1,
    lncrna_table2,
    lncrna_table3,
    lncrna_table4,
    lncrna_table5,
    lncrna_table6,
    lncrna_figure3,
    lncrna_figure4,
    lncrna_figure5,


rule lncrna:
    input:
        end_of("lncrna"),


rule lncrna_table1:
    input:
        cards=cards_of(LNCRNA_DATASETS),
        published=f"{PUBLISHED}/lncrna_datasets.tsv",
    output:
        tsv=of_run("tables/lncrna_table1.tsv"),
        html=of_run("tables/lncrna_table1.html"),
    log:
        "logs/lncrna_table1.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=LNCRNA_DATASETS,
    message:
        "Table 1: transcripts of each class"
    script:
        "../scripts/lncrna_table1.py"


rule lncrna_table2:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json", "lncrna", LNCRNA_LANGUAGE_MODELS
        ),
        cards=cards_of(LNCRNA_DATASETS),
        published=f"{PUBLISHED}/lncrna_training.tsv",
    output:
        tsv=of_run("tables/lncrna_table2.tsv"),
        html=of_run("tables/lncrna_table2.html"),
    log:
        "logs/lncrna_table2.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=LNCRNA_DATASETS,
        methods=LNCRNA_METHODS,
    message:
        "Table 2: loss and accuracy in training and test"
    script:
        "../scripts/lncrna_table2.py"


rule lncrna_table3:
    input:
        metrics=every("results/{study}/{dataset}/{method}/metrics.json", "lncrna"),
        cards=cards_of(LNCRNA_DATASETS),
        published=f"{PUBLISHED}/lncrna.tsv",
    output:
        tsv=of_run("tables/lncrna_table3.tsv"),
        html=of_run("tables/lncrna_table3.html"),
    log:
        "logs/lncrna_table3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=LNCRNA_DATASETS,
        methods=LNCRNA_METHODS,
    message:
        "Table 3: full-length transcripts, all methods"
    script:
        "../scripts/lncrna_table3.py"


rule lncrna_figure3:
    input:
        predictions=every(
            "results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet", "lncrna"
        ),
        metrics=every("results/{study}/{dataset}/{method}/metrics.json", "lncrna"),
    output:
        svg=of_run("figures/lncrna_figure3.svg"),
        png=of_run("figures/lncrna_figure3.png"),
    log:
        "logs/lncrna_figure3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=LNCRNA_DATASETS,
        methods=LNCRNA_METHODS,
        seeds=SETTINGS["seeds"],
    message:
        "Figure 3: ROC curves"
    script:
        "../scripts/lncrna_figure3.py"


rule lncrna_table4:
    input:
        metrics=expand(
            "results/lncrna/{dataset}/{method}/metrics.json",
            dataset=[one["name"] for one in LNCRNA_OTHERS],
            method=[one["name"] for one in LNCRNA_PARTIAL_METHODS],
        ),
        cards=cards_of(LNCRNA_OTHERS),
        published=f"{PUBLISHED}/lncrna.tsv",
    output:
        tsv=of_run("tables/lncrna_table4.tsv"),
        html=of_run("tables/lncrna_table4.html"),
    log:
        "logs/lncrna_table4.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        number=4,
        datasets=LNCRNA_OTHERS,
        methods=LNCRNA_PARTIAL_METHODS,
        kept=SETTINGS["lncrna"]["kept"],
    message:
        "Table 4: partial transcripts, all methods"
    script:
        "../scripts/lncrna_table4.py"


use rule lncrna_table4 as lncrna_table5 with:
    input:
        metrics=expand(
            "results/lncrna/{dataset}/{method}/metrics.json",
            dataset=[one["name"] for one in LNCRNA_MOUSE],
            method=[one["name"] for one in LNCRNA_PARTIAL_METHODS],
        ),
        cards=cards_of(LNCRNA_MOUSE),
        published=f"{PUBLISHED}/lncrna.tsv",
    output:
        tsv=of_run("tables/lncrna_table5.tsv"),
        html=of_run("tables/lncrna_table5.html"),
    log:
        "logs/lncrna_table5.log",
    params:
        number=5,
        datasets=LNCRNA_MOUSE,
        methods=LNCRNA_PARTIAL_METHODS,
        kept=SETTINGS["lncrna"]["kept"],
    message:
        "Table 5: partial transcripts of the mouse, all methods"


rule lncrna_table6:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json", "lncrna", LNCRNA_LANGUAGE_MODELS
        ),
        cards=cards_of(LNCRNA_DATASETS),
        published=f"{PUBLISHED}/lncrna.tsv",
    output:
        tsv=of_run("tables/lncrna_table6.tsv"),
        html=of_run("tables/lncrna_table6.html"),
    log:
        "logs/lncrna_table6.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=LNCRNA_DATASETS,
        methods=LNCRNA_METHODS,
        kept=SETTINGS["lncrna"]["kept"],
    message:
        "Table 6: partial transcripts with and without the open reading frame"
    script:
        "../scripts/lncrna_table6.py"


rule lncrna_figure4:
    input:
        predictions=expand(
            "results/lncrna/{dataset}/{method}/seed{seed}/predictions.parquet",
            dataset=[one["name"] for one in LNCRNA_OTHERS],
            method=[one["name"] for one in LNCRNA_PARTIAL_METHODS],
            seed=SETTINGS["seeds"],
        ),
        metrics=rules.lncrna_table4.input.metrics,
    output:
        svg=of_run("figures/lncrna_figure4.svg"),
        png=of_run("figures/lncrna_figure4.png"),
    log:
        "logs/lncrna_figure4.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        species="human or another species",
        datasets=LNCRNA_OTHERS,
        methods=LNCRNA_PARTIAL_METHODS,
        kept=SETTINGS["lncrna"]["kept"],
        seeds=SETTINGS["seeds"],
    message:
        "Figure 4: ROC curves on partial transcripts"
    script:
        "../scripts/lncrna_figure4.py"


use rule lncrna_figure4 as lncrna_figure5 with:
    input:
        predictions=expand(
            "results/lncrna/{dataset}/{method}/seed{seed}/predictions.parquet",
            dataset=[one["name"] for one in LNCRNA_MOUSE],
            method=[one["name"] for one in LNCRNA_PARTIAL_METHODS],
            seed=SETTINGS["seeds"],
        ),
        metrics=rules.lncrna_table5.input.metrics,
    output:
        svg=of_run("figures/lncrna_figure5.svg"),
        png=of_run("figures/lncrna_figure5.png"),
    log:
        "logs/lncrna_figure5.log",
    params:
        species="mouse",
        datasets=LNCRNA_MOUSE,
        methods=LNCRNA_PARTIAL_METHODS,
        kept=SETTINGS["lncrna"]["kept"],
        seeds=SETTINGS["seeds"],
    message:
        "Figure 5: ROC curves on partial transcripts of the mouse"
