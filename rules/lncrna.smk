"""Study "lncRNA or mRNA?": examples of every species under every chosen split, and their pools.

REQUIRED INPUTS: coding and non-coding FASTA of each species (resources/downloads/... or the user's own files)
OUTPUTS: results/lncrna/<dataset>/examples.parquet and card.json
"""

from nucleotune.studies.lncrna.plan import class_paths, pooled


include: "calibrate.smk"


rule lncrna_examples:
    input:
        mRNA=lambda wildcards: class_paths(RUN, wildcards.dataset, "mRNA"),
        lncRNA=lambda wildcards: class_paths(RUN, wildcards.dataset, "lncRNA"),
    output:
        examples="results/lncrna/{dataset}/examples.parquet",
        card="results/lncrna/{dataset}/card.json",
    log:
        "logs/lncrna_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/lncrna_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(
            name for name, dataset in RUN.datasets["lncrna"].items() if not dataset.pooled
        ),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        species=lambda wildcards: without(
            RUN.computed("species", RUN.datasets["lncrna"][wildcards.dataset].species[0]),
            *("promoters", "polya", "simulate"),
        ),
        split=lambda wildcards: RUN.datasets["lncrna"][wildcards.dataset].split,
        min_length=RUN.config["lncrna"]["min_length"],
        balance=RUN.config["lncrna"]["balance"],
        fractions=RUN.config["lncrna"]["fractions"],
        kept=RUN.config["lncrna"]["kept"],
        train_view=RUN.config["lncrna"]["train_view"],
        sampling_seed=RUN.config["lncrna"]["seed"],
        version=stage_number("lncrna_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/lncrna_examples.py"


rule lncrna_pool:
    input:
        examples=lambda wildcards: pooled(RUN, wildcards.dataset, "examples.parquet"),
        cards=lambda wildcards: pooled(RUN, wildcards.dataset, "card.json"),
    output:
        examples="results/lncrna/{dataset}/examples.parquet",
        card="results/lncrna/{dataset}/card.json",
    log:
        "logs/lncrna_pool/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(name for name, dataset in RUN.datasets["lncrna"].items() if dataset.pooled),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        species=lambda wildcards: list(RUN.datasets["lncrna"][wildcards.dataset].species),
        version=stage_number("lncrna_examples"),
    message:
        "Pooling {params.species} for {wildcards.dataset}"
    script:
        "../scripts/lncrna_pool.py"
