"""Configuration: read, validate against `schemas/`, fill defaults, resolve names to plug-in files.

Imported by the Snakefile, so it needs nothing beyond the standard library, PyYAML and jsonschema (both come with
Snakemake).
"""

import copy
import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from nucleotune.errors import InputError
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.spec import check_model
from nucleotune.sources.hub import check_checkpoint

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"

#: Baselines that `mode: original` can run as an installed tool -> the program it calls.
INSTALLED_TOOLS = {"cpc2": "CPC2.py", "plek": "PLEK.py", "lncfinder": "Rscript"}


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of a silent overwrite."""


def _unique_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise InputError(f"key {key!r} is given twice (line {key_node.start_mark.line + 1})")
        seen.add(key)
    return loader.construct_mapping(node)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping; InputError names the file and line of a mistake."""
    path = Path(path)
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: expected a mapping of keys to values, found {type(value).__name__}"
        )
    return value


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Read `schemas/<name>.schema.yaml`; once a process, and not to be changed by the caller."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))


def validate(
    value: Mapping[str, Any], schema: Mapping[str, Any], source: str | Path
) -> dict[str, Any]:
    """Return a copy of `value` with all defaults of the JSON Schema filled in.

    Raises InputError with one line for each mistake: `source`, the key, what was expected, and for an unknown key the
    nearest known one.
    """
    filled = _with_defaults(value, schema)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(filled), key=lambda error: error.json_path
    )
    if errors:
        lines = [line for error in errors for line in _describe(error)]
        raise InputError("\n".join(f"{source}: {line}" for line in lines))
    return filled


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping) and "properties" in schema:
        filled = {
            key: _with_defaults(item, schema["properties"].get(key, {}))
            for key, item in value.items()
        }
        for key, part in schema["properties"].items():
            if key not in filled and "default" in part:
                filled[key] = _with_defaults(copy.deepcopy(part["default"]), part)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(item, schema["items"]) for item in value]
    return copy.deepcopy(value)


def _describe(error) -> Iterable[str]:
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        for key in sorted(set(error.instance) - set(known), key=str):
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
            yield f"unknown key {'.'.join(filter(None, (place, str(key))))!r}; {hint}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"key {'.'.join(filter(None, (place, missing[0])))!r} is required"
    else:
        yield f"key {place!r}: {error.message}"


def find_plugin(kind: str, name: str, folders: Iterable[str | Path]) -> Path:
    """Path of `<folder>/<kind>/<name>.yaml` in the last of `folders` that has it.

    Raises InputError listing the known names.
    """
    folders = [Path(folder) for folder in folders]
    for folder in reversed(folders):
        path = folder / kind / f"{name}.yaml"
        if path.is_file():
            return path
    known = sorted({path.stem for folder in folders for path in (folder / kind).glob("*.yaml")})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "known names: " + ", ".join(known)
    raise InputError(f"no file {kind}/{name}.yaml in {', '.join(map(str, folders))}; {hint}")


def load_species(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one species file."""
    path = find_plugin("species", name, folders)
    species = validate(read_yaml(path), read_schema("species"), path)
    for part in ("coding", "noncoding"):
        lacking = not species[part]["files"] and species["ensembl"] is None
        if lacking and species["promoters"] is None and species["polya"] is None:
            raise InputError(f"{path}: give either 'ensembl' or '{part}.files'")
        for number, file in enumerate(species[part]["files"]):
            if bool(file["path"]) == bool(file["urls"]):
                raise InputError(f"{path}: {part}.files.{number}: give either 'path' or 'urls'")
    for number, entry in enumerate((species["polya"] or {"ends": []})["ends"]):
        where = f"{path}: polya.ends.{number}"
        if bool(entry["path"]) == bool(entry["urls"]):
            raise InputError(f"{where}: give either 'path' or 'urls'")
        if (entry["format"] == "bedgraph") != bool(entry["minus"]):
            raise InputError(
                f"{where}: 'minus' is the second file of format 'bedgraph', and of it alone"
            )
        if entry["format"] == "table" and not entry["tracks"]:
            raise InputError(f"{where}: format 'table' needs 'tracks': track -> columns")
    ensembl = species["ensembl"]
    if ensembl and ensembl["division"] == "vertebrates" and ensembl["release"] < 76:
        raise InputError(
            f"{path}: ensembl.release {ensembl['release']}: file names before release 76 had another form;"
            " name the files under coding.files and noncoding.files, or set 'division' if this is a release"
            " of Ensembl Genomes"
        )
    if species["simulate"] and species["ensembl"] is None:
        raise InputError(f"{path}: 'simulate' writes Ensembl files and needs the key 'ensembl'")
    return species


def load_collection(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one collection file and its sheet, which comes back as `rows` (one dict a line)."""
    path = find_plugin("collections", name, folders)
    collection = validate(read_yaml(path), read_schema("collection"), path)
    sequences, regions = collection["sequences"], collection["regions"] or {}
    for key, file in (("sequences", sequences), *(("regions." + k, v) for k, v in regions.items())):
        if file and bool(file["path"]) == bool(file["urls"]):
            raise InputError(f"{path}: {key}: give either 'path' or 'urls'")
    if collection["format"] == "rbpsuite" and not sequences:
        raise InputError(f"{path}: format 'rbpsuite' needs the key 'sequences'")
    if regions and not regions["annotation"]:
        raise InputError(f"{path}: regions.annotation: give either 'path' or 'urls'")
    if collection["format"] == "narrowpeak" and not (regions and regions["genome"]):
        raise InputError(f"{path}: format 'narrowpeak' needs regions.annotation and regions.genome")
    return {
        **collection,
        "rows": read_sheet(path.parent / collection["sheet"], collection["format"]),
    }


def read_sheet(path: str | Path, form: str) -> list[dict[str, str]]:
    """Rows of a collection's sheet, checked for the columns that its format needs; empty cells are left out."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no sheet {path}")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    header = lines[0].split("\t") if lines else []
    ways = {
        "rbpsuite": [{"rbp"}],
        "fasta": [{"rbp", "positives", "negatives"}],
        "narrowpeak": [{"rbp", "cell_line", "accession"}],
    }.get(form, [{"rbp", "sequences"}, {"rbp", "train", "test"}])
    if not any(way <= set(header) for way in ways):
        raise InputError(
            f"{path}: the header has {', '.join(header) or 'nothing'}; format {form!r} needs the tab-separated "
            f"columns {' or '.join(', '.join(sorted(way)) for way in ways)}"
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        row = {key: cell.strip() for key, cell in zip(header, cells, strict=False) if cell.strip()}
        if len(cells) > len(header) or not any(way <= set(row) for way in ways):
            raise InputError(f"{path}: line {number}: expected {', '.join(header)}, found {line!r}")
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", row["rbp"]):
            raise InputError(
                f"{path}: line {number}: rbp {row['rbp']!r} names a directory: letters, digits, '.', '-' only"
            )
        rows.append(row)
    names = [row["rbp"] for row in rows]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated and form != "narrowpeak":
        raise InputError(f"{path}: rbp {repeated!r} has more than one row")
    if not rows:
        raise InputError(f"{path}: no rows")
    return rows


def _check_local_files(name: str, species: Mapping[str, Any], data_dir: str) -> None:
    for part in ("coding", "noncoding"):
        for number, file in enumerate(species[part]["files"]):
            path = Path(data_dir) / (file["path"] or "")
            if file["path"] and not path.is_file():
                raise InputError(
                    f"species/{name}.yaml: {part}.files.{number}.path: no file {path.resolve()}; relative"
                    f" paths start from the key 'data_dir' of the configuration ({data_dir!r})"
                )
    for kind, file in (species["promoters"] or {"files": {}})["files"].items():
        if file and not (Path(data_dir) / file).is_file():
            raise InputError(
                f"species/{name}.yaml: promoters.files.{kind}: no file {(Path(data_dir) / file).resolve()}"
            )
    polya = species["polya"] or {"files": {}, "ends": []}
    files = {f"files.{key}": file for key, file in polya["files"].items()}
    for number, entry in enumerate(polya["ends"]):
        files |= {f"ends.{number}.{key}": entry[key] for key in ("path", "minus")}
    for key, file in files.items():
        if file and not (Path(data_dir) / file).is_file():
            raise InputError(
                f"species/{name}.yaml: polya.{key}: no file {(Path(data_dir) / file).resolve()}"
            )


def _check_collection_files(
    name: str, collection: Mapping[str, Any], rbps: list[str] | None, data_dir: str
) -> None:
    """Every local file that a collection and its sheet name is there."""
    places = {
        f"{name}.yaml: {key}": file["path"]
        for key, file in {
            "sequences": collection["sequences"],
            **{f"regions.{k}": v for k, v in (collection["regions"] or {}).items()},
        }.items()
        if file and file["path"]
    }
    for row in collection["rows"]:
        if rbps is None or row["rbp"] in rbps:
            for key in ("sequences", "positives", "negatives", "train", "valid", "test"):
                if "://" not in row.get(key, "://"):
                    places[f"{collection['sheet']}: {row['rbp']}: {key}"] = row[key]
    for key, file in places.items():
        path = Path(data_dir) / file
        if not path.is_file():
            raise InputError(
                f"collections/{key}: no file {path.resolve()}; relative paths start from the key 'data_dir' of the"
                f" configuration ({data_dir!r})"
            )


def load_model(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one model file; `architecture` comes back with its family's fields and defaults.

    It stays None where the file leaves it to the checkpoint, which is there only after the download.
    """
    path = find_plugin("models", name, folders)
    model = validate(read_yaml(path), read_schema("model"), path)
    try:
        check_checkpoint(model)
        if model["architecture"] is not None:
            model["architecture"] = resolve_architecture(model["family"], model["architecture"])
        return check_model(model)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def load_method(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one method file; its `kind` chooses the schema."""
    path = find_plugin("methods", name, folders)
    raw = read_yaml(path)
    kinds = ("language_model", "baseline", "profile_model")
    if raw.get("kind") not in kinds:
        raise InputError(
            f"{path}: key 'kind' must be one of {', '.join(kinds)}, found {raw.get('kind')!r}"
        )
    method = validate(raw, read_schema(raw["kind"]), path)
    if method.get("mode") == "original":
        if method["baseline"] not in INSTALLED_TOOLS:
            raise InputError(
                f"{path}: mode 'original' runs an installed tool, and there is none for baseline"
                f" {method['baseline']!r}; expected one of {', '.join(INSTALLED_TOOLS)}"
            )
        method["original"]["command"] = (
            method["original"]["command"] or INSTALLED_TOOLS[method["baseline"]]
        )
    return method


def load_run(config: Mapping[str, Any], source: str = "configuration") -> dict[str, Any]:
    """Validate a whole run before its first job.

    Returns a dictionary with `config` (defaults filled), `species`, `collections`, `methods` and `models` (name ->
    validated file; methods include those that others start from), and `left_out` (names of methods that the
    configuration asks for, but `non_commercial: false` forbids; they are gone from all the others), and `notes`
    (sentences on analyses that the run leaves out).
    """
    config = validate(config, read_schema("config"), source)
    for study in config["studies"]:
        total = sum(config[study].get("fractions", {"all": 1}).values())
        if abs(total - 1) > 1e-9:
            raise InputError(f"{source}: {study}.fractions add up to {total:g}, expected 1")
    folders = [ROOT / "config", *config["plugins"]]
    names = dict.fromkeys(
        name for study in config["studies"] for name in config[study].get("species", ())
    )
    species = {name: load_species(name, folders) for name in names}
    for name, one in species.items():
        _check_local_files(name, one, config["data_dir"])
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
        for name, one in collections.items():
            _check_collection_files(name, one, config["rbp"]["rbps"], config["data_dir"])
        notes += _check_rbps(config["rbp"], collections, source)
    methods = {}
    for name in asked_methods(config):
        _add_method(name, folders, methods, chain=())
    models = {
        m["model"]: load_model(m["model"], folders) for m in methods.values() if m.get("model")
    }
    _check_kinds(config, methods, source)
    left_out = _leave_out_non_commercial(config, methods, models, source)
    for study in config["studies"]:
        if not config[study].get("fractions", {}).get("pretrain"):
            for name, method in methods.items():
                if name in asked_methods(config, [study]) and _pretrains(methods, method):
                    raise InputError(
                        f"{source}: method {name!r} trains on 'pretrain', but {study}.fractions.pretrain is 0"
                    )
    return {
        "config": config,
        "species": species,
        "collections": collections,
        "methods": methods,
        "models": models,
        "left_out": left_out,
        "notes": notes,
    }


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
    if "rbp" in config["studies"]:
        name = config["rbp"]["attention"]["method"]
        if name and methods[name]["kind"] != "language_model":
            raise InputError(f"{source}: rbp.attention.method: {name!r} is not a language model")
    for study in config["studies"]:
        for name in config[study].get("attribution", {"methods": []})["methods"]:
            where = f"{source}: {study}.attribution.methods: {name!r}"
            if methods[name]["kind"] == "baseline" or methods[name].get("network") == "average":
                raise InputError(f"{where} is not a trained network: there is nothing to explain")


def _check_rbps(study: Mapping[str, Any], collections: Mapping[str, Any], source: str) -> list[str]:
    """Every RBP that the RBP study names exists; a list to be analysed of none that does is emptied, with a note."""
    known = sorted({row["rbp"] for one in collections.values() for row in one["rows"]})
    notes = []
    for key in ("region_rbps", "structure_rbps"):
        names = study["attention"][key]
        if names and not set(names) & set(known):
            notes.append(f"rbp.attention.{key}: none of {', '.join(names)} is in the collections")
            study["attention"][key] = []
    asked = {"rbps": study["rbps"] or []} | {
        f"attention.{key}": study["attention"][key] for key in ("region_rbps", "structure_rbps")
    }
    for key, names in asked.items():
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:10])}"
                raise InputError(f"{source}: rbp.{key}: no RBP {name!r} in the collections; {hint}")
    return notes


def _leave_out_analyses(config: dict, source: str) -> list[str]:
    """Take analyses of methods and RBPs out that the run does not have, and return sentences on what is left out.

    The default configuration names the toy's; a run with other methods should not have to say so. A name that is nearly
    one of the run's is a mistake and raises InputError.
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
