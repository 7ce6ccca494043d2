"""What the study of the user's own tasks is; standard library only."""

from nucleotune.studies.base import Study
from nucleotune.studies.task import plan, plugin, products

STUDY = Study(
    datasets=plan.listed_tasks,
    methods=lambda config, dataset: config["task"]["methods"],
    labels=lambda dataset: dataset.names,
    task=lambda dataset: dataset.kind,
    kinds=("classes", "labels", "numbers"),
    judged=plan.judged_task,
    both_strands=plan.reads_both_strands,
    files=plan.task_files,
    genomes=lambda run: [
        (name, files) for name in run.tasks if (files := plan.genome_files(run, name))
    ],
    cost_names=lambda dataset: [dataset.task],
    listed=plan.listed_tasks,
    tasks=plugin.load_tasks,
    described=products.described,
    products=products.products,
    facts=products.facts,
    intermediates=plan.cross_files,
)
