"""What a run of the lncRNA study consists of: data sets, files, what tables say of them; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucleotune.errors import InputError
from nucleotune.names import by_name
from nucleotune.plan import DOWNLOADS, Dataset, ensembl_source, pool_name, remote_source
from nucleotune.sources.registry import Source, local_path

if TYPE_CHECKING:
    from nucleotune.plan.run import Run

#: Class of a transcript -> its part of a species file and of Ensembl's file names.
CLASSES = {"mRNA": ("coding", "cds"), "lncRNA": ("noncoding", "ncrna")}


def part_name(kept: float) -> str:
    """The part of the test set whose transcripts are cut to `kept`: `test-kept90` for 0.9."""
    return f"test-kept{round(100 * kept)}"


def check_settings(settings: Mapping[str, Any], source: str) -> None:
    """Shares of partial transcripts name parts of the test set by whole per cent: one part, one share."""
    shares = settings["kept"]
    parts = [part_name(share) for share in shares]
    for share, part in zip(shares, parts, strict=True):
        if parts.count(part) > 1 or not 1 <= round(100 * share) <= 99:
            raise InputError(
                f"{source}: lncrna.kept: {share}: expected shares of 0.01 to 0.99 that differ in whole per cent"
            )


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


def transcript_files(run: Run, dataset: Dataset) -> dict[str, tuple[str, Source | None]]:
    """FASTA files of a data set of the lncRNA study, by path: (path, source); the source is None for a local file."""
    return {
        path: (path, source)
        for name in dataset.species
        for label in CLASSES
        for path, source in _class_files(run, name, label)
    }


def class_paths(run: Run, dataset: str, label: str) -> list[str]:
    """FASTA files of one class of a data set's species."""
    (species,) = run.datasets["lncrna"][dataset].species
    return [path for path, _ in _class_files(run, species, label)]


def _class_files(run: Run, species: str, label: str) -> list[tuple[str, Source | None]]:
    return class_files(run.species[species], label, run.registry, run.config["data_dir"])


def pooled(run: Run, dataset: str, file: str) -> list[str]:
    """A file of each data set that a pool is made of."""
    pool = run.datasets["lncrna"][dataset]
    return [f"results/lncrna/{species}_{pool.split}/{file}" for species in pool.species]


def calibration_files(run: Run) -> dict[tuple[str, int, str], tuple[str, Source]]:
    """Files of `calibrate_counts`: (species, release, class) -> (path, source).

    Species from Ensembl's main site that stand beside a row of the paper, in every release of `lncrna.calibrate`; a
    simulated one in its own release, the only one it has.
    """
    files = {}
    for name in run.config["lncrna"]["species"]:
        species = run.species[name]
        ensembl = species["ensembl"]
        if not ensembl or ensembl["division"] != "vertebrates" or not species["published_as"]:
            continue
        releases = run.config["lncrna"]["calibrate"]["releases"]
        for release in [ensembl["release"]] if species["simulate"] else releases:
            for label, (_, directory) in CLASSES.items():
                source = ensembl_source({**ensembl, "release": release}, directory, run.registry)
                path = f"{DOWNLOADS}/{local_path(source.urls[0])}"
                files[name, release, label] = (path, source)
    return files


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


def lncfinder_model(species: Mapping[str, Any]) -> str:
    """Which of LncFinder's three models fits a species (by its Ensembl name); `human` where none does."""
    name = species["ensembl"]["species"] if species["ensembl"] else ""
    return {"mus_musculus": "mouse", "triticum_aestivum": "wheat"}.get(name, "human")
