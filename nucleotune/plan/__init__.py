"""What a run consists of, worked out from its configuration alone: data sets, files to fetch, training jobs.

Imported by the Snakefile; standard library only. The fan-out is known before the first job, so the workflow needs no
checkpoints.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nucleotune.errors import InputError
from nucleotune.names import by_name
from nucleotune.sources.addresses import without_secrets
from nucleotune.sources.hub import Locked, hub_sources, locked_commit
from nucleotune.sources.registry import Source, local_path, resolve

#: Class of a transcript -> its part of a species file and of Ensembl's file names.
CLASSES = {"mRNA": ("coding", "cds"), "lncRNA": ("noncoding", "ncrna")}

DOWNLOADS = "resources/downloads"

#: Commits of the revisions that model files name, see `nucleotune.sources.hub`.
MODELS_LOCK = "resources/models.lock.tsv"

#: Baselines that look at one feature only, drawn as orientation.
REFERENCE_LINES = ("length", "gc", "orf_length", "start_codon", "dinucleotide", "biotype")


@dataclass(frozen=True)
class Dataset:
    """One data set of a study: a species under one split, or the pool of all species under that split."""

    name: str
    split: str
    species: tuple[str, ...]
    pooled: bool = False

    @property
    def owner(self) -> str:
        """Whose genome and annotation it is read from: its species."""
        return self.species[0]


def pool_name(split: str) -> str:
    """Name of the data set that pools all species under `split`."""
    return f"pooled_{split}"


def part_name(kept: float) -> str:
    """The part of the test set whose transcripts are cut to `kept`: `test-kept90` for 0.9."""
    return f"test-kept{round(100 * kept)}"


def lncrna_datasets(config: Mapping[str, Any]) -> dict[str, Dataset]:
    """Data sets of the lncRNA study: `<species>_<split>` in table order, then the pools `pooled_<split>`."""
    study = config["lncrna"]
    single = [
        Dataset(f"{name}_{split}", split, (name,))
        for name in study["species"]
        for split in study["splits"]
    ]
    pools = [
        Dataset(pool_name(split), split, tuple(study["species"]), True) for split in study["splits"]
    ]
    return by_name((*single, *pools), "a species, or 'pooled' for all of them, and a split")


def shared_jobs(
    datasets: Iterable[str], per_job: int, listed: Iterable[str] | None = None
) -> dict[str, list[str]]:
    """Which data sets' trainings share a job: number of the job -> their names; none where each has its own.

    listed: all data sets that the run could have, in order. Jobs are cut from these, so that leaving one out changes
    its own job alone.
    """
    if per_job == 1:
        return {}
    names = list(datasets)
    listed = names if listed is None else list(listed)
    jobs = {}
    for number, first in enumerate(range(0, len(listed), per_job)):
        members = [name for name in listed[first : first + per_job] if name in names]
        if members:
            jobs[str(number)] = members
    return jobs


def class_files(
    species: Mapping[str, Any], label: str, registry: Mapping[str, Source], data_dir: str | Path
) -> list[tuple[str, Source | None]]:
    """FASTA files of one class of a species as (path, source); the source is None for a local file."""
    part, directory = CLASSES[label]
    if not species[part]["files"]:
        source = ensembl_source(species["ensembl"], directory, registry)
        return [(f"{DOWNLOADS}/{local_path(source.urls[0])}", source)]
    files: list[tuple[str, Source | None]] = []
    for file in species[part]["files"]:
        if file["path"]:
            files.append((str(Path(data_dir) / file["path"]), None))
        else:
            source = remote_source(file, "species file", plain="fasta")
            files.append((f"{DOWNLOADS}/{local_path(source.urls[0])}", source))
    return files


def ensembl_source(
    ensembl: Mapping[str, Any], directory: str, registry: Mapping[str, Source]
) -> Source:
    """The registry's row for `directory` (`cds` or `ncrna`) with the species' names and release filled in."""
    site = "ensembl" if ensembl["division"] == "vertebrates" else "ensemblgenomes"
    names = {**ensembl, "Species": ensembl["species"][:1].upper() + ensembl["species"][1:]}
    return resolve(
        registry[f"{site}_{directory}"], **{key: str(value) for key, value in names.items()}
    )


def remote_source(file: Mapping[str, Any], named_in: str, plain: str) -> Source:
    """The source of a file that a species or collection file names by `urls` and `checksum`.

    plain: what the file is if it is not compressed, a kind of the registry. By its name, since nothing was fetched yet.
    Raises InputError for an address with braces, which stand for names in the workflow's rules.
    """
    url = file["urls"][0]
    if set("{}") & set(local_path(url)):
        raise InputError(
            f"{named_in}: {without_secrets(url)}: braces in an address cannot be used; fetch the file and give its"
            " 'path'"
        )
    return Source(
        name=url.rsplit("/", 1)[-1],
        urls=tuple(file["urls"]),
        checksum=file["checksum"],
        min_bytes=1,
        kind="gzip" if urlsplit(url).path.lower().endswith((".gz", ".bgz")) else plain,
        licence="",
        note=f"named in a {named_in}",
    )


def transcript_files(
    run: Mapping[str, Any], registry: Mapping[str, Source], dataset: Dataset
) -> dict[str, tuple[str, Source | None]]:
    """FASTA files of a data set of the lncRNA study, by path: (path, source); the source is None for a local file."""
    return {
        path: (path, source)
        for name in dataset.species
        for label in CLASSES
        for path, source in class_files(
            run["species"][name], label, registry, run["config"]["data_dir"]
        )
    }


def downloads(
    files: Iterable[Mapping[str, tuple[str, Source | None]]],
) -> dict[str, Source]:
    """What is to be fetched of some files: path -> source; `simulate`d ones too, whose mirror is written first."""
    return {path: source for some in files for path, source in some.values() if source is not None}


def calibration_files(
    run: Mapping[str, Any], registry: Mapping[str, Source]
) -> dict[tuple[str, int, str], tuple[str, Source]]:
    """Files of `calibrate_counts`: (species, release, class) -> (path, source).

    Species from Ensembl's main site that stand beside a row of the paper, in every release of `lncrna.calibrate`; a
    simulated one in its own release, the only one it has.
    """
    files = {}
    names = run["config"]["lncrna"]["species"] if "lncrna" in run["config"]["studies"] else []
    for name in names:
        species = run["species"][name]
        ensembl = species["ensembl"]
        if not ensembl or ensembl["division"] != "vertebrates" or not species["published_as"]:
            continue
        releases = run["config"]["lncrna"]["calibrate"]["releases"]
        for release in [ensembl["release"]] if species["simulate"] else releases:
            for label, (_, directory) in CLASSES.items():
                source = ensembl_source({**ensembl, "release": release}, directory, registry)
                path = f"{DOWNLOADS}/{local_path(source.urls[0])}"
                files[name, release, label] = (path, source)
    return files


def checkpoint_files(
    name: str,
    model: Mapping[str, Any],
    *,
    revisions: Mapping[str, Locked],
    data_dir: str | Path,
    mirrors: Iterable[str | Path],
) -> dict[str, tuple[str, Source | None]]:
    """Published files of a model: name -> (path, source); the source is None for a file of a local directory."""
    checkpoint = model["checkpoint"]
    if checkpoint["hub"] is None:
        folder = Path(data_dir) / Path(checkpoint["path"]).expanduser()
        return {file: (str(folder / file), None) for file in checkpoint["files"]}
    sources = hub_sources(name, model, locked_commit(name, checkpoint, revisions), mirrors)
    return {
        file: (f"{DOWNLOADS}/{local_path(source.urls[0])}", source)
        for file, source in sources.items()
    }


def used_models(
    methods: Mapping[str, Mapping[str, Iterable[str]]], files: Mapping[str, Mapping[str, Any]]
) -> set[str]:
    """Models of the methods that any data set is given, first stages included.

    methods: study -> data set -> names of its methods; files: method files by name.
    """
    names = {name for sets in methods.values() for some in sets.values() for name in some}
    while stages := {files[name].get("start_from") for name in names} - names - {None}:
        names |= stages
    return {files[name]["model"] for name in names if files[name].get("model")}


def describe_datasets(
    datasets: Mapping[str, Dataset], species: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What tables and figures say of each data set that is shown (pools are not), in order.

    What a split by genes keeps apart is in its card (`reporting.leaks.noted`).
    """
    shown = [dataset for dataset in datasets.values() if not dataset.pooled]
    several = len({dataset.split for dataset in shown}) > 1
    result = []
    for dataset in shown:
        one = species[dataset.species[0]]
        title = f"{one['title']}, {dataset.split} split" if several else one["title"]
        # The papers split at random: a gene-grouped split is another, harder question.
        comparable = one["comparable"] and dataset.split == "paper"
        result.append(
            {
                "name": dataset.name,
                "species": dataset.species[0],
                "split": dataset.split,
                "title": title,
                "published_as": one["published_as"],
                "comparable": comparable,
                "note": one["note"],
            }
        )
    return result


def pool_titles(datasets: Mapping[str, Dataset]) -> dict[str, str]:
    """Name -> title of the pools, for the logs of trainings on them."""
    return {
        name: f"Pool of all species, {dataset.split} split"
        for name, dataset in datasets.items()
        if dataset.pooled
    }


def describe_methods(names: list[str], methods: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What tables and figures say of each method.

    Kind `reference` marks one-feature lines and the mean profile; `view` is what a language model is shown, else None.
    """
    keys = ("title", "kind", "published_as", "comparable", "note")
    result = []
    for name in names:
        described = {"name": name, **{key: methods[name][key] for key in keys}}
        described["view"] = methods[name].get("view")
        method = methods[name]
        if method.get("baseline") in REFERENCE_LINES or method.get("network") == "average":
            described["kind"] = "reference"
        result.append(described)
    return result


def lncfinder_model(species: Mapping[str, Any]) -> str:
    """Which of LncFinder's three models fits a species (by its Ensembl name); `human` where none does."""
    name = species["ensembl"]["species"] if species["ensembl"] else ""
    return {"mus_musculus": "mouse", "triticum_aestivum": "wheat"}.get(name, "human")
