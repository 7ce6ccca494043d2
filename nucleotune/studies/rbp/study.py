"""What the RBP study is; standard library only."""

from nucleotune.studies.base import Study
from nucleotune.studies.rbp import checks, plan, products

STUDY = Study(
    datasets=plan.rbp_datasets,
    methods=lambda config, dataset: config["rbp"]["methods"],
    labels=lambda dataset: plan.LABELS,
    files=plan.rbp_files,
    more_files=lambda run: [plan.region_files(run, name) for name in run.collections],
    genomes=lambda run: [(name, plan.region_files(run, name)) for name in run.collections],
    cost_names=lambda dataset: [dataset.collection],
    listed=plan.listed_rbps,
    folded=plan.reads_structures,
    trim=checks.trim,
    check_data=checks.check_data,
    check_methods=checks.check_methods,
    described=products.described,
    products=products.products,
    intermediates=products.intermediates,
)
