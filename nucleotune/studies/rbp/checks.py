"""Settings of the RBP study that only fit together, found before the first job; standard library only."""

from collections.abc import Callable, Mapping
from shutil import which
from typing import Any

from nucleotune.errors import InputError, did_you_mean
from nucleotune.models.spec import has_windows


def trim(study: dict[str, Any], kept: Callable[[str, list, list], list]) -> None:
    """Take the analysis of methods out that the run does not have; `kept` as `config` gives it."""
    attention = study["attention"]
    for key in ("method", "random_method"):
        names = [attention[key]] if attention[key] else []
        attention[key] = next(iter(kept(f"rbp.attention.{key}", names, study["methods"])), None)


def check_data(study: Mapping[str, Any], collections: Mapping[str, Any], source: str) -> list[str]:
    """Every RBP that the RBP study names exists; what its data lack is taken out of the analyses, with notes."""
    attention = study["attention"]
    known = sorted({row["rbp"] for one in collections.values() for row in one["rows"]})
    notes = []
    for key in ("region_rbps", "structure_rbps"):
        names = attention[key]
        if names and not set(names) & set(known):
            notes.append(f"rbp.attention.{key}: none of {', '.join(names)} is in the collections")
            attention[key] = []
    asked = {"rbps": study["rbps"] or []} | {
        f"attention.{key}": attention[key] for key in ("region_rbps", "structure_rbps")
    }
    for key, names in asked.items():
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known, f"known: {', '.join(known[:10])}")
                raise InputError(f"{source}: rbp.{key}: no RBP {name!r} in the collections; {hint}")
    run = known if study["rbps"] is None else study["rbps"]
    mapped = set()
    for name, one in collections.items():
        rbps = {row["rbp"] for row in one["rows"]}
        here = [rbp for rbp in attention["region_rbps"] if rbp in rbps & set(run)]
        if one["regions"]:
            mapped |= rbps
        elif here and attention["method"]:
            notes.append(
                f"rbp.attention.region_rbps: {', '.join(here)} of collection {name!r} are left out because its"
                " file has no key 'regions'"
            )
    for key, listed, there in (
        ("example", "region_rbps", mapped & set(run)),
        ("structure_example", "structure_rbps", set(run)),
    ):
        asked_for = attention[key]
        if asked_for is None:
            continue
        rbp = asked_for["rbp"] if key == "example" else asked_for
        if attention[listed] and rbp not in attention[listed]:
            hint = did_you_mean(rbp, attention[listed], f"add it to rbp.attention.{listed}")
            raise InputError(f"{source}: rbp.attention.{key}: {rbp!r} is not analysed; {hint}")
        if rbp not in attention[listed] or rbp not in there:
            notes.append(
                f"rbp.attention.{key}: {rbp!r} is left out because this run does not analyse it"
            )
            attention[key] = None
    return notes


def check_methods(
    study: Mapping[str, Any],
    methods: Mapping[str, Any],
    models: Mapping[str, Any],
    source: str,
) -> list[str]:
    """Settings that only fit together with each other and with the methods; no notes."""
    attention = study["attention"]
    for key in ("method", "random_method"):
        name = attention[key]
        if name and methods[name]["kind"] != "language_model":
            raise InputError(f"{source}: rbp.attention.{key}: {name!r} is not a language model")
        if name and has_windows(methods[name]):
            raise InputError(
                f"{source}: rbp.attention.{key}: {name!r} reads sequences in windows (long: windows), so it has no"
                " attention along a whole sequence; name a method with long: truncate"
            )
    if study["peaks"]["min_distance"] < study["peaks"]["length"]:
        raise InputError(
            f"{source}: rbp.peaks.min_distance: {study['peaks']['min_distance']} nt is less than rbp.peaks.length"
            f" ({study['peaks']['length']} nt), so unbound sequences would share bases with bound ones; raise it"
        )
    if attention["method"]:
        model = methods[attention["method"]]["model"]
        if not models[model]["checkpoint"]:
            raise InputError(
                f"{source}: rbp.attention.method: {attention['method']!r} has no model before fine-tuning to compare"
                f" with: models/{model}.yaml has no 'checkpoint'; name a method with a published model"
            )
    folds = attention["method"] and attention["structure_rbps"]
    if study["folding"] == "linearpartition" and folds and not which(study["linearpartition"]):
        raise InputError(
            f"{source}: rbp.linearpartition: no program {study['linearpartition']!r}; build LinearPartition from its"
            " source and give its path, or set rbp.folding: viennarna"
        )
    return []
