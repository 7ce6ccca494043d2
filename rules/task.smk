"""Examples of tasks of one's own, from the files that a task file names.

REQUIRED INPUTS: files of the tasks (resources/downloads/... or the user's own)
OUTPUTS: results/task/<dataset>/examples.parquet, card.json; results/facts/task.json; resources/simulated-tasks/<task>;
    with `task.cross` results/task/<dataset>/<method>/cross.json
"""

from nucleotune.plan.reading import readers
from nucleotune.plan.run import PREDICTIONS, SEED_OF
from nucleotune.studies.task.plan import CROSS, computed_task, crossed, relatives_of
from nucleotune.studies.task.products import facts, whole


localrules:
    simulate_task,


rule task_examples:
    input:
        unpack(lambda wildcards: RUN.source_paths("task", wildcards.dataset)),
    output:
        examples="results/task/{dataset}/examples.parquet",
        card="results/task/{dataset}/card.json",
    log:
        "logs/task_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/task_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(RUN.datasets["task"]),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        task=lambda wildcards: computed_task(
            RUN.tasks[RUN.datasets["task"][wildcards.dataset].task],
            RUN.datasets["task"][wildcards.dataset].row,
        ),
        share=lambda wildcards: RUN.datasets["task"][wildcards.dataset].share,
        version=stage_number("task_examples"),
    message:
        "Building examples of {wildcards.dataset}"
    script:
        "../scripts/task_examples.py"


if facts(RUN):

    rule task_reading:
        input:
            examples=expand("results/task/{dataset}/examples.parquet", dataset=whole(RUN)),
            checkpoints=list(RUN.checkpoint_paths("task").values()),
        output:
            facts(RUN),
        log:
            "logs/task_reading.log",
        conda:
            "../envs/nucleotune.yaml"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 30 * attempt,
        params:
            **readers(RUN, "task", whole(RUN)),
            code=code_digest("scripts/task_reading.py"),
        message:
            "What methods read of the sequences"
        script:
            "../scripts/task_reading.py"


rule cross_tests:
    input:
        examples="results/task/{dataset}/examples.parquet",
        predictions=expand(PREDICTIONS, study="task", seed=RUN.seeds, allow_missing=True),
        models=expand(f"{SEED_OF}/model", study="task", seed=RUN.seeds, allow_missing=True),
        others=lambda wildcards: [
            f"results/task/{other}/examples.parquet" for other in crossed(RUN)[wildcards.dataset]
        ],
    output:
        RUN.place(CROSS),
    log:
        "logs/cross_tests/{dataset}.{method}.log",
    benchmark:
        "results/benchmarks/cross_tests/{dataset}.{method}.tsv"
    wildcard_constraints:
        dataset=any_of(crossed(RUN)),
        method=any_of(RUN.trained),
    conda:
        "../envs/nucleotune.yaml"
    threads: lambda wildcards: training_need("threads")(wildcards, 1)
    resources:
        mem_mb=training_need("mem_mb"),
        runtime=training_need("runtime"),
        gpu=one_gpu,
        devices=one_gpu,
    params:
        seeds=RUN.seeds,
        task=lambda wildcards: RUN.task("task", wildcards.dataset),
        others=lambda wildcards: crossed(RUN)[wildcards.dataset],
        judged=lambda wildcards: RUN.studies["task"].judged(RUN, wildcards.dataset),
        related=lambda wildcards: relatives_of(RUN, wildcards.dataset),
        bootstrap=RUN.config["bootstrap"],
        version=stage_number("cross_tests"),
    message:
        "Testing {wildcards.method} of {wildcards.dataset} on the other tasks with its labels"
    script:
        "../scripts/cross_tests.py"


use rule cross_tests as cross_tests_baseline with:
    wildcard_constraints:
        dataset=any_of(crossed(RUN)),
        method=any_of(RUN.baselines),


rule simulate_task:
    output:
        directory("resources/simulated-tasks/{task}"),
    log:
        "logs/simulate_task/{task}.log",
    wildcard_constraints:
        task=any_of(RUN.tasks),
    priority: FIRST
    conda:
        "../envs/nucleotune.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        kind=lambda wildcards: RUN.tasks[wildcards.task]["kind"],
        simulate=lambda wildcards: RUN.tasks[wildcards.task]["simulate"],
        version=stage_number("simulate"),
    message:
        "Simulating the task {wildcards.task}"
    script:
        "../scripts/simulate_task.py"
