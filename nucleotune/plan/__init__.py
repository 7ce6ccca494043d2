"""What a run consists of, worked out from its configuration alone: data sets, files to fetch, training jobs.

Imported by the Snakefile; standard library only. The fan-out is known before the first job, so the workflow needs no
checkpoints.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nucleotune.errors import InputError
from nucleotune.sources.addresses import without_secrets
from nucleotune.sources.hub import Locked, hub_sources, locked_commit
from nucleotune.sources.registry import Source, local_path, resolve

DOWNLOADS = "resources/downloads"

#: Commits of the revisions that model files name, see `nucleotune.sources.hub`.
MODELS_LOCK = "resources/models.lock.tsv"

#: Baselines that look at one feature only, drawn as orientation.
REFERENCE_LINES = (
    *("length", "gc", "orf_length", "start_codon", "dinucleotide", "biotype"),
    "majority",
)

#: Baselines that serve every kind of labels (`general` in `baselines.base`) and read sequences alone; the others learn
#: two classes.
EVERY_KIND = (
    *("tfidf", "onehot", "cnn", "boosted", "majority"),
    *("length", "gc", "orf_length", "start_codon", "dinucleotide"),
)


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

    @property
    def aside(self) -> bool:
        """Whether it only stands beside another data set: analysed further where it is named, not by default."""
        return False


def any_of(names: Iterable[str]) -> str:
    """A wildcard's constraint: one of some names as they are written, or nothing at all if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def pool_name(split: str) -> str:
    """Name of the data set that pools all species under `split`."""
    return f"pooled_{split}"


def shared_jobs(
    datasets: Iterable[str],
    per_job: int,
    listed: Iterable[str] | None = None,
    head: Callable[[str], Hashable] = lambda dataset: None,
) -> dict[str, list[str]]:
    """Which data sets' trainings share a job: number of the job -> their names; none where each has its own.

    listed: all data sets that the run could have, in order. Jobs are cut from these, so that leaving one out changes
    its own job alone.
    head: of a data set, what must be the same within a job.
    """
    if per_job == 1:
        return {}
    names = list(datasets)
    listed = names if listed is None else list(listed)
    alike: dict[Hashable, list[str]] = {}
    for name in listed:
        alike.setdefault(head(name), []).append(name)
    cut = [
        group[first : first + per_job]
        for group in alike.values()
        for first in range(0, len(group), per_job)
    ]
    jobs = {str(n): [name for name in group if name in names] for n, group in enumerate(cut)}
    return {number: members for number, members in jobs.items() if members}


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


def check_baselines(
    where: str, kind: str, parts: int, names: Iterable[str], methods: Mapping[str, Any]
) -> None:
    """Raise InputError, with `where`, for a baseline that does not serve a data set's kind of labels.

    names: of its methods; methods: method files by name; parts: the number of its classes, labels or numbers.
    """
    if kind == "profiles" or (kind == "classes" and parts == 2):
        return
    for name in names:
        baseline = methods[name].get("baseline")
        if baseline is not None and baseline not in EVERY_KIND:
            what = f"{parts} classes" if kind == "classes" else f"kind {kind!r}"
            raise InputError(
                f"{where} has labels of {what}, but method {name!r} (baseline {baseline!r}) learns two classes only;"
                f" expected a baseline of {', '.join(EVERY_KIND)}"
            )


def pretraining_pairs(names: Iterable[str], methods: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each language model with itself without pre-training (`weights: random`): all else is alike."""
    models = [name for name in names if methods[name]["kind"] == "language_model"]
    return [
        (name, control)
        for control in models
        for name in models
        if methods[control].get("weights") == "random"
        and "weights" not in methods[name]
        and methods[name]["start_from"] is None
        and all(
            methods[name].get(key) == methods[control].get(key)
            for key in ("model", "adaptation", "long")
        )
    ]


def describe_methods(names: list[str], methods: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What tables and figures say of each method.

    Kind `reference` marks one-feature lines and the mean profile, `control` language models without pre-training
    (`weights: random`); `view` is what a language model is shown, else None.
    """
    keys = ("title", "kind", "published_as", "comparable", "note")
    result = []
    for name in names:
        described = {"name": name, **{key: methods[name][key] for key in keys}}
        described["view"] = methods[name].get("view")
        method = methods[name]
        if method.get("baseline") in REFERENCE_LINES or method.get("network") == "average":
            described["kind"] = "reference"
        elif method.get("weights") == "random":
            described["kind"] = "control"
        result.append(described)
    return result
