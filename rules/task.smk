"""Examples of tasks of one's own, from the files that a task file names.

REQUIRED INPUTS: files of the tasks (resources/downloads/... or the user's own)
OUTPUTS: results/task/<dataset>/examples.parquet, card.json; resources/simulated-tasks/<task>
"""

from nucleotune.studies.task.plan import computed_task


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
