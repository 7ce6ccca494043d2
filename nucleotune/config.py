"""The configuration of a run: validated against its schema, defaults filled, names resolved to plug-in files.

Imported by the Snakefile, so it needs nothing beyond the standard library, PyYAML and jsonschema (both come with
Snakemake).
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import which
from typing import Any

from nucleotune.errors import InputError, did_you_mean
from nucleotune.models.spec import as_read
from nucleotune.names import check_titles
from nucleotune.plan.attribution import check_attribution
from nucleotune.plugins import (
    KINDS,
    ROOT,
    check_collection_files,
    check_species_files,
    load_collection,
    load_method,
    load_model,
    load_species,
    read_schema,
    read_yaml,
    validate,
)
from nucleotune.search_space import check_space
from nucleotune.studies.lncrna.plan import part_name
from nucleotune.studies.promoters.protocol import check_study


def load_run(config: Mapping[str, Any], source: str = "configuration") -> dict[str, Any]:
    """Validate a whole run before its first job.

    Returns a dictionary with `config` (defaults filled), `species`, `collections`, `methods` and `models` (name ->
    validated file; methods include those that others start from), and `left_out` (names of methods that the
    configuration asks for, but `non_commercial: false` forbids; they are gone from all the others), and `notes`
    (sentences on analyses that the run leaves out).
    """
    config = validate(_with_studies(config), read_schema("config"), source)
    _check_plugin_folders(config["plugins"], source)
    for study in config["studies"]:
        total = sum(config[study].get("fractions", {"all": 1}).values())
        if abs(total - 1) > 1e-9:
            raise InputError(f"{source}: {study}.fractions add up to {total:g}, expected 1")
    if "lncrna" in config["studies"]:
        _check_kept(config["lncrna"]["kept"], source)
    folders = [ROOT / "config", *config["plugins"]]
    names = dict.fromkeys(
        name for study in config["studies"] for name in config[study].get("species", ())
    )
    species = {name: load_species(name, folders) for name in names}
    for study in config["studies"]:
        check_titles("species", config[study].get("species", ()), species)
    for name, one in species.items():
        check_species_files(name, one, config["data_dir"])
    for study in {"promoters", "polya"} & set(config["studies"]):
        for name in config[study]["species"]:
            if species[name][study] is None:
                raise InputError(
                    f"species/{name}.yaml: no block {study!r}, which study {study!r} needs; see docs/species.md"
                )
    notes = _leave_out_analyses(config, source)
    collections = {}
    if "rbp" in config["studies"]:
        collections = {
            name: load_collection(name, folders) for name in config["rbp"]["collections"]
        }
        check_titles("collections", collections, collections)
        for name, one in collections.items():
            check_collection_files(name, one, config["rbp"]["rbps"], config["data_dir"])
        notes += _check_rbps(config["rbp"], collections, source)
    methods = {}
    for name in asked_methods(config):
        _add_method(name, folders, methods, chain=())
    for study in config["studies"]:
        check_titles("methods", asked_methods(config, [study]), methods)
    models = {
        m["model"]: load_model(m["model"], folders) for m in methods.values() if m.get("model")
    }
    _check_kinds(config, methods, source)
    check_attribution(config, methods, models, source)
    for method in methods.values():
        if method.get("max_tokens"):
            as_read(models[method["model"]], method)
    if "promoters" in config["studies"]:
        notes += check_study(config["promoters"], methods, source)
    left_out = _leave_out_non_commercial(config, methods, models, source)
    for study in config["studies"]:
        if not config[study].get("fractions", {}).get("pretrain"):
            for name, method in methods.items():
                if name in asked_methods(config, [study]) and _pretrains(methods, method):
                    raise InputError(
                        f"{source}: method {name!r} trains on 'pretrain', but {_no_pretraining(study)}"
                    )
    run = {
        "config": config,
        "species": species,
        "collections": collections,
        "methods": methods,
        "models": models,
        "left_out": left_out,
        "notes": notes,
    }
    if "rbp" in config["studies"]:
        _check_rbp_settings(run, source)
    return run


def _check_kept(shares: list[float], source: str) -> None:
    """Shares of partial transcripts name parts of the test set by whole per cent: one part, one share."""
    parts = [part_name(share) for share in shares]
    for share, part in zip(shares, parts, strict=True):
        if parts.count(part) > 1 or not 1 <= round(100 * share) <= 99:
            raise InputError(
                f"{source}: lncrna.kept: {share}: expected shares of 0.01 to 0.99 that differ in whole per cent"
            )


def _no_pretraining(study: str) -> str:
    """Why a study has no rows for a first stage, and the cure."""
    if study == "lncrna":
        return "lncrna.fractions.pretrain is 0; give it a share, or leave the method out"
    return (
        f"study {study!r} has no such rows and no pool of species to train a first stage on; leave the method out, or"
        " write one without start_from and train_splits (docs/methods.md)"
    )


def _with_studies(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration that names no `studies` has those whose blocks it has; without any block the default."""
    known = read_schema("config")["properties"]["studies"]["items"]["enum"]
    named = [study for study in known if study in config]
    return {"studies": named, **config} if named else dict(config)


def _check_plugin_folders(folders: Iterable[str], source: str) -> None:
    """Directories under `plugins` are there, and hold what plug-ins are looked for in."""
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(
                f"{source}: plugins: no directory {folder.resolve()}; relative paths start from the working directory"
            )
        if not any((folder / kind).is_dir() for kind in KINDS):
            raise InputError(
                f"{source}: plugins: {folder} has none of the directories {', '.join(KINDS)}; name the one that they"
                " lie in"
            )


def set_in(key: str, files: Iterable[str | Path], given: Mapping[str, Any]) -> str:
    """Where a key of the configuration is set: the command line (`given`), or the last of `files` that has it."""
    if key in given:
        return "on the command line (--config)"
    for path in reversed(list(files)):
        if key in read_yaml(path):
            return f"in {path}"
    return "by the workflow that uses this one as a module"


def _check_kinds(config: Mapping[str, Any], methods: Mapping[str, Any], source: str) -> None:
    """Methods that predict profiles belong to the poly(A) study, and it has no others."""
    for study, key in _method_keys(config):
        for name in config[study][key]:
            if (methods[name]["kind"] == "profile_model") != (study == "polya"):
                kind = "kind 'profile_model'" if study == "polya" else "other kinds"
                raise InputError(
                    f"{source}: {study}.{key}: method {name!r} is of kind {methods[name]['kind']!r}; "
                    f"study {study!r} takes methods of {kind}"
                )
    if "polya" in config["studies"]:
        study = config["polya"]
        if study["line"] not in study["methods"]:
            raise InputError(
                f"{source}: polya.line: {study['line']!r}, which the others are compared with, is not one of"
                f" polya.methods: {', '.join(study['methods'])}"
            )
        for name, space in study["tune"]["space"].items():
            check_space(space, methods[name], f"{source}: polya.tune.space.{name}")
    if "rbp" in config["studies"]:
        for key in ("method", "random_method"):
            name = config["rbp"]["attention"][key]
            if name and methods[name]["kind"] != "language_model":
                raise InputError(f"{source}: rbp.attention.{key}: {name!r} is not a language model")


def _check_rbps(study: Mapping[str, Any], collections: Mapping[str, Any], source: str) -> list[str]:
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
                f"rbp.attention.region_rbps: {', '.join(here)} of collection {name!r} are left out, its file has no key"
                " 'regions'"
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
            notes.append(f"rbp.attention.{key}: {rbp!r} is left out, this run does not analyse it")
            attention[key] = None
    return notes


def _check_rbp_settings(run: Mapping[str, Any], source: str) -> None:
    """Settings of the RBP study that only fit together: found before the first job, not by it."""
    study, attention = run["config"]["rbp"], run["config"]["rbp"]["attention"]
    if study["peaks"]["min_distance"] < study["peaks"]["length"]:
        raise InputError(
            f"{source}: rbp.peaks.min_distance: {study['peaks']['min_distance']} nt is less than rbp.peaks.length"
            f" ({study['peaks']['length']} nt), so that unbound sequences would share bases with bound ones; raise it"
        )
    if attention["method"]:
        model = run["methods"][attention["method"]]["model"]
        if not run["models"][model]["checkpoint"]:
            raise InputError(
                f"{source}: rbp.attention.method: {attention['method']!r} has no model before fine-tuning to compare"
                f" with: models/{model}.yaml has no 'checkpoint'; name a method on a published model"
            )
    folds = attention["method"] and attention["structure_rbps"]
    if study["folding"] == "linearpartition" and folds and not which(study["linearpartition"]):
        raise InputError(
            f"{source}: rbp.linearpartition: no program {study['linearpartition']!r}; build LinearPartition from its"
            " source and give its path, or set rbp.folding: viennarna"
        )


def _leave_out_analyses(config: dict, source: str) -> list[str]:
    """Take analyses of methods and RBPs out that the run does not have, and return sentences on what is left out.

    A configuration that is laid over another, such as config/paper-rbp.yaml, with fewer methods should not have to
    repeat the analyses. A name that is nearly one of the run's is a mistake and raises InputError.
    """
    notes = []

    def kept(key: str, names: list[str], known: list[str]) -> list[str]:
        for name in (name for name in names if name not in known):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if near:
                raise InputError(
                    f"{source}: {key}: no {name!r} in this run; did you mean {near[0]!r}?"
                )
            notes.append(f"{key}: {name!r} is left out, it is not among {', '.join(known[:8])}")
        return [name for name in names if name in known]

    for study in config["studies"]:
        settings = config[study].get("attribution")
        if settings:
            asked = asked_methods(config, [study])
            settings["methods"] = kept(f"{study}.attribution.methods", settings["methods"], asked)
    if "rbp" in config["studies"]:
        attention, methods = config["rbp"]["attention"], config["rbp"]["methods"]
        for key in ("method", "random_method"):
            names = [attention[key]] if attention[key] else []
            attention[key] = next(iter(kept(f"rbp.attention.{key}", names, methods)), None)
    if "polya" in config["studies"]:
        tune = config["polya"]["tune"]
        names = kept("polya.tune.space", list(tune["space"]), config["polya"]["methods"])
        tune["space"] = {name: tune["space"][name] for name in names}
    return notes


def _method_keys(
    config: Mapping[str, Any], studies: Iterable[str] | None = None
) -> list[tuple[str, str]]:
    """Study and key of every list of methods in the configuration."""
    return [
        (study, key)
        for study in (config["studies"] if studies is None else studies)
        for key in config[study]
        if key == "methods" or key.endswith("_methods")
    ]


def asked_methods(config: Mapping[str, Any], studies: Iterable[str] | None = None) -> list[str]:
    """Methods that the configuration names for some studies (all of the run), each once."""
    return list(
        dict.fromkeys(name for s, key in _method_keys(config, studies) for name in config[s][key])
    )


def _pretrains(methods: Mapping[str, Any], method: Mapping[str, Any]) -> bool:
    """Whether a method, or one that it starts from, is trained on split `pretrain` alone."""
    start = method.get("start_from")
    return method.get("train_splits") == ["pretrain"] or bool(
        start and _pretrains(methods, methods[start])
    )


def _leave_out_non_commercial(config: dict, methods: dict, models: dict, source: str) -> list[str]:
    """Take methods on non-commercial models out of a run that does not want them; return the names asked for.

    A method and the one it starts from have the same model, so none is left without its start.
    """
    if config["non_commercial"]:
        return []
    barred = {name for name, model in models.items() if model["non_commercial"]}
    gone = {name for name, method in methods.items() if method.get("model") in barred}
    asked = asked_methods(config)
    for study, key in _method_keys(config):
        config[study][key] = [name for name in config[study][key] if name not in gone]
    if "rbp" in config["studies"]:
        for key in ("method", "random_method"):
            if config["rbp"]["attention"][key] in gone:
                config["rbp"]["attention"][key] = None
    if not asked_methods(config):
        raise InputError(
            f"{source}: non_commercial is false, and every method needs weights of a non-commercial licence: "
            f"{', '.join(asked)}"
        )
    for name in gone:
        del methods[name]
    for name in barred:
        del models[name]
    return [name for name in asked if name in gone]


def _add_method(name: str, folders: list, methods: dict, chain: tuple[str, ...]) -> None:
    if name in chain:
        raise InputError(
            f"methods start from each other in a circle: {' -> '.join((*chain, name))}"
        )
    method = methods.setdefault(name, load_method(name, folders))
    start = method.get("start_from")
    if start is None:
        return
    _add_method(start, folders, methods, (*chain, name))
    if methods[start]["kind"] != "language_model":
        raise InputError(f"methods/{name}.yaml: start_from {start!r} is not a language model")
    if methods[start]["model"] != method["model"]:
        raise InputError(
            f"methods/{name}.yaml: model {method['model']!r} differs from that of start_from {start!r}"
            f" ({methods[start]['model']!r})"
        )
    if methods[start]["adaptation"] != "full":
        raise InputError(
            f"methods/{name}.yaml: start_from {start!r} must be trained with adaptation 'full'"
        )
