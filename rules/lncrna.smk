"""Study "lncRNA or mRNA?": examples of every species under every chosen split, and their pools.

REQUIRED INPUTS: coding and non-coding FASTA of each species (resources/downloads/... or the user's own files)
OUTPUTS: results/lncrna/<dataset>/examples.parquet and card.json
"""


rule lncrna_examples:
    input:
        mRNA=class_paths("mRNA"),
        lncRNA=class_paths("lncRNA"),
    output:
        examples="results/lncrna/{dataset}/examples.parquet",
        card="results/lncrna/{dataset}/card.json",
    log:
        "logs/lncrna_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/lncrna_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(name for name, dataset in DATASETS["lncrna"].items() if not dataset.pooled),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        species=lambda wildcards: without(
            computed("species", DATASETS["lncrna"][wildcards.dataset].species[0]),
            *("promoters", "polya", "simulate"),
        ),
        split=lambda wildcards: DATASETS["lncrna"][wildcards.dataset].split,
        min_length=SETTINGS["lncrna"]["min_length"],
        balance=SETTINGS["lncrna"]["balance"],
        fractions=SETTINGS["lncrna"]["fractions"],
        kept=SETTINGS["lncrna"]["kept"],
        train_view=SETTINGS["lncrna"]["train_view"],
        sampling_seed=SETTINGS["lncrna"]["seed"],
        version=stage_number("lncrna_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/lncrna_examples.py"


rule lncrna_pool:
    input:
        examples=lambda wildcards: pooled(wildcards, "examples.parquet"),
        cards=lambda wildcards: pooled(wildcards, "card.json"),
    output:
        examples="results/lncrna/{dataset}/examples.parquet",
        card="results/lncrna/{dataset}/card.json",
    log:
        "logs/lncrna_pool/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(name for name, dataset in DATASETS["lncrna"].items() if dataset.pooled),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        species=lambda wildcards: list(DATASETS["lncrna"][wildcards.dataset].species),
        version=stage_number("lncrna_examples"),
    message:
        "Pooling {params.species} for {wildcards.dataset}"
    script:
        "../scripts/lncrna_pool.py"
