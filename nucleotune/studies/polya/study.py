"""What the poly(A) study is; standard library only."""

from nucleotune.studies.base import Study
from nucleotune.studies.polya import plan, products

STUDY = Study(
    datasets=plan.polya_datasets,
    methods=lambda config, dataset: config["polya"]["methods"],
    labels=lambda dataset: ("", ""),
    files=plan.polya_files,
    genomes=lambda run: [
        (name, plan.polya_genome(run, name)) for name in run.config["polya"]["species"]
    ],
    task=lambda dataset: "profiles",
    kinds=("profiles",),
    against=lambda run: [run.config["polya"]["line"]],
    species_rules=("simulate", "annotation"),
    motifs="resources/motifs/polya.meme",
    trim=plan.trim,
    check_methods=plan.check_methods,
    described=products.described,
    products=products.products,
)
