"""The report: a self-contained page for each study, and one that leads to them.

REQUIRED INPUTS: tables, figures, cards, metrics, comparisons, training logs, docs/deviations.md
OUTPUTS: results/reports/<study>.html, results/reports/<study>.json (its findings), results/report.html
"""


localrules:
    study_report,
    overview,
    report,


rule study_report:
    input:
        tables=lambda wildcards: shown_products(wildcards.study, "html"),
        figures=lambda wildcards: shown_products(wildcards.study, "svg"),
        cards=lambda wildcards: [
            f"results/{wildcards.study}/{dataset}/card.json" for dataset in SHOWN[wildcards.study]
        ],
        facts=lambda wildcards: STUDIES[wildcards.study].facts(PLANNED),
        comparisons=lambda wildcards: [
            of_run(f"{wildcards.study}/{dataset}/comparison.tsv")
            for dataset in SHOWN[wildcards.study]
        ],
        metrics=lambda wildcards: every(
            "results/{study}/{dataset}/{method}/metrics.json", wildcards.study
        ),
        training=lambda wildcards: [
            f"{run}/training.{kind}"
            for run in trained_runs(wildcards.study)
            for kind in ("tsv", "json")
        ],
        fits=lambda wildcards: every(
            "results/{study}/{dataset}/{method}/seed{seed}/fit.json", wildcards.study, BASELINES
        ),
        checkpoints=lambda wildcards: [
            f"resources/checkpoints/{name}"
            for name in study_models(wildcards.study)
            if name in CHECKPOINTS
        ],
        deviations=[f"{ROOT}/docs/deviations.md"],
    output:
        page=of_run("reports/{study}.html"),
        findings=of_run("reports/{study}.json"),
    log:
        "logs/study_report/{study}.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        run=lambda wildcards: study_run(wildcards.study),
        sources=lambda wildcards: study_sources(wildcards.study),
        described=lambda wildcards: STUDIES[wildcards.study].described(PLANNED),
        jobs=lambda wildcards: measured_jobs(wildcards.study),
        code=lambda wildcards: code_digest(
            "scripts/study_report.py", f"nucleotune.studies.{wildcards.study}.texts"
        ),
        benchmarks="results/benchmarks",
    message:
        "Writing {output.page}"
    script:
        "../scripts/study_report.py"


rule overview:
    input:
        pages=expand(of_run("reports/{study}.html"), study=SETTINGS["studies"]),
        findings=expand(of_run("reports/{study}.json"), study=SETTINGS["studies"]),
        checkpoints=[f"resources/checkpoints/{name}" for name in CHECKPOINTS],
    output:
        of_run("report.html"),
    log:
        "logs/overview.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        run={key: RUN[key] for key in ("config", "species", "methods", "models")},
        jobs=lambda wildcards: [measured_jobs(study) for study in SETTINGS["studies"]],
        code=code_digest("scripts/overview.py"),
        benchmarks="results/benchmarks",
    message:
        "Writing {output}"
    script:
        "../scripts/overview.py"


rule report:
    input:
        of_run("report.html"),
        [path for study in SETTINGS["studies"] for path in intermediates(study)],
