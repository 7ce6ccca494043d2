"""What trained models rest on: contributions of nucleotides, and the motifs that they make up, for every study.

REQUIRED INPUTS: results/<study>/<dataset>/examples.parquet, <method>/seed<seed>/model/; a MEME file of known motifs,
    shipped for the poly(A) study
OUTPUTS: results/<study>/<dataset>/<method>/seed<seed>/attribution/{contributions.npz,agreement.tsv,summary.json,
    modisco/*.npz,patterns.h5,motifs.tsv,seqlets.tsv,words.tsv,order.tsv}, or attribution/<target>/... of data sets with
    several targets, results/tables/<study>_attribution.*, <study>_motifs.*, results/figures/<study>_motifs.*
"""

# Wildcard `part` is empty, or the directory of one of several targets: /donor.
EXPLAINED = "results/{study}/{dataset}/{method}/seed{seed}/attribution{part}"
EXPLAINED_STUDIES = [study for study, found in RUN.attributed.items() if found]
EXPLAINED_PARTS = {one.part for found in RUN.attributed.values() for one in found}


wildcard_constraints:
    part=f"({any_of(sorted(EXPLAINED_PARTS - {''}))})?",


rule attribute:
    input:
        examples="results/{study}/{dataset}/examples.parquet",
        model="results/{study}/{dataset}/{method}/seed{seed}/model",
    output:
        contributions=f"{EXPLAINED}/contributions.npz",
        agreement=f"{EXPLAINED}/agreement.tsv",
        summary=f"{EXPLAINED}/summary.json",
    log:
        "logs/attribute/{study}.{dataset}.{method}.seed{seed}{part}.log",
    benchmark:
        "results/benchmarks/attribute/{study}.{dataset}.{method}.seed{seed}{part}.tsv"
    wildcard_constraints:
        study=any_of(EXPLAINED_STUDIES),
        method=any_of(RUN.trained),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: training_need("threads")(wildcards, 1)
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=training_need("runtime"),
        gpu=one_gpu,
        devices=one_gpu,
    params:
        task=lambda wildcards: RUN.task(wildcards.study, wildcards.dataset),
        settings=lambda wildcards: without(
            RUN.config[wildcards.study]["attribution"],
            *("methods", "datasets", "motifs", "target", "targets"),
        ),
        names=lambda wildcards: RUN.labels(wildcards.study, wildcards.dataset),
        target=lambda wildcards: RUN.targets(wildcards.study, wildcards.dataset)[wildcards.part],
        version=stage_number("attribute"),
    message:
        "Explaining {wildcards.method} on {wildcards.dataset}{wildcards.part}; progress in {log}"
    script:
        "../scripts/attribute.py"


# A rule of their own, so that a profile which sends a rule to GPUs leaves them where they are. Same in task.smk.
use rule attribute as attribute_baseline with:
    wildcard_constraints:
        study=any_of(EXPLAINED_STUDIES),
        method=any_of(RUN.baselines),


rule modisco:
    input:
        contributions=f"{EXPLAINED}/contributions.npz",
        motifs=lambda wildcards: RUN.known_motifs(wildcards.study),
    output:
        # As `modisco motifs -s ... -a ...` reads them, for other settings by hand.
        sequences=f"{EXPLAINED}/modisco/sequences.npz",
        attributions=f"{EXPLAINED}/modisco/attributions.npz",
        patterns=f"{EXPLAINED}/patterns.h5",
        motifs=f"{EXPLAINED}/motifs.tsv",
        seqlets=f"{EXPLAINED}/seqlets.tsv",
        # Both of sequences with a known site; else there is nothing to test, and the tables say so.
        words=f"{EXPLAINED}/words.tsv",
        order=f"{EXPLAINED}/order.tsv",
    log:
        "logs/modisco/{study}.{dataset}.{method}.seed{seed}{part}.log",
    benchmark:
        "results/benchmarks/modisco/{study}.{dataset}.{method}.seed{seed}{part}.tsv"
    wildcard_constraints:
        study=any_of(EXPLAINED_STUDIES),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        shipped=lambda wildcards: RUN.shipped_motifs(wildcards.study),
        version=stage_number("modisco"),
    message:
        "Motifs of {wildcards.method} on {wildcards.dataset}{wildcards.part}"
    script:
        "../scripts/modisco.py"
