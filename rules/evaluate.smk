"""Metrics with intervals, and paired comparisons with the best baseline.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet (groups), relatives.parquet, <method>/seed<seed>/predictions.parquet
OUTPUTS: results/<study>/<dataset>/<method>/metrics.json, results/<study>/<dataset>/comparison.tsv
"""

# Code behind all kinds of labels: a kind is looked up by its name.
OF_TASKS = "nucleotune.tasks.*"


rule evaluate:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        relatives="results/{study}/{dataset}/relatives.parquet",
        predictions=expand(
            "results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
            seed=RUN.config["seeds"],
            allow_missing=True,
        ),
    output:
        "results/{study}/{dataset}/{method}/metrics.json",
    log:
        "logs/evaluate/{study}.{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/evaluate/{study}.{dataset}.{method}.tsv"
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        task=lambda wildcards: RUN.task(wildcards.study, wildcards.dataset),
        seeds=RUN.config["seeds"],
        bootstrap=RUN.config["bootstrap"],
        judged=lambda wildcards: RUN.studies[wildcards.study].judged(RUN, wildcards.dataset),
        code=code_digest("scripts/evaluate.py", OF_TASKS),
    message:
        "Evaluating {wildcards.method} on {wildcards.dataset}"
    script:
        "../scripts/evaluate.py"


rule compare:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        predictions=lambda wildcards: expand(
            "results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
            study=wildcards.study,
            dataset=wildcards.dataset,
            method=RUN.assigned[wildcards.study][wildcards.dataset],
            seed=RUN.config["seeds"],
        ),
    output:
        RUN.place("{study}/{dataset}/comparison.tsv"),
    log:
        "logs/compare/{study}.{dataset}.log",
    benchmark:
        "results/benchmarks/compare/{study}.{dataset}.tsv"
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        methods=lambda wildcards: RUN.assigned[wildcards.study][wildcards.dataset],
        task=lambda wildcards: RUN.task(wildcards.study, wildcards.dataset),
        against=lambda wildcards: RUN.studies[wildcards.study].against(RUN),
        seeds=RUN.config["seeds"],
        bootstrap=RUN.config["bootstrap"],
        judged=lambda wildcards: RUN.compared(wildcards.study, wildcards.dataset),
        code=code_digest("scripts/compare.py", OF_TASKS),
    message:
        "Comparing all methods on {wildcards.dataset} with the best baseline"
    script:
        "../scripts/compare.py"
