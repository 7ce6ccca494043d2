"""Which Ensembl release and reading of the filters give the paper's transcript counts? Target calibrate_counts.

Asked for by name only: `all` and `fetch` do not fetch its files.

REQUIRED INPUTS: cds and ncrna FASTA of the species in every release of `lncrna.calibrate.releases` (resources/downloads/...)
OUTPUTS: results/calibration/<species>.<release>.<class>.tsv, results/calibration/lncrna_counts.tsv
"""

from nucleotune.studies.lncrna.plan import CLASSES, calibration_files

CALIBRATION = calibration_files(RUN)


localrules:
    calibrate_counts,


rule calibrate_release:
    input:
        lambda wildcards: CALIBRATION[wildcards.species, int(wildcards.release), wildcards.label][0],
    output:
        "results/calibration/{species}.{release}.{label}.tsv",
    log:
        "logs/calibrate_release/{species}.{release}.{label}.log",
    benchmark:
        "results/benchmarks/calibrate_release/{species}.{release}.{label}.tsv"
    wildcard_constraints:
        species=any_of(RUN.species),
        release=r"\d+",
        label=any_of(CLASSES),
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        min_length=RUN.config["lncrna"]["min_length"],
        version=stage_number("calibrate"),
    message:
        "Counting {wildcards.label} transcripts of {wildcards.species} in release {wildcards.release}"
    script:
        "../scripts/calibrate_release.py"


rule calibrate_counts:
    input:
        counts=[
            f"results/calibration/{species}.{release}.{label}.tsv"
            for species, release, label in CALIBRATION
        ],
        published=RUN.published("lncrna_datasets"),
    output:
        "results/calibration/lncrna_counts.tsv",
    log:
        "logs/calibrate_counts.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        published_as={name: RUN.species[name]["published_as"] for name, _, _ in CALIBRATION},
        version=stage_number("calibrate"),
    message:
        "Comparing transcript counts with the paper's"
    script:
        "../scripts/calibrate_counts.py"
