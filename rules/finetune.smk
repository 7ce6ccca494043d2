"""Training: one rule for every model, study, kind of labels and stage; a second one where small trainings share a job.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet; for a method with `start_from` that method's model, else
    for a model with published weights resources/checkpoints/<model>/
OUTPUTS: results/<study>/<dataset>/<method>/seed<seed>/{predictions.parquet,model/,training.tsv,training.json}
"""

TRAINED = any_of(RUN.trained)
SHARING = [name for jobs in RUN.shared.values() for names in jobs.values() for name in names]


localrules:
    take_finetuned,


rule finetune:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        start_from=lambda wildcards: trainings.start_model(
            RUN, wildcards.study, wildcards.dataset, wildcards.method, wildcards.seed
        )
        or [],
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
        dataset=any_of(
            name for sets in RUN.datasets.values() for name in sets if name not in SHARING
        ),
        method=TRAINED,
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: trainings.need(RUN, wildcards.method, "threads")
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=training_need("runtime"),
        gpu=training_need("gpu"),
        # What it computes on; stays what it is where a profile asks for GPUs by `gres` and sets `gpu` to 0. Same below.
        devices=training_need("gpu"),
    params:
        task=lambda wildcards: RUN.task(wildcards.study, wildcards.dataset),
        method=lambda wildcards: RUN.computed("methods", wildcards.method),
        model=lambda wildcards: RUN.encoder(wildcards.method),
        labels=lambda wildcards: RUN.labels(wildcards.study, wildcards.dataset),
        # Outside the declared outputs, which Snakemake deletes before a job starts; removed when training has ended.
        state="results/training-state/{study}.{dataset}.{method}.seed{seed}",
        version=stage_number("finetune"),
    message:
        "Training {wildcards.method} on {wildcards.dataset} (seed {wildcards.seed}); progress in {log}"
    script:
        "../scripts/finetune.py"


rule finetune_shared:
    input:
        examples=lambda wildcards: [
            f"results/{wildcards.study}/{dataset}/examples.parquet"
            for dataset in members(wildcards)
        ],
        start_from=lambda wildcards: trainings.start_models(
            RUN, wildcards.study, members(wildcards), wildcards.method, wildcards.seed
        ),
        checkpoint=checkpoint_of,
    output:
        directory("results/shared-jobs/{study}.{method}.seed{seed}.job{job}"),
    log:
        "logs/finetune_shared/{study}.{method}.seed{seed}.job{job}.log",
    benchmark:
        "results/benchmarks/finetune_shared/{study}.{method}.seed{seed}.job{job}.tsv"
    wildcard_constraints:
        method=TRAINED,
        job=r"\d+",
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: trainings.need(RUN, wildcards.method, "threads")
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=lambda wildcards, attempt: trainings.runtime_of_several(
            RUN, wildcards.method, len(members(wildcards)), attempt
        ),
        gpu=one_gpu,
        devices=one_gpu,
    params:
        datasets=members,
        labels=lambda wildcards: {
            dataset: RUN.labels(wildcards.study, dataset) for dataset in members(wildcards)
        },
        task=lambda wildcards: RUN.task(wildcards.study, members(wildcards)[0]),
        method=rules.finetune.params.method,
        model=rules.finetune.params.model,
        # One a data set, kept until all have been trained: what one failure makes Snakemake delete comes back from here.
        state="results/training-state/{study}.{method}.seed{seed}.job{job}",
        version=stage_number("finetune"),
    message:
        "Training {wildcards.method} on {params.datasets} (seed {wildcards.seed}), one after the other; progress in {log}"
    script:
        "../scripts/finetune_shared.py"


rule take_finetuned:
    input:
        lambda wildcards: trainings.shared_job(
            RUN, wildcards.study, wildcards.dataset, wildcards.method, wildcards.seed
        ),
    output:
        predictions="results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
        model=directory("results/{study}/{dataset}/{method}/seed{seed}/model"),
        training="results/{study}/{dataset}/{method}/seed{seed}/training.tsv",
        summary="results/{study}/{dataset}/{method}/seed{seed}/training.json",
    log:
        "logs/take_finetuned/{study}.{dataset}.{method}.seed{seed}.log",
    wildcard_constraints:
        dataset=any_of(SHARING),
        method=TRAINED,
    conda:
        "../envs/nucleotune.yaml"
    message:
        "{wildcards.method} on {wildcards.dataset} (seed {wildcards.seed}) comes out of {input}"
    script:
        "../scripts/take_finetuned.py"
