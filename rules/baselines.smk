"""Classical methods and reference lines, fitted on the rows that the language models train on.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet, and structures.parquet for methods that read structures
OUTPUTS: results/<study>/<dataset>/<method>/seed<seed>/{predictions.parquet,model/,fit.json}
"""


rule baseline:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        structures=lambda wildcards: RUN.structures(
            wildcards.study, wildcards.dataset, wildcards.method
        ),
    output:
        predictions="results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
        model=directory("results/{study}/{dataset}/{method}/seed{seed}/model"),
        summary="results/{study}/{dataset}/{method}/seed{seed}/fit.json",
    log:
        "logs/baseline/{study}.{dataset}.{method}.seed{seed}.log",
    benchmark:
        "results/benchmarks/baseline/{study}.{dataset}.{method}.seed{seed}.tsv"
    wildcard_constraints:
        method=any_of(name for name in RUN.baselines if name not in RUN.originals),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: RUN.methods[wildcards.method]["resources"]["threads"]
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=training_need("runtime"),
    params:
        method=lambda wildcards: without(
            RUN.computed("methods", wildcards.method), "mode", "original"
        ),
        labels=lambda wildcards: RUN.labels(wildcards.study, wildcards.dataset),
        task=lambda wildcards: RUN.task(wildcards.study, wildcards.dataset),
        version=stage_number("baseline"),
    message:
        "Fitting {wildcards.method} on {wildcards.dataset} (seed {wildcards.seed})"
    script:
        "../scripts/baseline.py"
