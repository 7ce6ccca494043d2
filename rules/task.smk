"""Examples of tasks of one's own, from the files that a task file names.

REQUIRED INPUTS: files of the tasks (resources/downloads/... or the user's own)
OUTPUTS: results/task/<dataset>/examples.parquet, card.json; results/facts/task.json; resources/simulated-tasks/<task>
"""

from nucleotune.plan.reading import readers
from nucleotune.studies.task.plan import computed_task
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
