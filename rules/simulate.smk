"""Toy species: the files of Ensembl, GTEx, EPDnew and GUE, written instead of downloaded.

REQUIRED INPUTS: none (the key `simulate` of a species file)
OUTPUTS: resources/simulated/<species>/<host>/..., a mirror that rule download reads; beside the hosts truth/, what
    was planted, which nothing but tests reads
"""


localrules:
    simulate,
    simulate_collection,
    simulate_model,


rule simulate:
    output:
        directory("resources/simulated/{species}"),
    log:
        "logs/simulate/{species}.log",
    benchmark:
        "results/benchmarks/simulate/{species}.tsv"
    wildcard_constraints:
        species=any_of(RUN.species),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        ensembl=lambda wildcards: RUN.species[wildcards.species]["ensembl"],
        simulate=lambda wildcards: RUN.species[wildcards.species]["simulate"],
        version=stage_number("simulate"),
    message:
        "Simulating the species {wildcards.species}"
    script:
        "../scripts/simulate.py"


rule simulate_collection:
    output:
        directory("resources/simulated-collections/{collection}"),
    log:
        "logs/simulate_collection/{collection}.log",
    wildcard_constraints:
        collection=any_of(RUN.collections),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        simulate=lambda wildcards: RUN.collections[wildcards.collection]["simulate"],
        version=stage_number("simulate"),
    message:
        "Simulating the collection {wildcards.collection}"
    script:
        "../scripts/simulate_collection.py"


rule simulate_model:
    output:
        directory("resources/simulated-models/{model}"),
    log:
        "logs/simulate_model/{model}.log",
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        model=lambda wildcards: RUN.computed("models", wildcards.model),
        version=stage_number("simulate"),
    message:
        "Writing stand-ins for the published files of {wildcards.model}"
    script:
        "../scripts/simulate_model.py"
