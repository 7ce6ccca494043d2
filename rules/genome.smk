"""Genomes and their annotation, in the forms that are read many times.

REQUIRED INPUTS: genome FASTA and GTF or GFF3 of a species (resources/downloads/... or the user's own files)
OUTPUTS: resources/genomes/<species>.fa with its index, resources/annotation/<species>.parquet
"""

PROMOTER_FILES = {
    name: promoter_files(RUN["species"][name], REGISTRY, SETTINGS["data_dir"])
    for name in study_species("promoters")
}


rule genome:
    input:
        lambda wildcards: PROMOTER_FILES[wildcards.species]["genome"][0],
    output:
        fasta="resources/genomes/{species}.fa",
        index="resources/genomes/{species}.fa.fai",
    log:
        "logs/genome/{species}.log",
    wildcard_constraints:
        species="|".join(PROMOTER_FILES) or "(?!)",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    message:
        "Unpacking and indexing the genome of {wildcards.species}"
    script:
        "../scripts/genome.py"


rule annotation:
    input:
        lambda wildcards: PROMOTER_FILES[wildcards.species]["annotation"][0],
    output:
        "resources/annotation/{species}.parquet",
    log:
        "logs/annotation/{species}.log",
    benchmark:
        "results/benchmarks/annotation/{species}.tsv"
    wildcard_constraints:
        species="|".join(PROMOTER_FILES) or "(?!)",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        version=STAGE["annotation"],
    message:
        "Reading the annotation of {wildcards.species}"
    script:
        "../scripts/annotation.py"
