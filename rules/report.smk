"""The report: a self-contained page for each study, and one that leads to them.

REQUIRED INPUTS: tables, figures, cards, metrics, comparisons, training logs, docs/deviations.md
OUTPUTS: results/reports/<study>.html, results/reports/<study>.json (its findings), results/report.html
"""

from nucleotune.plan import pages
from nucleotune.plan.run import METRICS, SEED_OF
from nucleotune.plan.targets import intermediates, shown_products


localrules:
    study_report,
    overview,
    report,


rule study_report:
    input:
        tables=lambda wildcards: shown_products(RUN, wildcards.study, "html"),
        figures=lambda wildcards: shown_products(RUN, wildcards.study, "svg"),
        cards=lambda wildcards: RUN.cards(wildcards.study),
        relatives=lambda wildcards: RUN.relatives(wildcards.study),
        facts=lambda wildcards: RUN.studies[wildcards.study].facts(RUN),
        comparisons=lambda wildcards: RUN.comparisons(wildcards.study),
        metrics=lambda wildcards: RUN.every(METRICS, wildcards.study),
        training=lambda wildcards: [
            f"{run}/training.{kind}"
            for run in RUN.trained_runs(wildcards.study)
            for kind in ("tsv", "json")
        ],
        fits=lambda wildcards: RUN.every(f"{SEED_OF}/fit.json", wildcards.study, RUN.baselines),
        checkpoints=lambda wildcards: list(RUN.checkpoint_paths(wildcards.study).values()),
        deviations=[f"{ROOT}/docs/deviations.md"],
    output:
        page=RUN.place("reports/{study}.html"),
        findings=RUN.place("reports/{study}.json"),
    log:
        "logs/study_report/{study}.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        run=lambda wildcards: pages.part_of(RUN, wildcards.study),
        sources=lambda wildcards: pages.sources_of(RUN, wildcards.study),
        described=lambda wildcards: RUN.studies[wildcards.study].described(RUN),
        jobs=lambda wildcards: pages.measured_jobs(RUN, wildcards.study),
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
        pages=expand(RUN.place("reports/{study}.html"), study=RUN.studies),
        findings=expand(RUN.place("reports/{study}.json"), study=RUN.studies),
        checkpoints=[f"resources/checkpoints/{name}" for name in RUN.checkpoints],
    output:
        RUN.place("report.html"),
    log:
        "logs/overview.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        run={key: getattr(RUN, key) for key in ("config", "species", "methods", "models")},
        jobs=lambda wildcards: [pages.measured_jobs(RUN, study) for study in RUN.studies],
        code=code_digest("scripts/overview.py"),
        benchmarks="results/benchmarks",
    message:
        "Writing {output}"
    script:
        "../scripts/overview.py"


rule report:
    input:
        RUN.place("report.html"),
        [path for study in RUN.studies for path in intermediates(RUN, study)],
