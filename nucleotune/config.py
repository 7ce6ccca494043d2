"""The configuration of a run: validated against its schema, defaults filled, names resolved to plug-in files.

Imported by the Snakefile, so it needs nothing beyond the standard library, PyYAML and jsonschema (both come with
Snakemake).
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.models.spec import as_read, check_profile_method
from nucleotune.names import check_titles
from nucleotune.plan.asked import asked_methods, method_keys
from nucleotune.plan.attribution import check_attribution
from nucleotune.plugins import (
    KINDS,
    check_collection_files,
    check_species_files,
    load_collection,
    load_method,
    load_model,
    load_species,
)
from nucleotune.schemas import read_schema, validate
from nucleotune.stages import ROOT
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml


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
        STUDIES[study].check_settings(config[study], source)
    folders = [ROOT / "config", *config["plugins"]]
    names = dict.fromkeys(
        name for study in config["studies"] for name in config[study].get("species", ())
    )
    species = {name: load_species(name, folders) for name in names}
    for study in config["studies"]:
        check_titles("species", config[study].get("species", ()), species)
    for name, one in species.items():
        check_species_files(name, one, config["data_dir"])
    for study in config["studies"]:
        for name in config[study].get("species", ()):
            if species[name].get(study, {}) is None:
                raise InputError(
                    f"species/{name}.yaml: no block {study!r}, which study {study!r} needs; see docs/species.md"
                )
    notes = _leave_out_analyses(config, source)
    collections = {}
    for study in config["studies"]:
        for name in config[study].get("collections", ()):
            collections[name] = load_collection(name, folders)
            check_collection_files(
                name, collections[name], config[study]["rbps"], config["data_dir"]
            )
        check_titles("collections", config[study].get("collections", ()), collections)
        notes += STUDIES[study].check_data(config[study], collections, source)
    tasks: dict[str, Any] = {}
    for study in config["studies"]:
        tasks |= STUDIES[study].tasks(config[study], folders, config["data_dir"])
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
    for name, method in methods.items():
        if method["kind"] == "profile_model":
            model = models[method["model"]] if method["model"] else None
            check_profile_method({**method, "title": name}, model)
        if method.get("max_tokens"):
            as_read(models[method["model"]], method)
    for study in config["studies"]:
        notes += STUDIES[study].check_methods(config[study], methods, models, source)
    left_out = _leave_out_non_commercial(config, methods, models, source)
    for study in config["studies"]:
        if not config[study].get("fractions", {}).get("pretrain"):
            for name, method in methods.items():
                if name in asked_methods(config, [study]) and _pretrains(methods, method):
                    raise InputError(
                        f"{source}: method {name!r} trains on 'pretrain', but {_no_pretraining(study, config)}"
                    )
    return {
        "config": config,
        "species": species,
        "collections": collections,
        "tasks": tasks,
        "methods": methods,
        "models": models,
        "left_out": left_out,
        "notes": notes,
    }


def _no_pretraining(study: str, config: Mapping[str, Any]) -> str:
    """Why a study has no rows for a first stage, and the cure."""
    if "pretrain" in config[study].get("fractions", {}):
        return f"{study}.fractions.pretrain is 0; give it a share, or leave the method out"
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
                f"{source}: plugins: {folder} has none of the directories {', '.join(KINDS)}; name the"
                " directory that contains them"
            )


def named_source(files: Iterable[str | Path], given: Mapping[str, Any]) -> str:
    """What messages call the configuration: its files, and the command line where that has keys (`given`)."""
    folder = Path.cwd()
    paths = [Path(path) for path in files]
    names = [p.relative_to(folder) if p.is_relative_to(folder) else p for p in paths]
    # The demo's path is that of a copy in Snakemake's cache.
    names = ["config/demo.yaml" if p.match("config/demo.yaml") else p for p in names]
    return ", ".join(map(str, [*names, *["--config"] * bool(given)])) or "configuration"


def set_in(key: str, files: Iterable[str | Path], given: Mapping[str, Any]) -> str:
    """Where a key of the configuration is set: the command line (`given`), or the last of `files` that has it."""
    if key in given:
        return "on the command line (--config)"
    for path in reversed(list(files)):
        if key in read_yaml(path):
            return f"in {path}"
    return "by the workflow that uses this one as a module"


def _check_kinds(config: Mapping[str, Any], methods: Mapping[str, Any], source: str) -> None:
    """Methods that predict profiles belong to studies of profiles, and these have no others."""
    for study, key in method_keys(config):
        profiles = "profiles" in STUDIES[study].kinds
        for name in config[study][key]:
            if (methods[name]["kind"] == "profile_model") != profiles:
                kind = "kind 'profile_model'" if profiles else "other kinds"
                raise InputError(
                    f"{source}: {study}.{key}: method {name!r} is of kind {methods[name]['kind']!r}; "
                    f"study {study!r} takes methods of {kind}"
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
        STUDIES[study].trim(config[study], kept)
    return notes


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
    for study, key in method_keys(config):
        config[study][key] = [name for name in config[study][key] if name not in gone]
    for study in config["studies"]:
        STUDIES[study].trim(
            config[study], lambda key, names, known: [name for name in names if name in known]
        )
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
