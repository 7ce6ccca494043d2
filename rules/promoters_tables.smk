"""Tables 1-4 of the promoter study, Table 1 by side of truncation, and Figure 2, each a target of its own name.

REQUIRED INPUTS: cards and metrics of the study's data sets, trained models; resources/published/promoters*.tsv
OUTPUTS: results/tables/promoters_table<N>.tsv and .html, promoters_truncation.*, promoters_controls.*, results/figures/promoters_figure2.*
"""

PROMOTERS_DATASETS = described_promoters(
    DATASETS["promoters"], RUN["species"], SETTINGS["promoters"]
)
PROMOTERS_EXPRESSION = described_expression(
    DATASETS["promoters"], RUN["species"], SETTINGS["promoters"]
)
PROMOTERS_METHODS = described_promoter_methods(
    asked_methods(SETTINGS, ["promoters"]), RUN["methods"], RUN["models"]
)
PROMOTERS_TRUNCATION = [
    one for one in PROMOTERS_METHODS if one["name"] in SETTINGS["promoters"]["truncation_methods"]
]
# Methods of Tables 1 and 2: all but those that one table alone asks for.
PROMOTERS_COMMON = [
    one
    for one in PROMOTERS_METHODS
    if one["name"]
    in [*SETTINGS["promoters"]["methods"], *SETTINGS["promoters"]["expression_methods"]]
]
PROMOTERS_KMER = [
    one for one in PROMOTERS_METHODS if one["kmer"] and one not in PROMOTERS_TRUNCATION
]
# Table 1 again, of the models that read k-mers: those whose input is short.
PROMOTERS_BY_SIDE = [
    one
    for one in PROMOTERS_METHODS
    if one["name"] in SETTINGS["promoters"]["methods"] and one["truncation"]
] + PROMOTERS_TRUNCATION

CARD_FACTS["promoters"] = [of_run("facts/promoters.json")]
INTERMEDIATES["promoters"] = [
    f"results/promoters/{dataset}/{method}/seed{SETTINGS['seeds'][0]}/attention.tsv"
    for dataset, method in attention_runs()
]
REPORTED["promoters"] = {
    "datasets": PROMOTERS_DATASETS,
    "methods": PROMOTERS_METHODS,
    "pools": {},
}

# Tables of a task that the run does not have would be empty.
PROMOTERS_300 = [one["name"] for one in PROMOTERS_DATASETS if one["length"] == 300]

TARGETS["promoters"] = [
    *expand(
        of_run("tables/promoters_{table}.{kind}"),
        table=["table1", "table2", "table3"] if datasets_of_task("task3") else ["table2"],
        kind=["tsv", "html"],
    ),
    *expand(
        of_run("tables/promoters_{table}.{kind}"),
        table=["table4"] * bool(datasets_of_task("task2") and PROMOTERS_KMER)
        + ["truncation"] * bool(datasets_of_task("task3") and PROMOTERS_BY_SIDE),
        kind=["tsv", "html"],
    ),
    *(
        expand(of_run("figures/promoters_figure2.{kind}"), kind=["svg", "png"])
        + expand(of_run("tables/promoters_controls.{kind}"), kind=["tsv", "html"])
        if attention_runs()
        else []
    ),
    *attribution_targets("promoters"),
]


localrules:
    promoters,
    promoters_table1,
    promoters_table2,
    promoters_table3,
    promoters_table4,
    promoters_truncation,
    promoters_controls,
    promoters_figure2,


rule promoters:
    input:
        end_of("promoters"),


rule promoters_table1:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json",
            "promoters",
            methods=[one["name"] for one in PROMOTERS_COMMON],
            datasets=datasets_of_task("task3"),
        ),
        cards=expand("results/promoters/{dataset}/card.json", dataset=datasets_of_task("task3")),
        published=f"{PUBLISHED}/promoters.tsv",
    output:
        tsv=of_run("tables/promoters_table1.tsv"),
        html=of_run("tables/promoters_table1.html"),
    log:
        "logs/promoters_table1.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        table=1,
        datasets=PROMOTERS_DATASETS,
        methods=PROMOTERS_COMMON,
    message:
        "Table 1: high or low expression, by length of the promoters"
    script:
        "../scripts/promoters_table1.py"


use rule promoters_table1 as promoters_table2 with:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json",
            "promoters",
            methods=[one["name"] for one in PROMOTERS_COMMON],
            datasets=PROMOTERS_300,
        ),
        cards=expand("results/promoters/{dataset}/card.json", dataset=PROMOTERS_300),
        published=f"{PUBLISHED}/promoters.tsv",
    output:
        tsv=of_run("tables/promoters_table2.tsv"),
        html=of_run("tables/promoters_table2.html"),
    log:
        "logs/promoters_table2.log",
    params:
        table=2,
        datasets=PROMOTERS_DATASETS,
        methods=PROMOTERS_COMMON,
    message:
        "Table 2: four tasks"


rule promoters_table3:
    input:
        cards=[f"results/promoters/{one['name']}/card.json" for one in PROMOTERS_EXPRESSION],
        published=f"{PUBLISHED}/promoters_expression.tsv",
    output:
        tsv=of_run("tables/promoters_table3.tsv"),
        html=of_run("tables/promoters_table3.html"),
    log:
        "logs/promoters_table3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=PROMOTERS_EXPRESSION,
    message:
        "Table 3: expression of protein-coding and lncRNA genes"
    script:
        "../scripts/promoters_table3.py"


use rule promoters_table1 as promoters_table4 with:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json",
            "promoters",
            methods=[one["name"] for one in PROMOTERS_KMER],
            datasets=datasets_of_task("task2"),
        ),
        cards=expand("results/promoters/{dataset}/card.json", dataset=datasets_of_task("task2")),
        published=f"{PUBLISHED}/promoters.tsv",
    output:
        tsv=of_run("tables/promoters_table4.tsv"),
        html=of_run("tables/promoters_table4.html"),
    log:
        "logs/promoters_table4.log",
    params:
        table=4,
        datasets=PROMOTERS_DATASETS,
        methods=PROMOTERS_KMER,
    message:
        "Table 4: DNABERT by size of k-mers"


rule promoters_truncation:
    input:
        metrics=every(
            "results/{study}/{dataset}/{method}/metrics.json",
            "promoters",
            methods=[one["name"] for one in PROMOTERS_BY_SIDE],
            datasets=datasets_of_task("task3"),
        ),
        cards=expand("results/promoters/{dataset}/card.json", dataset=datasets_of_task("task3")),
        reading=of_run("facts/promoters.json"),
        published=f"{PUBLISHED}/promoters.tsv",
    output:
        tsv=of_run("tables/promoters_truncation.tsv"),
        html=of_run("tables/promoters_truncation.html"),
    log:
        "logs/promoters_truncation.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=PROMOTERS_DATASETS,
        methods=PROMOTERS_BY_SIDE,
    message:
        "Table 1 by side of truncation"
    script:
        "../scripts/promoters_truncation.py"


rule promoters_controls:
    input:
        [
            f"results/promoters/{dataset}/{method}/seed{SETTINGS['seeds'][0]}/attention_peaks.tsv"
            for dataset, method in attention_runs()
        ],
    output:
        tsv=of_run("tables/promoters_controls.tsv"),
        html=of_run("tables/promoters_controls.html"),
    log:
        "logs/promoters_controls.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        titles=attention_titles(),
        labels=list(PROMOTER_LABELS["task3"]),
    message:
        "How peaked the attention of Figure 2 and of its controls is"
    script:
        "../scripts/promoters_controls.py"


rule promoters_figure2:
    input:
        [
            f"results/promoters/{dataset}/{method}/seed{SETTINGS['seeds'][0]}/attention.tsv"
            for dataset, method in attention_runs()
        ],
    output:
        svg=of_run("figures/promoters_figure2.svg"),
        png=of_run("figures/promoters_figure2.png"),
    log:
        "logs/promoters_figure2.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        titles=attention_titles(),
        labels=list(PROMOTER_LABELS["task3"]),
    message:
        "Figure 2: attention along the promoters"
    script:
        "../scripts/promoters_figure2.py"


if ATTRIBUTED["promoters"]:

    rule promoters_motifs:
        input:
            expand(of_run("tables/promoters_motifs.{kind}"), kind=["tsv", "html"]),
            expand(of_run("figures/promoters_motifs.{kind}"), kind=["svg", "png"]),
