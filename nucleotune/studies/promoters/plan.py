"""What the promoter study consists of, worked out from its configuration alone; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucleotune.errors import InputError
from nucleotune.names import by_name
from nucleotune.plan import DOWNLOADS, Dataset, describe_methods
from nucleotune.sources.registry import Source, local_path, resolve

if TYPE_CHECKING:
    from nucleotune.plan.run import Run

#: Task -> what labels 0 and 1 mean.
LABELS = {
    "task1": ("artificial", "biological"),
    "task2": ("non-promoter", "promoter"),
    "task3": ("low", "high"),
    "task4": ("lncRNA", "protein_coding"),
}

#: Data sets of this task come in all `lengths`, the others in `LENGTH` alone.
BY_LENGTH = "task3"
LENGTH = 300

#: Name of a file -> the registry's row it is fetched by, and the block of the species file that has its fields.
ROWS = {
    "genome": ("{site}_dna", "ensembl"),
    "annotation": ("{site}_gtf", "ensembl"),
    "expression": ("gtex_median_tpm", "gtex"),
    "promoters": ("epdnew_promoters", "epd"),
    "motifs": ("epdnew_motifs", "epd"),
    "gue_train": ("gue_train", "gue"),
    "gue_valid": ("gue_dev", "gue"),
    "gue_test": ("gue_test", "gue"),
}
GUE = ("gue_train", "gue_valid", "gue_test")


@dataclass(frozen=True)
class PromoterDataset(Dataset):
    """A task on the promoters of one species, with promoters of `length` nt."""

    task: str = ""
    length: int = LENGTH


def promoter_datasets(config: Mapping[str, Any]) -> dict[str, PromoterDataset]:
    """Data sets `<species>_<task>_<split>`, of Task 3 `<species>_task3-<length>_<split>`, in table order.

    Sequences of GUE come without a place, so that there is no chromosome to hold out.
    """
    study = config["promoters"]
    datasets = []
    for species in study["species"]:
        for split in study["splits"]:
            for task in study["tasks"]:
                if split == "chromosome" and without_places(study, task):
                    continue
                for length in study["lengths"] if task == BY_LENGTH else [LENGTH]:
                    name = f"{task}-{length}" if task == BY_LENGTH else task
                    datasets.append(
                        PromoterDataset(
                            f"{species}_{name}_{split}", split, (species,), task=task, length=length
                        )
                    )
    return by_name(datasets, "a species, a task and a split")


def without_places(study: Mapping[str, Any], task: str) -> bool:
    """Whether a task's sequences are those of GUE, whose places in the genome are not known."""
    return task in ("task1", "task2") and study["positives"] == "gue"


def promoter_methods(config: Mapping[str, Any], dataset: PromoterDataset) -> list[str]:
    """Methods of one data set: those of the study, and those that one table alone asks for."""
    study = config["promoters"]
    methods = [*study["methods"]]
    if dataset.task == "task2":
        methods += study["kmer_methods"]
    if dataset.task == BY_LENGTH:
        methods += study["expression_methods"]
        if dataset.length > LENGTH:
            methods += study["truncation_methods"]
    return list(dict.fromkeys(methods))


def promoter_files(
    species: Mapping[str, Any], registry: Mapping[str, Source], data_dir: str | Path
) -> dict[str, tuple[str, Source | None]]:
    """Files that a species has for the study: name -> (path, source); the source is None for a local file."""
    block = species["promoters"]
    fields: dict[str, dict[str, Any]] = {
        name: {f"{name}_{key}": value for key, value in block[name].items() if key != "expected"}
        for name in ("gtex", "epd", "gue")
        if block[name]
    }
    if species["ensembl"]:
        site = "ensembl" if species["ensembl"]["division"] == "vertebrates" else "ensemblgenomes"
        fields["ensembl"] = {**species["ensembl"], "site": site, "dna": block["dna"]}
    files: dict[str, tuple[str, Source | None]] = {}
    for name, (row, part) in ROWS.items():
        if block["files"][name]:
            files[name] = (str(Path(data_dir) / block["files"][name]), None)
        elif part in fields:
            values = {key: str(value) for key, value in fields[part].items()}
            source = resolve(registry[row.format(**values)], **values)
            files[name] = (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
    return files


def task_files(task: str, study: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the files that a task is built from, under the study's `positives` and `pool`."""
    if task == "task3" or (task == "task4" and study["pool"] != "gtf"):
        return ("genome", "annotation", "expression")
    if task == "task4":
        return ("genome", "annotation")
    if study["positives"] == "epd":
        return ("genome", "promoters", "motifs")
    return GUE if task == "task1" else (*GUE, "genome", "promoters")


def dataset_files(run: Run, dataset: PromoterDataset) -> dict[str, tuple[str, Source | None]]:
    """Files that a data set is built from: name -> (path, source). Of GUE a single file of one's own is enough.

    Raises InputError where the species has no place for one of them.
    """
    (name,) = dataset.species
    files = promoter_files(run.species[name], run.registry, run.config["data_dir"])
    names = task_files(dataset.task, run.config["promoters"])
    lacking = [file for file in names if file not in files]
    if lacking and not ("gue_train" in files and {*lacking} <= {"gue_valid", "gue_test"}):
        raise InputError(
            f"species/{name}.yaml: promoters: {dataset.task} needs {', '.join(lacking)}; say where it is "
            f"(gtex, epd, gue, or a file of your own under files), or leave {dataset.task} out of promoters.tasks"
        )
    return {file: files[file] for file in names if file in files}


def described_promoter_methods(
    names: list[str], methods: Mapping[str, Any], models: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What tables say of each method: as `plan.describe_methods`, and `kmer` and `truncation`."""
    result = []
    for described in describe_methods(names, methods):
        method = methods[described["name"]]
        language = method["kind"] == "language_model"
        model = models[method["model"]] if language else None
        overlapping = language and model["tokenizer"]["kind"] == "kmer"
        result.append(
            {
                **described,
                "kmer": model["tokenizer"]["k"] if overlapping else None,
                "truncation": method["truncation"] if language else None,
            }
        )
    return result
