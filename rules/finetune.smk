"""Fine-tuning language models: one rule for every model, study and stage.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet; for a method with `start_from` that method's model, else
    for a model with published weights resources/checkpoints/<model>/
OUTPUTS: results/<study>/<dataset>/<method>/seed<seed>/{predictions.parquet,model/,training.tsv,training.json}
"""


rule finetune:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        start_from=start_model,
        checkpoint=checkpoint_of,
    output:
        predictions="results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
        model=directory("results/{study}/{dataset}/{method}/seed{seed}/model"),
        training="results/{study}/{dataset}/{method}/seed{seed}/training.tsv",
        summary="results/{study}/{dataset}/{method}/seed{seed}/training.json",
    log:
        "logs/finetune/{study}.{dataset}.{method}.seed{seed}.log",
    benchmark:
        "results/benchmarks/finetune/{study}.{dataset}.{method}.seed{seed}.tsv"
    wildcard_constraints:
        method="|".join(LANGUAGE_MODELS) or "(?!)",
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: model_of(wildcards)["resources"]["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: model_of(wildcards)["resources"]["mem_mb"] * attempt,
        runtime=lambda wildcards, attempt: model_of(wildcards)["resources"]["runtime"] * attempt,
        gpu=lambda wildcards: model_of(wildcards)["resources"]["gpu"],
    params:
        method=lambda wildcards: without(
            RUN["methods"][wildcards.method], "published_as", "comparable", "note"
        ),
        model=lambda wildcards: without(
            model_of(wildcards), "resources", "licence", "non_commercial", "note"
        ),
        # Outside the declared outputs, which Snakemake deletes before a job starts; removed when training has ended.
        state="results/training-state/{study}.{dataset}.{method}.seed{seed}",
        version=STAGE["finetune"],
    message:
        "Training {wildcards.method} on {wildcards.dataset} (seed {wildcards.seed}); progress in {log}"
    script:
        "../scripts/finetune.py"
