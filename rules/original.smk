"""CPC2, PLEK and LncFinder as they are installed, with their own trained models (methods of `mode: original`).

A tool runs in its own environment (envs/<tool>.yaml) with `--software-deployment-method conda`, else it is looked for on
PATH. Where it is not there, its output says "not run: ..." in its place, and so do the tables.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet
OUTPUTS: results/<study>/<dataset>/<method>/output.txt, the tool's own, and
    results/<study>/<dataset>/<method>/seed<seed>/{predictions.parquet,fit.json}
"""

import shutil

from nucleotune.studies.lncrna.plan import lncfinder_model


rule original_input:
    input:
        "results/{study}/{dataset}/examples.parquet",
    output:
        "results/{study}/{dataset}/scored.fa",
    log:
        "logs/original_input/{study}.{dataset}.log",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        version=stage_number("baseline"),
    message:
        "Writing the transcripts of {wildcards.dataset} for installed tools"
    script:
        "../scripts/original_input.py"


rule original_cpc2:
    input:
        fasta="results/{study}/{dataset}/scored.fa",
    output:
        "results/{study}/{dataset}/{method}/output.txt",
    log:
        "logs/original_cpc2/{study}.{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/original_cpc2/{study}.{dataset}.{method}.tsv"
    wildcard_constraints:
        method=any_of(n for n in RUN.originals if RUN.methods[n]["baseline"] == "cpc2"),
    conda:
        "../envs/cpc2.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        command=lambda wildcards: RUN.methods[wildcards.method]["original"]["command"],
        # A tool that was installed later is a changed parameter, so that the job runs again.
        found=lambda wildcards: (
            shutil.which(RUN.methods[wildcards.method]["original"]["command"]) is not None
        ),
    message:
        "Running {params.command} on {wildcards.dataset}"
    script:
        "../scripts/original_cpc2.sh"


rule original_plek:
    input:
        fasta="results/{study}/{dataset}/scored.fa",
    output:
        "results/{study}/{dataset}/{method}/output.txt",
    log:
        "logs/original_plek/{study}.{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/original_plek/{study}.{dataset}.{method}.tsv"
    wildcard_constraints:
        method=any_of(n for n in RUN.originals if RUN.methods[n]["baseline"] == "plek"),
    conda:
        "../envs/plek.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        command=lambda wildcards: RUN.methods[wildcards.method]["original"]["command"],
        found=lambda wildcards: (
            shutil.which(RUN.methods[wildcards.method]["original"]["command"]) is not None
        ),
    message:
        "Running {params.command} on {wildcards.dataset}"
    script:
        "../scripts/original_plek.sh"


rule original_lncfinder:
    input:
        fasta="results/{study}/{dataset}/scored.fa",
        script=f"{ROOT}/scripts/original_lncfinder.R",
    output:
        "results/{study}/{dataset}/{method}/output.txt",
    log:
        "logs/original_lncfinder/{study}.{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/original_lncfinder/{study}.{dataset}.{method}.tsv"
    wildcard_constraints:
        method=any_of(n for n in RUN.originals if RUN.methods[n]["baseline"] == "lncfinder"),
    conda:
        "../envs/lncfinder.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        command=lambda wildcards: RUN.methods[wildcards.method]["original"]["command"],
        found=lambda wildcards: (
            shutil.which(RUN.methods[wildcards.method]["original"]["command"]) is not None
        ),
        model=lambda wildcards: (
            RUN.methods[wildcards.method]["original"]["model"]
            or lncfinder_model(
                RUN.species[RUN.datasets[wildcards.study][wildcards.dataset].species[0]]
            )
        ),
    message:
        "Running LncFinder ({params.model} model) on {wildcards.dataset}"
    script:
        "../scripts/original_lncfinder.sh"


rule original:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        output="results/{study}/{dataset}/{method}/output.txt",
    output:
        predictions="results/{study}/{dataset}/{method}/seed{seed}/predictions.parquet",
        summary="results/{study}/{dataset}/{method}/seed{seed}/fit.json",
    log:
        "logs/original/{study}.{dataset}.{method}.seed{seed}.log",
    wildcard_constraints:
        method=any_of(RUN.originals),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        tool=lambda wildcards: RUN.methods[wildcards.method]["baseline"],
        version=stage_number("baseline"),
    message:
        "Reading the output of {params.tool} on {wildcards.dataset}"
    script:
        "../scripts/original.py"
