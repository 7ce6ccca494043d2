"""What the poly(A) study consists of, worked out from its configuration alone; standard library only."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.plan import DOWNLOADS, Dataset, remote_source
from nucleotune.plan.run import Run
from nucleotune.search_space import EXAMPLE, check_space, read_search, settings_digest
from nucleotune.sources.registry import local_path, resolve
from nucleotune.studies.base import Files


def polya_datasets(run: Run) -> dict[str, Dataset]:
    """One data set a species, of its name."""
    return {name: Dataset(name, "chromosome", (name,)) for name in run.config["polya"]["species"]}


def polya_genome(run: Run, species: str) -> Files:
    """Genome and annotation of a species: name -> (path, source); the source is None for a local file."""
    one, data_dir = run.species[species], Path(run.config["data_dir"])
    files: Files = {}
    for name, row in (("genome", "dna"), ("annotation", "gtf")):
        if one["polya"]["files"][name]:
            files[name] = (str(data_dir / one["polya"]["files"][name]), None)
        elif one["ensembl"]:
            site = "ensembl" if one["ensembl"]["division"] == "vertebrates" else "ensemblgenomes"
            row = run.registry[f"{site}_{row}"]
            source = resolve(row, **one["ensembl"], dna=one["polya"]["dna"])
            files[name] = (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
        else:
            raise InputError(
                f"species/{species}.yaml: polya.files.{name}: name a file, or give 'ensembl'"
            )
    return files


def polya_files(run: Run, dataset: Dataset) -> Files:
    """Files of a data set: `genome`, `annotation`, and `ends_<n>` (for bedGraph `minus_<n>`, too) of the n-th entry."""
    (species,) = dataset.species
    files = polya_genome(run, species)
    data_dir = Path(run.config["data_dir"])
    for number, entry in enumerate(run.species[species]["polya"]["ends"]):
        if entry["path"]:
            files[f"ends_{number}"] = (str(data_dir / entry["path"]), None)
        else:
            source = remote_source(entry, "species file", plain="text")
            files[f"ends_{number}"] = (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
        if entry["minus"]:
            files[f"minus_{number}"] = (str(data_dir / entry["minus"]), None)
        elif entry["minus_urls"]:
            other = {"urls": entry["minus_urls"], "checksum": entry["minus_checksum"]}
            source = remote_source(other, "species file", plain="text")
            files[f"minus_{number}"] = (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
    return files


def described_polya(
    datasets: Mapping[str, Dataset], species: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What tables say of each data set, in order."""
    return [
        {
            "name": dataset.name,
            "species": dataset.name,
            "split": dataset.split,
            **{
                key: species[dataset.name][key]
                for key in ("title", "published_as", "comparable", "note")
            },
        }
        for dataset in datasets.values()
    ]


def found_by_search(run: Run) -> dict[str, dict[str, Any]]:
    """What target `tune` has found so far: data set -> method -> content of best.json. No table asks for a search.

    Searches of other settings are left out here, those of other examples by table 3.
    """
    found: dict[str, dict[str, Any]] = {}
    for method, space in run.config["polya"]["tune"]["space"].items():
        settings = settings_digest(
            run.computed("methods", method), run.encoder(method), space, run.seeds[0]
        )
        for dataset in run.datasets["polya"]:
            best = read_search(f"results/polya/{dataset}/{method}/tune/best.json", settings)
            if best is not None:
                found.setdefault(dataset, {})[method] = best
    return found


def searched(run: Run) -> list[str]:
    """What target `tune` makes: results of all searches. Raises InputError where none is asked for."""
    space = run.config["polya"]["tune"]["space"]
    if not space:
        raise InputError(
            "polya.tune.space is empty: name methods of polya.methods, their keys and values, such as"
            f" {EXAMPLE}"
        )
    return [
        f"results/polya/{dataset}/{method}/tune/best.json"
        for dataset in run.datasets["polya"]
        for method in space
    ]


def trim(study: dict[str, Any], kept: Callable[[str, list, list], list]) -> None:
    """Take searches of methods out that the run does not have; `kept` as `config` gives it."""
    tune = study["tune"]
    names = kept("polya.tune.space", list(tune["space"]), study["methods"])
    tune["space"] = {name: tune["space"][name] for name in names}


def check_methods(
    study: Mapping[str, Any],
    methods: Mapping[str, Any],
    models: Mapping[str, Any],
    source: str,
) -> list[str]:
    """The line is one of the methods, and searches are of their keys; no notes."""
    if study["line"] not in study["methods"]:
        raise InputError(
            f"{source}: polya.line: {study['line']!r}, which the others are compared with, is not one of"
            f" polya.methods: {', '.join(study['methods'])}"
        )
    for name, space in study["tune"]["space"].items():
        check_space(space, methods[name], f"{source}: polya.tune.space.{name}")
    return []
