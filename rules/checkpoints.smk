"""Checkpoints of published models: their files, once fetched, become safetensors and a record of sha256.

REQUIRED INPUTS: the files named under `checkpoint` of a model file: downloads, or a directory of your own
OUTPUTS: resources/checkpoints/<model>/; the target lock_models writes resources/models.lock.tsv
"""

from nucleotune.plan import MODELS_LOCK
from nucleotune.sources.hub import locked_commit


localrules:
    lock_models,


rule checkpoint:
    input:
        lambda wildcards: [path for path, _ in RUN.checkpoints[wildcards.model].values()],
    output:
        directory("resources/checkpoints/{model}"),
    log:
        "logs/checkpoint/{model}.log",
    benchmark:
        "results/benchmarks/checkpoint/{model}.tsv"
    wildcard_constraints:
        model=any_of(RUN.checkpoints),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        files=lambda wildcards: list(RUN.checkpoints[wildcards.model]),
        model=lambda wildcards: (
            without(RUN.computed("models", wildcards.model), "lora_targets", "parameters")
            # Recorded with the weights.
            | {key: RUN.models[wildcards.model][key] for key in ("licence", "non_commercial")}
        ),
        commit=lambda wildcards: locked_commit(
            wildcards.model, RUN.models[wildcards.model]["checkpoint"], RUN.revisions
        ),
        version=stage_number("checkpoint"),
    message:
        "Converting and checking the published files of {wildcards.model}"
    script:
        "../scripts/checkpoint.py"


rule lock_models:
    log:
        "logs/lock_models.log",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        checkpoints={name: RUN.models[name]["checkpoint"] for name in RUN.checkpoints},
        offline=RUN.config["offline"],
        # Outside the declared outputs, which Snakemake deletes before a job starts and after one that failed.
        lock=MODELS_LOCK,
    message:
        "Asking the model hub for the commits of branches and tags"
    script:
        "../scripts/lock_models.py"
