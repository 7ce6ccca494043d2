"""The studies, by name: what the Snakefile asks of each; standard library only. A new study is one more entry."""

from collections.abc import Iterator, Mapping

from nucleotune.errors import InputError
from nucleotune.sources.registry import Source
from nucleotune.studies.base import Files, Loaded, Study
from nucleotune.studies.lncrna import products as lncrna
from nucleotune.studies.lncrna.plan import (
    CLASSES,
    check_settings,
    lncrna_datasets,
    transcript_files,
)
from nucleotune.studies.polya import plan as polya_plan
from nucleotune.studies.polya import products as polya
from nucleotune.studies.polya.plan import polya_datasets, polya_files, polya_genome
from nucleotune.studies.promoters import products as promoters
from nucleotune.studies.promoters import protocol
from nucleotune.studies.promoters.plan import (
    LABELS,
    dataset_files,
    promoter_datasets,
    promoter_files,
    promoter_methods,
)
from nucleotune.studies.rbp import checks
from nucleotune.studies.rbp import products as rbp
from nucleotune.studies.rbp.plan import LABELS as RBP_LABELS
from nucleotune.studies.rbp.plan import (
    listed_rbps,
    rbp_datasets,
    rbp_files,
    reads_structures,
    region_files,
)

STUDIES = {
    "lncrna": Study(
        datasets=lambda run: lncrna_datasets(run["config"]),
        methods=lambda config, dataset: config["lncrna"]["methods"],
        labels=lambda dataset: tuple(CLASSES),
        files=transcript_files,
        species_rules=("simulate",),
        described=lncrna.described,
        products=lncrna.products,
        check_settings=check_settings,
    ),
    "promoters": Study(
        datasets=lambda run: promoter_datasets(run["config"]),
        methods=promoter_methods,
        labels=lambda dataset: LABELS[dataset.task],
        files=dataset_files,
        species_rules=("simulate", "annotation"),
        described=promoters.described,
        products=promoters.products,
        facts=promoters.facts,
        intermediates=promoters.intermediates,
        cost_names=lambda dataset: [dataset.name.removesuffix(f"_{dataset.split}")],
        check_methods=protocol.check_methods,
    ),
    "rbp": Study(
        datasets=rbp_datasets,
        methods=lambda config, dataset: config["rbp"]["methods"],
        labels=lambda dataset: RBP_LABELS,
        files=rbp_files,
        described=rbp.described,
        products=rbp.products,
        intermediates=rbp.intermediates,
        cost_names=lambda dataset: [dataset.collection],
        listed=listed_rbps,
        folded=reads_structures,
        trim=checks.trim,
        check_data=checks.check_data,
        check_methods=checks.check_methods,
    ),
    "polya": Study(
        datasets=polya_datasets,
        methods=lambda config, dataset: config["polya"]["methods"],
        labels=lambda dataset: ("", ""),
        files=polya_files,
        species_rules=("simulate", "annotation"),
        described=polya.described,
        products=polya.products,
        task="profiles",
        against=lambda run: [run.config["polya"]["line"]],
        motifs="resources/motifs/polya.meme",
        trim=polya_plan.trim,
        check_methods=polya_plan.check_methods,
    ),
}


def genome_files(run: Loaded, registry: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """Genome and annotation, as they were fetched or given, of each species and collection that has them.

    Name -> `genome`, `annotation` -> path. Raises InputError where two owners of one name have different files.
    """
    found: dict[str, dict[str, str]] = {}
    for owner, files in _owners(run, registry):
        for name in ("genome", "annotation"):
            if name in files:
                path, _ = files[name]
                known = found.setdefault(owner, {}).setdefault(name, path)
                if known != path:
                    raise InputError(
                        f"{owner!r} names two files for its {name}: {known} and {path}; give the species or collection "
                        "of one of them another name"
                    )
    return found


def _owners(run: Loaded, registry: Mapping[str, Source]) -> Iterator[tuple[str, Files]]:
    config = run["config"]
    if "promoters" in config["studies"]:
        for name in config["promoters"]["species"]:
            yield name, promoter_files(run["species"][name], registry, config["data_dir"])
    if "polya" in config["studies"]:
        for name in config["polya"]["species"]:
            yield name, polya_genome(run, registry, name)
    for name in run["collections"]:
        yield name, region_files(run, name)
