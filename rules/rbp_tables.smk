"""Tables and Figures 2-5 of the RBP study, each a target of its own name.

REQUIRED INPUTS: metrics of the study's data sets, attention of its models; resources/published/rbp.tsv
OUTPUTS: results/tables/rbp_table_auroc.*, rbp_table_comparison.*, results/figures/rbp_figure<N>.*
"""

RBP_DATASETS = described_rbps(DATASETS["rbp"], RUN["collections"])
RBP_METHODS = plan.describe_methods(asked_methods(SETTINGS, ["rbp"]), RUN["methods"])
# Whom the others are compared with: the analysed model, or the first method.
RBP_FOCUS = SETTINGS["rbp"]["attention"]["method"] or SETTINGS["rbp"]["methods"][0]
# Title of an RBP -> what was found in its models.
RBP_FINDINGS = {
    one["title"]: [
        f"results/rbp/{one['name']}/attention/{file}"
        for file in ("summary.tsv", "heads.parquet", "curves.parquet")
    ]
    for one in RBP_DATASETS
    if one["name"] in attended()
}

# Findings are made with the structures and regions, whose failure deletes them alone.
INTERMEDIATES["rbp"] = [
    *(path for paths in RBP_FINDINGS.values() for path in paths),
    *(
        f"results/rbp/{name}/{kind}.parquet"
        for name, one in DATASETS["rbp"].items()
        for kind in ("regions", "structures")
        if analysed(RUN, one, kind)
        or (kind == "structures" and any(map(reads_structures, METHODS["rbp"][name])))
    ),
]
REPORTED["rbp"] = {"datasets": RBP_DATASETS, "methods": RBP_METHODS, "pools": {}}

TARGETS["rbp"] = [
    *expand(
        of_run("tables/rbp_table_{name}.{kind}"),
        name=["auroc", "comparison"],
        kind=["tsv", "html"],
    ),
    *expand(
        of_run("figures/rbp_figure{n}.{kind}"),
        n=[2, 3, 4, 5] if RBP_FINDINGS else [2],
        kind=["svg", "png"],
    ),
    *attribution_targets("rbp"),
]


localrules:
    rbp,
    rbp_table_auroc,
    rbp_table_comparison,
    rbp_figure2,
    rbp_figure3,
    rbp_figure4,
    rbp_figure5,


rule rbp:
    input:
        end_of("rbp"),


rule rbp_table_auroc:
    input:
        metrics=every("results/{study}/{dataset}/{method}/metrics.json", "rbp"),
        cards=expand("results/rbp/{dataset}/card.json", dataset=SHOWN["rbp"]),
        published=f"{PUBLISHED}/rbp.tsv",
    output:
        tsv=of_run("tables/rbp_table_auroc.tsv"),
        html=of_run("tables/rbp_table_auroc.html"),
    log:
        "logs/rbp_table_auroc.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        table="auroc",
        focus=RBP_FOCUS,
        datasets=RBP_DATASETS,
        methods=RBP_METHODS,
        bootstrap=SETTINGS["bootstrap"],
    message:
        "AUROC by RBP and method"
    script:
        "../scripts/rbp_table_auroc.py"


use rule rbp_table_auroc as rbp_table_comparison with:
    output:
        tsv=of_run("tables/rbp_table_comparison.tsv"),
        html=of_run("tables/rbp_table_comparison.html"),
    log:
        "logs/rbp_table_comparison.log",
    params:
        table="comparison",
        focus=RBP_FOCUS,
        datasets=RBP_DATASETS,
        methods=RBP_METHODS,
        bootstrap=SETTINGS["bootstrap"],
    message:
        "Methods compared over RBPs"


rule rbp_figure2:
    input:
        every("results/{study}/{dataset}/{method}/metrics.json", "rbp"),
    output:
        svg=of_run("figures/rbp_figure2.svg"),
        png=of_run("figures/rbp_figure2.png"),
    log:
        "logs/rbp_figure2.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        focus=RUN["methods"][RBP_FOCUS]["title"],
        datasets=RBP_DATASETS,
        methods=RBP_METHODS,
    message:
        "Figure 2: AUROC over RBPs"
    script:
        "../scripts/rbp_figure2.py"


rule rbp_figure3:
    input:
        [path for paths in RBP_FINDINGS.values() for path in paths],
    output:
        svg=of_run("figures/rbp_figure3.svg"),
        png=of_run("figures/rbp_figure3.png"),
    log:
        "logs/rbp_figure3.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        figure=3,
        files=RBP_FINDINGS,
        titles=rbp_model_titles(),
        example=rbp_example(RBP_DATASETS, "example", "regions"),
    message:
        "Figure 3: attention and transcript regions"
    script:
        "../scripts/rbp_figure3.py"


use rule rbp_figure3 as rbp_figure4 with:
    output:
        svg=of_run("figures/rbp_figure4.svg"),
        png=of_run("figures/rbp_figure4.png"),
    log:
        "logs/rbp_figure4.log",
    params:
        figure=4,
        files=RBP_FINDINGS,
        titles=rbp_model_titles(),
        example=None,
    message:
        "Figure 4: likeness of attention before and after fine-tuning"


use rule rbp_figure3 as rbp_figure5 with:
    input:
        [path for paths in RBP_FINDINGS.values() for path in paths],
        structures=[
            f"results/rbp/{name}/structures.parquet"
            for name, one in DATASETS["rbp"].items()
            if analysed(RUN, one, "structures")
        ],
    output:
        svg=of_run("figures/rbp_figure5.svg"),
        png=of_run("figures/rbp_figure5.png"),
    log:
        "logs/rbp_figure5.log",
    params:
        figure=5,
        files=RBP_FINDINGS,
        titles=rbp_model_titles(),
        example=rbp_example(RBP_DATASETS, "structure_example", "structures"),
    message:
        "Figure 5: attention and secondary structure"


if ATTRIBUTED["rbp"]:

    rule rbp_motifs:
        input:
            expand(of_run("tables/rbp_motifs.{kind}"), kind=["tsv", "html"]),
            expand(of_run("figures/rbp_motifs.{kind}"), kind=["svg", "png"]),
