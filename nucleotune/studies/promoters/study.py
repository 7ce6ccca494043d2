"""What the promoter study is; standard library only."""

from nucleotune.studies.base import Study
from nucleotune.studies.promoters import plan, products, protocol

STUDY = Study(
    datasets=lambda run: plan.promoter_datasets(run.config),
    methods=plan.promoter_methods,
    labels=lambda dataset: plan.LABELS[dataset.task],
    files=plan.dataset_files,
    genomes=lambda run: [
        (name, plan.promoter_files(run.species[name], run.registry, run.config["data_dir"]))
        for name in run.config["promoters"]["species"]
    ],
    both_strands=lambda run, dataset: True,
    species_rules=("simulate", "annotation"),
    cost_names=lambda dataset: [dataset.name.removesuffix(f"_{dataset.split}")],
    check_methods=protocol.check_methods,
    described=products.described,
    products=products.products,
    facts=products.facts,
    intermediates=products.intermediates,
)
