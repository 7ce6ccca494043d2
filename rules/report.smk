"""The report: one self-contained HTML page of everything that was run.

REQUIRED INPUTS: tables, figures, cards, metrics, training logs, docs/deviations.md
OUTPUTS: results/report.html
"""


localrules:
    report,


rule report:
    input:
        tables=[path for path in study_targets() if path.endswith(".html")],
        figures=[path for path in study_targets() if path.endswith(".svg")],
        cards=[
            f"results/{study}/{dataset}/card.json"
            for study in SETTINGS["studies"]
            for dataset in SHOWN[study]
        ],
        comparisons=[
            f"results/{study}/{dataset}/comparison.tsv"
            for study in SETTINGS["studies"]
            for dataset in SHOWN[study]
        ],
        metrics=[
            path
            for study in SETTINGS["studies"]
            for path in every("results/{study}/{dataset}/{method}/metrics.json", study)
        ],
        training=[
            f"{run}/training.{kind}"
            for study in SETTINGS["studies"]
            for run in trained_runs(study)
            for kind in ("tsv", "json")
        ],
        fits=[
            path
            for study in SETTINGS["studies"]
            for path in every(
                "results/{study}/{dataset}/{method}/seed{seed}/fit.json",
                study,
                [name for name in METHODS[study] if name in BASELINES],
            )
        ],
        checkpoints=[f"resources/checkpoints/{name}" for name in CHECKPOINTS],
        deviations=[f"{workflow.basedir}/docs/deviations.md"],
    output:
        "results/report.html",
    log:
        "logs/report.log",
    conda:
        "../envs/nucleotune.yaml"
    params:
        config=SETTINGS,
        species=RUN["species"],
        methods=RUN["methods"],
        models=RUN["models"],
        version=STAGE["report"],
        benchmarks="results/benchmarks",
        datasets=LNCRNA_DATASETS,
        pools=plan.pool_titles(DATASETS["lncrna"]),
        described=LNCRNA_METHODS,
    message:
        "Writing {output}"
    script:
        "../scripts/report.py"
