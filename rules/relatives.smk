"""Relatives of test rows in training, looked for once for each data set, whatever the study.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet; those of the pool where a method starts from it
OUTPUTS: results/<study>/<dataset>/relatives.parquet, relatives.json
"""


rule relatives:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        pool=lambda wildcards: RUN.pool(wildcards.study, wildcards.dataset),
    output:
        relatives="results/{study}/{dataset}/relatives.parquet",
        shares="results/{study}/{dataset}/relatives.json",
    log:
        "logs/relatives/{study}.{dataset}.log",
    benchmark:
        "results/benchmarks/relatives/{study}.{dataset}.tsv"
    conda:
        "../envs/nucleotune.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        both_strands=lambda wildcards: RUN.studies[wildcards.study].both_strands(
            RUN, wildcards.dataset
        ),
        further=lambda wildcards: RUN.studies[wildcards.study].other_tests,
        version=stage_number("relatives"),
    message:
        "Looking for relatives of the test rows of {wildcards.dataset} in training"
    script:
        "../scripts/relatives.py"
