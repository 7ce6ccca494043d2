"""What a run would consist of and cost, printed before anything of it is started.

REQUIRED INPUTS: none; resources/costs.tsv. Included last: it counts the outputs of all rules.
OUTPUTS: none; the target plan prints jobs, hours and storage
"""


localrules:
    plan,


rule plan:
    log:
        "logs/plan.log",
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        # This Snakemake, asked for the DAG that it would run: same configuration, no lock, nothing executed.
        snakemake=[sys.executable, "-m", "snakemake", "--snakefile", workflow.main_snakefile],
        rerun_triggers=lambda wildcards: sorted(map(str, workflow.rerun_triggers)),
        outputs={rule.name: len(rule.output) for rule in workflow.rules},
        run={key: getattr(RUN, key) for key in ("config", "methods", "models")},
        datasets={
            study: {name: RUN.studies[study].cost_names(dataset) for name, dataset in sets.items()}
            for study, sets in RUN.datasets.items()
        },
        weights={
            path: model
            for model, files in RUN.checkpoints.items()
            for file, (path, _) in files.items()
            if file.endswith((".bin", ".safetensors"))
        },
        costs=f"{ROOT}/resources/costs.tsv",
    message:
        "Working out what this configuration would run"
    script:
        "../scripts/plan.py"
