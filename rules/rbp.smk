"""Examples of the RBP study, and what its methods and analyses read beside them: structures and transcript regions.

REQUIRED INPUTS: files of the collections (resources/downloads/... or the user's own)
OUTPUTS: results/rbp/<dataset>/examples.parquet, rest.parquet, card.json, structures.parquet, regions.parquet
"""


rule rbp_examples:
    input:
        unpack(source_paths("rbp")),
    output:
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
        card="results/rbp/{dataset}/card.json",
    log:
        "logs/rbp_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/rbp_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(DATASETS["rbp"]),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        rbp=lambda wildcards: DATASETS["rbp"][wildcards.dataset].rbp,
        format=lambda wildcards: rbp_collection(wildcards)["format"],
        rows=lambda wildcards: rbp_rows(
            rbp_collection(wildcards), DATASETS["rbp"][wildcards.dataset].rbp
        ),
        split=lambda wildcards: rbp_collection(wildcards)["split"],
        settings={
            name: SETTINGS["rbp"][name]
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
        dataset=any_of(DATASETS["rbp"]),
    priority: LONG
    conda:
        "../envs/nucleotune.yaml"
    # A small set on one thread: a job that needs all cores waits until nothing else is ready.
    threads: min(8, max(1, SETTINGS["rbp"]["per_class"] // 1000))
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        engine=SETTINGS["rbp"]["folding"],
        program=SETTINGS["rbp"]["linearpartition"],
        for_methods={
            name: RUN["methods"][name]["baseline"]
            for name in SETTINGS["rbp"]["methods"]
            if STUDIES["rbp"].folded(RUN["methods"][name])
        },
        for_analysis=lambda wildcards: analysed(
            PLANNED, DATASETS["rbp"][wildcards.dataset], "structures"
        ),
        max_sequences=SETTINGS["rbp"]["attention"]["max_sequences"],
        seed=SETTINGS["rbp"]["seed"],
        version=stage_number("rbp_structures"),
    message:
        "Folding the sequences of {wildcards.dataset}"
    script:
        "../scripts/rbp_structures.py"


rule rbp_regions:
    input:
        unpack(region_paths),
        examples="results/rbp/{dataset}/examples.parquet",
        rest="results/rbp/{dataset}/rest.parquet",
    output:
        "results/rbp/{dataset}/regions.parquet",
    log:
        "logs/rbp_regions/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(
            name for name, one in DATASETS["rbp"].items() if analysed(PLANNED, one, "regions")
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
        regions=lambda wildcards: analysis_input(wildcards, "regions"),
        structures=lambda wildcards: analysis_input(wildcards, "structures"),
        model=f"results/rbp/{{dataset}}/{SETTINGS['rbp']['attention']['method']}/seed{SETTINGS['seeds'][0]}/model",
        random_model=(
            f"results/rbp/{{dataset}}/{SETTINGS['rbp']['attention']['random_method']}/seed{SETTINGS['seeds'][0]}/model"
            if SETTINGS["rbp"]["attention"]["random_method"]
            else []
        ),
        checkpoint=rbp_checkpoint(),
    output:
        summary="results/rbp/{dataset}/attention/summary.tsv",
        heads="results/rbp/{dataset}/attention/heads.parquet",
        curves="results/rbp/{dataset}/attention/curves.parquet",
    log:
        "logs/rbp_attention/{dataset}.log",
    benchmark:
        "results/benchmarks/rbp_attention/rbp.{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(attended(PLANNED)),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
        # One is all it uses, on however many the model was trained.
        gpu=lambda wildcards: min(
            1,
            RUN["models"][RUN["methods"][SETTINGS["rbp"]["attention"]["method"]]["model"]][
                "resources"
            ]["gpu"],
        ),
    params:
        max_sequences=SETTINGS["rbp"]["attention"]["max_sequences"],
        sampling_seed=SETTINGS["rbp"]["seed"],
        version=stage_number("attention"),
    message:
        "Attention of the models of {wildcards.dataset} to regions, boundaries and structures"
    script:
        "../scripts/rbp_attention.py"
