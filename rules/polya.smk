"""The poly(A) study: its examples, and a search for hyper-parameters on request.

REQUIRED INPUTS: resources/genomes/<species>.fa, resources/annotation/<species>.parquet, counts of transcript ends; for a
    search on a published language model resources/checkpoints/<model>/
OUTPUTS: results/polya/<dataset>/{examples.parquet,card.json}; the target tune writes <method>/tune/{trials.tsv,best.json}
"""

from nucleotune.studies.polya.plan import searched

POLYA = any_of(RUN.datasets["polya"])


localrules:
    tune,


rule polya_examples:
    input:
        unpack(lambda wildcards: RUN.source_paths("polya", wildcards.dataset)),
    output:
        examples="results/polya/{dataset}/examples.parquet",
        card="results/polya/{dataset}/card.json",
    log:
        "logs/polya_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/polya_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=POLYA,
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        species=lambda wildcards: without(
            RUN.species[RUN.datasets["polya"][wildcards.dataset].species[0]]["polya"],
            *("dna", "files"),
        ),
        settings={name: RUN.config["polya"][name] for name in ("length", "min_reads")},
        version=stage_number("polya_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/polya_examples.py"


rule tune:
    input:
        lambda wildcards: searched(RUN),


rule tune_profile:
    input:
        examples="results/polya/{dataset}/examples.parquet",
        checkpoint=checkpoint_of,
    output:
        trials="results/polya/{dataset}/{method}/tune/trials.tsv",
        best="results/polya/{dataset}/{method}/tune/best.json",
    log:
        "logs/tune_profile/polya.{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/tune_profile/polya.{dataset}.{method}.tsv"
    wildcard_constraints:
        dataset=POLYA,
        method=any_of(RUN.config["polya"]["tune"]["space"]),
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: RUN.methods[wildcards.method]["resources"]["threads"]
    resources:
        mem_mb=training_need("mem_mb"),
        # Of all trials; a search that is cut off goes on behind its last whole trial.
        runtime=lambda wildcards, attempt: trainings.runtime_of_several(
            RUN, wildcards.method, RUN.config["polya"]["tune"]["trials"], attempt
        ),
        gpu=one_gpu,
        devices=one_gpu,
    params:
        method=lambda wildcards: RUN.computed("methods", wildcards.method),
        model=lambda wildcards: RUN.encoder(wildcards.method),
        space=lambda wildcards: RUN.config["polya"]["tune"]["space"][wildcards.method],
        trials=RUN.config["polya"]["tune"]["trials"],
        seed=RUN.config["seeds"][0],
        state="results/training-state/tune.polya.{dataset}.{method}",
        version=stage_number("tune"),
    message:
        "Searching hyper-parameters of {wildcards.method} on {wildcards.dataset}; progress in {log}"
    script:
        "../scripts/tune_profile.py"
