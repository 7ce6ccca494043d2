"""Tables 3 and 4, Figures 3 and 6 of the poly(A) study, each a target of its own name.

REQUIRED INPUTS: examples, predictions, training logs, metrics and comparisons of the study's data sets;
    resources/published/polya*.tsv
OUTPUTS: results/tables/polya_table<N>.tsv and .html, results/figures/polya_figure<N>.svg and .png
"""

POLYA_DATASETS = described_polya(DATASETS["polya"], RUN["species"])
POLYA_METHODS = plan.describe_methods(asked_methods(SETTINGS, ["polya"]), RUN["methods"])

REPORTED["polya"] = {"datasets": POLYA_DATASETS, "methods": POLYA_METHODS, "pools": {}}

TARGETS["polya"] = [
    *expand(of_run("tables/polya_table{n}.{kind}"), n=[3, 4], kind=["tsv", "html"]),
    *expand(of_run("figures/polya_figure{n}.{kind}"), n=[3, 6], kind=["svg", "png"]),
    *attribution_targets("polya"),
]


localrules:
    polya,
    polya_table3,
    polya_table4,
    polya_figure3,
    polya_figure6,


rule polya:
    input:
        end_of("polya"),


rule polya_table3:
    input:
        training=every("results/{study}/{dataset}/{method}/seed{seed}/training.json", "polya"),
        examples=expand("results/polya/{dataset}/examples.parquet", dataset=SHOWN["polya"]),
        published=f"{PUBLISHED}/polya_hyperparameters.tsv",
    output:
        tsv=of_run("tables/polya_table3.tsv"),
        html=of_run("tables/polya_table3.html"),
    log:
        "logs/polya_table3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=POLYA_DATASETS,
        methods=POLYA_METHODS,
        settings={
            one["name"]: {
                key: RUN["methods"][one["name"]][key] for key in ("network", "sizes", "training")
            }
            for one in POLYA_METHODS
        },
        found=found_by_search(),
        version=STAGE["polya_tables"],
    message:
        "Table 3: hyper-parameters"
    script:
        "../scripts/polya_table3.py"


rule polya_table4:
    input:
        metrics=every("results/{study}/{dataset}/{method}/metrics.json", "polya"),
        comparisons=expand(of_run("polya/{dataset}/comparison.tsv"), dataset=SHOWN["polya"]),
        published=f"{PUBLISHED}/polya.tsv",
    output:
        tsv=of_run("tables/polya_table4.tsv"),
        html=of_run("tables/polya_table4.html"),
    log:
        "logs/polya_table4.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=POLYA_DATASETS,
        methods=POLYA_METHODS,
        version=STAGE["polya_tables"],
    message:
        "Table 4: profiles of test genes"
    script:
        "../scripts/polya_table4.py"


rule polya_figure3:
    input:
        examples=expand("results/polya/{dataset}/examples.parquet", dataset=SHOWN["polya"]),
        predictions=[
            f"results/polya/{dataset}/{method}/seed{SETTINGS['seeds'][0]}/predictions.parquet"
            for dataset in SHOWN["polya"]
            for method in METHODS["polya"][dataset]
        ],
    output:
        svg=of_run("figures/polya_figure3.svg"),
        png=of_run("figures/polya_figure3.png"),
    log:
        "logs/polya_figure3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=POLYA_DATASETS,
        methods=POLYA_METHODS,
    message:
        "Figure 3: predicted and observed profiles"
    script:
        "../scripts/polya_figure3.py"


rule polya_figure6:
    input:
        every("results/{study}/{dataset}/{method}/seed{seed}/training.tsv", "polya"),
    output:
        svg=of_run("figures/polya_figure6.svg"),
        png=of_run("figures/polya_figure6.png"),
    log:
        "logs/polya_figure6.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        datasets=POLYA_DATASETS,
        methods=POLYA_METHODS,
    message:
        "Figure 6: losses by epoch"
    script:
        "../scripts/polya_figure6.py"
