"""Genomes and their annotation, in the forms that are read many times.

REQUIRED INPUTS: genome FASTA and GTF or GFF3 of a species or collection (resources/downloads/... or the user's own files)
OUTPUTS: resources/genomes/<species>.fa with its index, resources/annotation/<species>.parquet
"""


rule genome:
    input:
        lambda wildcards: RUN.genomes[wildcards.species]["genome"],
    output:
        fasta="resources/genomes/{species}.fa",
        index="resources/genomes/{species}.fa.fai",
    log:
        "logs/genome/{species}.log",
    wildcard_constraints:
        species=any_of(RUN.genomes),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=stage_number("genome"),
    message:
        "Unpacking and indexing the genome of {wildcards.species}"
    script:
        "../scripts/genome.py"


rule annotation:
    input:
        lambda wildcards: RUN.genomes[wildcards.species]["annotation"],
    output:
        "resources/annotation/{species}.parquet",
    log:
        "logs/annotation/{species}.log",
    benchmark:
        "results/benchmarks/annotation/{species}.tsv"
    wildcard_constraints:
        species=any_of(RUN.genomes),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        # What ranks transcripts is read where regions of transcripts are asked for.
        extra=lambda wildcards: (
            ["transcript_support_level"] if wildcards.species in RUN.collections else []
        ),
        version=stage_number("annotation"),
    message:
        "Reading the annotation of {wildcards.species}"
    script:
        "../scripts/annotation.py"
