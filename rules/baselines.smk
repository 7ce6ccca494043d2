"""Classical methods and reference lines, fitted on the rows that the language models train on.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet, and structures.parquet for methods that read structures
OUTPUTS: results/<study>/<dataset>/<method>/seed<seed>/{predictions.parquet,model/,fit.json}
"""


rule baseline:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        structures=folded,
    output:
        predictions="results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
        model=directory("results/{study}/{dataset}/{method}/seed{seed}/model"),
        summary="results/{study}/{dataset}/{method}/seed{seed}/fit.json",
    log:
        "logs/baseline/{study}.{dataset}.{method}.seed{seed}.log",
    benchmark:
        "results/benchmarks/baseline/{study}.{dataset}.{method}.seed{seed}.tsv"
    wildcard_constraints:
        method=any_of(name for name in BASELINES if name not in ORIGINALS),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: RUN["methods"][wildcards.method]["resources"]["threads"]
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=training_need("runtime"),
    params:
        method=lambda wildcards: without(computed("methods", wildcards.method), "mode", "original"),
        labels=lambda wildcards: labels_of(wildcards.study, wildcards.dataset),
        version=stage_number("baseline"),
    message:
        "Fitting {wildcards.method} on {wildcards.dataset} (seed {wildcards.seed})"
    script:
        "../scripts/baseline.py"
