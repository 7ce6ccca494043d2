"""What the lncRNA study is; standard library only."""

from nucleotune.studies.base import Study
from nucleotune.studies.lncrna import plan, products

STUDY = Study(
    datasets=lambda run: plan.lncrna_datasets(run.config),
    methods=lambda config, dataset: config["lncrna"]["methods"],
    labels=lambda dataset: tuple(plan.CLASSES),
    files=plan.transcript_files,
    on_request=lambda run: dict(plan.calibration_files(run).values()),
    other_tests=False,
    species_rules=("simulate",),
    check_settings=plan.check_settings,
    described=products.described,
    products=products.products,
)
