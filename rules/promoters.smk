"""Examples of the promoter study: four tasks, in several lengths and splits.

REQUIRED INPUTS: resources/genomes/<species>.fa, resources/annotation/<species>.parquet, files of GTEx, EPDnew and GUE, as
    the task needs them
OUTPUTS: results/promoters/<dataset>/examples.parquet and card.json, results/facts/promoters.json,
    results/promoters/<dataset>/<method>/seed<seed>/attention.tsv and attention_peaks.tsv
"""

from nucleotune.studies.promoters.products import attention_runs, facts, reading
from nucleotune.studies.promoters.protocol import examples_of, settings_read, species_read


rule promoters_examples:
    input:
        unpack(lambda wildcards: RUN.source_paths("promoters", wildcards.dataset)),
    output:
        examples="results/promoters/{dataset}/examples.parquet",
        card="results/promoters/{dataset}/card.json",
    log:
        "logs/promoters_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/promoters_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(RUN.datasets["promoters"]),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        task=lambda wildcards: RUN.datasets["promoters"][wildcards.dataset].task,
        length=lambda wildcards: RUN.datasets["promoters"][wildcards.dataset].length,
        split=lambda wildcards: RUN.datasets["promoters"][wildcards.dataset].split,
        species=lambda wildcards: species_read(*examples_of(RUN, wildcards.dataset)),
        settings=lambda wildcards: settings_read(*examples_of(RUN, wildcards.dataset)),
        version=stage_number("promoters_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/promoters_examples.py"


rule promoters_reading:
    input:
        examples=expand(
            "results/promoters/{dataset}/examples.parquet", dataset=RUN.datasets["promoters"]
        ),
        checkpoints=list(RUN.checkpoint_paths("promoters").values()),
    output:
        facts(RUN),
    log:
        "logs/promoters_reading.log",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        **reading(RUN),
        code=code_digest("scripts/promoters_reading.py"),
    message:
        "What methods read of the promoters"
    script:
        "../scripts/promoters_reading.py"


rule attention_profile:
    input:
        examples="results/promoters/{dataset}/examples.parquet",
        model="results/promoters/{dataset}/{method}/seed{seed}/model",
        checkpoint=lambda wildcards: f"resources/checkpoints/{RUN.methods[wildcards.method]['model']}",
    output:
        profiles="results/promoters/{dataset}/{method}/seed{seed}/attention.tsv",
        peaks="results/promoters/{dataset}/{method}/seed{seed}/attention_peaks.tsv",
    log:
        "logs/attention_profile/{dataset}.{method}.seed{seed}.log",
    benchmark:
        "results/benchmarks/attention_profile/{dataset}.{method}.seed{seed}.tsv"
    wildcard_constraints:
        dataset=any_of(name for name, _ in attention_runs(RUN)),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
        gpu=one_gpu,
        devices=one_gpu,
    params:
        downstream=RUN.config["promoters"]["downstream"],
        sampling_seed=RUN.config["promoters"]["seed"],
        bootstrap=RUN.config["bootstrap"],
        version=stage_number("attention"),
    message:
        "Attention of {wildcards.method} along the promoters of {wildcards.dataset}, and its controls"
    script:
        "../scripts/attention_profile.py"
