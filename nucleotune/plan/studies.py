"""The studies, by name: what the Snakefile asks of each; standard library only. A new study is one more entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nucleotune.plan import CLASSES, Dataset, lncrna_datasets, transcript_files
from nucleotune.plan.promoters import LABELS, dataset_files, promoter_datasets, promoter_methods
from nucleotune.plan.rbp import LABELS as RBP_LABELS
from nucleotune.plan.rbp import rbp_datasets, rbp_files
from nucleotune.sources.registry import Source

Run = Mapping[str, Any]
Files = dict[str, tuple[str, Source | None]]


@dataclass(frozen=True)
class Study:
    """What differs from study to study; `run` is what `config.load_run` returns.

    datasets       of a run: name -> data set, in table order
    methods        of a configuration and a data set, in the order of the tables' rows
    labels         of a data set: what 0 and 1 mean
    files          of a run, the registry and a data set, what it is built from: name -> (path, source), the source
                   being None for a local file
    species_rules  rules with one job a species whose time the study's page counts
    """

    datasets: Callable[[Run], Mapping[str, Dataset]]
    methods: Callable[[Mapping[str, Any], Any], list[str]]
    labels: Callable[[Any], tuple[str, str]]
    files: Callable[[Run, Mapping[str, Source], Any], Files]
    species_rules: tuple[str, ...]


STUDIES = {
    "lncrna": Study(
        datasets=lambda run: lncrna_datasets(run["config"]),
        methods=lambda config, dataset: config["lncrna"]["methods"],
        labels=lambda dataset: tuple(CLASSES),
        files=transcript_files,
        species_rules=("simulate",),
    ),
    "promoters": Study(
        datasets=lambda run: promoter_datasets(run["config"]),
        methods=promoter_methods,
        labels=lambda dataset: LABELS[dataset.task],
        files=dataset_files,
        species_rules=("simulate", "annotation"),
    ),
    "rbp": Study(
        datasets=rbp_datasets,
        methods=lambda config, dataset: config["rbp"]["methods"],
        labels=lambda dataset: RBP_LABELS,
        files=rbp_files,
        species_rules=(),
    ),
}
