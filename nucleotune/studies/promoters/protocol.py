"""The promoter study's protocol: which settings each task reads, and what the paper's are; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nucleotune.errors import InputError
from nucleotune.studies.promoters.plan import BY_LENGTH, LENGTH, PromoterDataset, without_places

if TYPE_CHECKING:
    from nucleotune.plan.run import Run

#: Tissues of GTEx V8 with fewer than 70 genotyped samples; without them 49 of 54 are left, as in the paper.
SMALL_TISSUES = (
    "Bladder",
    "Cervix - Ectocervix",
    "Cervix - Endocervix",
    "Fallopian Tube",
    "Kidney - Medulla",
)

#: Settings of the paper's data sets; where it is silent, those that docs/deviations.md gives reasons for.
PAPER: dict[str, Any] = {
    "positives": "gue",
    "margin": 1000,
    "downstream": 50,
    "longest": 2000,
    "exclude_tissues": SMALL_TISSUES,
    "universe": "joined",
    "pool": "gtf",
    "n_per_class": 10_239,
    "drop_overlapping_promoters": False,
    "fractions": {"train": 0.8, "valid": 0.1, "test": 0.1},
}

#: Settings that a task's examples depend on, beside those of the split.
READS = {
    "task1": ("positives",),
    "task2": ("positives", "margin"),
    "task3": ("longest", "exclude_tissues", "universe"),
    "task4": ("pool", "n_per_class", "drop_overlapping_promoters"),
}

#: Parts of GUE are TSS-249 to TSS+50, whatever is asked for.
GUE_DOWNSTREAM = 50


def settings_read(
    study: Mapping[str, Any], dataset: PromoterDataset, species: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings that the examples of a data set depend on, and no more; `longest` is that of `lengths`.

    study: part `promoters` of the configuration. species: the data set's species file.
    """
    keys = [*READS[dataset.task], "downstream", "seed"]
    if dataset.task == "task1" and study["positives"] == "epd":
        keys.append("shuffle")
    if dataset.split == "chromosome":
        keys += ["fractions", "chromosomes"]
    elif not (without_places(study, dataset.task) and _has_parts(species["promoters"])):
        keys.append("fractions")
    values = {**study, "longest": max(LENGTH, *study["lengths"])}
    return {key: values[key] for key in keys}


def species_read(
    study: Mapping[str, Any], dataset: PromoterDataset, species: Mapping[str, Any]
) -> dict[str, Any]:
    """What the examples of a data set depend on of its species file, files apart.

    Returns `aliases` and `biotypes` as they stand there, and `expected`: source -> numbers that must be met.
    """
    block = species["promoters"]
    source = "gtex" if dataset.task in ("task3", "task4") else study["positives"]
    expected = (block[source] or {}).get("expected") or {}
    return {
        "aliases": block["aliases"],
        "biotypes": block["biotypes"] if source == "gtex" else None,
        "expected": {source: {key: n for key, n in expected.items() if n is not None}},
    }


def examples_of(
    run: Run, dataset: str
) -> tuple[Mapping[str, Any], PromoterDataset, Mapping[str, Any]]:
    """Arguments of `settings_read` and `species_read`: settings, data set, species file."""
    one = run.datasets["promoters"][dataset]
    return run.config["promoters"], one, run.species[one.species[0]]


def changed_settings(
    study: Mapping[str, Any], dataset: PromoterDataset, species: Mapping[str, Any]
) -> list[str]:
    """Settings that the data set's examples depend on and that are not the paper's, as they are called there."""
    found = settings_read(study, dataset, species)
    changed = [
        key for key, value in PAPER.items() if key in found and _plain(found[key]) != _plain(value)
    ]
    return ["the longest of lengths" if key == "longest" else key for key in changed]


def check_methods(
    study: Mapping[str, Any],
    methods: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, Any],
    source: str,
) -> list[str]:
    """Settings of the promoter study that fit each other; sentences on what a run leaves out.

    Raises InputError for windows that do not hold the TSS, settings that GUE's sequences cannot follow, a baseline that
    reads biotypes on a task without, and where no data set is left.
    """
    where, tasks = f"{source}: promoters", study["tasks"]
    shortest = min([*study["lengths"], LENGTH] if BY_LENGTH in tasks else [LENGTH])
    if study["downstream"] >= shortest:
        raise InputError(
            f"{where}.downstream: {study['downstream']} nt after the TSS do not fit in promoters of {shortest} nt;"
            f" expected less than {shortest}"
        )
    bare = [task for task in tasks if without_places(study, task)]
    if bare and study["downstream"] != GUE_DOWNSTREAM:
        raise InputError(
            f"{where}.downstream: {study['downstream']}, but the sequences of GUE ({', '.join(bare)}) end"
            f" {GUE_DOWNSTREAM} nt after the TSS; set positives: epd, or leave these tasks out"
        )
    notes = []
    if bare and "chromosome" in study["splits"]:
        if study["splits"] == ["chromosome"] and len(bare) == len(tasks):
            raise InputError(
                f"{where}.splits: sequences of GUE come without a place in the genome, so that {', '.join(bare)} have"
                " no split 'chromosome' and no data set is left; set positives: epd, or add the split 'random'"
            )
        notes.append(
            f"promoters.splits: {', '.join(bare)} have no split 'chromosome', since the sequences of GUE come without"
            " their places; with positives: epd they have it"
        )
    if BY_LENGTH in tasks and LENGTH not in study["lengths"]:
        notes.append(
            f"promoters.lengths: without {LENGTH} Figure 2 is left out, and Task 3 of Table 2"
        )
    lists = {"methods": tasks, "kmer_methods": ["task2"]}
    for key, used in lists.items():
        for name in study[key]:
            other = next((task for task in used if task != BY_LENGTH and task in tasks), None)
            if methods[name].get("baseline") == "biotype" and other:
                raise InputError(
                    f"{where}.{key}: method {name!r} reads the gene's biotype, which {other} does not have or asks for;"
                    " list it under expression_methods, for Task 3 alone"
                )
    return notes


def described_promoters(
    datasets: Mapping[str, PromoterDataset],
    species: Mapping[str, Mapping[str, Any]],
    study: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """What tables say of each data set, in order; `study` is the configuration's part.

    Comparable with the paper are its data, under its split and its settings; the note names other settings.
    """
    several = len({dataset.split for dataset in datasets.values()}) > 1
    result = []
    for dataset in datasets.values():
        one = species[dataset.species[0]]
        title = f"{one['title']}, {dataset.split} split" if several else one["title"]
        random = dataset.split == "random"
        changed = changed_settings(study, dataset, one) if one["comparable"] else []
        notes = [one["note"], "" if random else "whole chromosomes held out", _others(changed)]
        result.append(
            {
                "name": dataset.name,
                "species": dataset.species[0],
                "split": dataset.split,
                "task": dataset.task,
                "length": dataset.length,
                "title": title,
                "published_as": one["published_as"],
                "comparable": one["comparable"] and random and not changed,
                "note": "; ".join(filter(None, notes)),
            }
        )
    return result


def described_expression(
    datasets: Mapping[str, PromoterDataset],
    species: Mapping[str, Mapping[str, Any]],
    study: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The same for Table 3, one data set of Task 3 a species: expression does not depend on length and split."""
    first: dict[str, str] = {}
    for dataset in datasets.values():
        if dataset.task == BY_LENGTH:
            first.setdefault(dataset.species[0], dataset.name)
    result = []
    for name, dataset_name in first.items():
        one = species[name]
        changed = _plain(study["exclude_tissues"]) != _plain(PAPER["exclude_tissues"])
        others = ["exclude_tissues"] if changed and one["comparable"] else []
        result.append(
            {
                "name": dataset_name,
                "title": one["title"],
                "published_as": one["published_as"],
                "comparable": one["comparable"] and not changed,
                "note": "; ".join(filter(None, [one["note"], _others(others)])),
            }
        )
    return result


def _others(changed: list[str]) -> str:
    return f"other settings than the paper's: {', '.join(changed)}" if changed else ""


def _has_parts(block: Mapping[str, Any]) -> bool:
    """Whether the sequences of GUE come in parts, which are kept; a single file of one's own is split."""
    return bool(block["gue"] or block["files"]["gue_valid"] or block["files"]["gue_test"])


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (list, tuple)) else value
