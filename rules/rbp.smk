"""Examples of the RBP study, and what its methods and analyses read beside them: structures and transcript regions.

REQUIRED INPUTS: files of the collections (resources/downloads/... or the user's own)
OUTPUTS: results/rbp/<dataset>/examples.parquet, rest.parquet, card.json, structures.parquet, regions.parquet
"""

from nucleotune.studies.rbp.plan import (
    analysed,
    analysed_checkpoint,
    analysis_input,
    attended,
    collection_of,
    rbp_rows,
    region_paths,
)


rule rbp_examples:
    input:
        unpack(lambda wildcards: RUN.source_paths("rbp", wildcards.dataset)),
    output:
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
        card="results/rbp/{dataset}/card.json",
    log:
        "logs/rbp_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/rbp_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(RUN.datasets["rbp"]),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        rbp=lambda wildcards: RUN.datasets["rbp"][wildcards.dataset].rbp,
        format=lambda wildcards: collection_of(RUN, wildcards.dataset)["format"],
        rows=lambda wildcards: rbp_rows(
            collection_of(RUN, wildcards.dataset), RUN.datasets["rbp"][wildcards.dataset].rbp
        ),
        split=lambda wildcards: collection_of(RUN, wildcards.dataset)["split"],
        settings={
            name: RUN.config["rbp"][name]
            for name in ("per_class", "min_per_class", "fractions", "seed", "peaks")
        },
        version=stage_number("rbp_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/rbp_examples.py"


rule rbp_structures:
    input:
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
    output:
        "results/rbp/{dataset}/structures.parquet",
    log:
        "logs/rbp_structures/{dataset}.log",
    benchmark:
        "results/benchmarks/rbp_structures/rbp.{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(RUN.datasets["rbp"]),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    # A small set on one thread: a job that needs all cores waits until nothing else is ready.
    threads: min(8, max(1, RUN.config["rbp"]["per_class"] // 1000))
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        engine=RUN.config["rbp"]["folding"],
        program=RUN.config["rbp"]["linearpartition"],
        for_methods={
            name: RUN.methods[name]["baseline"]
            for name in RUN.config["rbp"]["methods"]
            if RUN.studies["rbp"].folded(RUN.methods[name])
        },
        for_analysis=lambda wildcards: analysed(
            RUN, RUN.datasets["rbp"][wildcards.dataset], "structures"
        ),
        max_sequences=RUN.config["rbp"]["attention"]["max_sequences"],
        seed=RUN.config["rbp"]["seed"],
        version=stage_number("rbp_structures"),
    message:
        "Folding the sequences of {wildcards.dataset}"
    script:
        "../scripts/rbp_structures.py"


rule rbp_regions:
    input:
        unpack(lambda wildcards: region_paths(RUN, wildcards.dataset)),
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
    output:
        "results/rbp/{dataset}/regions.parquet",
    log:
        "logs/rbp_regions/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(
            name for name, one in RUN.datasets["rbp"].items() if analysed(RUN, one, "regions")
        ),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        version=stage_number("rbp_regions"),
    message:
        "Transcript regions of the sequences of {wildcards.dataset}"
    script:
        "../scripts/rbp_regions.py"


rule rbp_attention:
    input:
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
        regions=lambda wildcards: analysis_input(RUN, wildcards.dataset, "regions"),
        structures=lambda wildcards: analysis_input(RUN, wildcards.dataset, "structures"),
        model=f"results/rbp/{{dataset}}/{RUN.config['rbp']['attention']['method']}/seed{RUN.config['seeds'][0]}/model",
        random_model=(
            f"results/rbp/{{dataset}}/{RUN.config['rbp']['attention']['random_method']}/seed{RUN.config['seeds'][0]}/model"
            if RUN.config["rbp"]["attention"]["random_method"]
            else []
        ),
        checkpoint=analysed_checkpoint(RUN),
    output:
        summary="results/rbp/{dataset}/attention/summary.tsv",
        heads="results/rbp/{dataset}/attention/heads.parquet",
        curves="results/rbp/{dataset}/attention/curves.parquet",
    log:
        "logs/rbp_attention/{dataset}.log",
    benchmark:
        "results/benchmarks/rbp_attention/rbp.{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(attended(RUN)),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        gpu=lambda wildcards: gpu_of(RUN.config["rbp"]["attention"]["method"]),
        devices=lambda wildcards: gpu_of(RUN.config["rbp"]["attention"]["method"]),
    params:
        max_sequences=RUN.config["rbp"]["attention"]["max_sequences"],
        sampling_seed=RUN.config["rbp"]["seed"],
        version=stage_number("attention"),
    message:
        "Attention of the models of {wildcards.dataset} to regions, boundaries and structures"
    script:
        "../scripts/rbp_attention.py"
