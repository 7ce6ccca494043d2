"""Tables 1-3 and Figure 3 of the lncRNA study, each a target of its own name.

REQUIRED INPUTS: cards, metrics and predictions of the study's data sets; resources/published/lncrna*.tsv
OUTPUTS: results/tables/lncrna_table<N>.tsv and .html, results/figures/lncrna_figure3.svg and .png
"""

TARGETS["lncrna"] = [
    *expand("results/tables/lncrna_table{n}.{kind}", n=[1, 2, 3], kind=["tsv", "html"]),
    *expand("results/figures/lncrna_figure3.{kind}", kind=["svg", "png"]),
]

LNCRNA_DATASETS = plan.describe_datasets(DATASETS["lncrna"], RUN["species"])
LNCRNA_METHODS = plan.describe_methods(METHODS["lncrna"], RUN["methods"])
LNCRNA_LANGUAGE_MODELS = [name for name in METHODS["lncrna"] if name in LANGUAGE_MODELS]


localrules:
    lncrna,
    lncrna_table1,
    lncrna_table2,
    lncrna_table3,
    lncrna_figure3,


rule lncrna:
    input:
        TARGETS["lncrna"],


rule lncrna_table1:
    input:
        cards=expand("results/lncrna/{dataset}/card.json", dataset=SHOWN["lncrna"]),
        published=f"{PUBLISHED}/lncrna_datasets.tsv",
    output:
        tsv="results/tables/lncrna_table1.tsv",
        html="results/tables/lncrna_table1.html",
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
        published=f"{PUBLISHED}/lncrna_training.tsv",
    output:
        tsv="results/tables/lncrna_table2.tsv",
        html="results/tables/lncrna_table2.html",
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
        published=f"{PUBLISHED}/lncrna.tsv",
    output:
        tsv="results/tables/lncrna_table3.tsv",
        html="results/tables/lncrna_table3.html",
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
        svg="results/figures/lncrna_figure3.svg",
        png="results/figures/lncrna_figure3.png",
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
