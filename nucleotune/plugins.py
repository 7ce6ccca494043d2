"""Plug-in files: species, collections, models and methods, read and validated against `schemas/`, defaults filled.

Imported by the Snakefile, so it needs nothing beyond the standard library, PyYAML and jsonschema (both come with
Snakemake).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError, did_you_mean
from nucleotune.models.architecture import resolve_architecture
from nucleotune.models.families import FAMILIES
from nucleotune.models.spec import check_model
from nucleotune.names import RESERVED_METHODS, check_name
from nucleotune.schemas import read_schema, validate
from nucleotune.sequence.labelled import check_header
from nucleotune.sources.addresses import take_address, take_addresses, without_secrets
from nucleotune.sources.hub import check_checkpoint
from nucleotune.text import read_lines
from nucleotune.yaml_files import read_yaml

#: Kinds of plug-in files, the directories that contain them.
KINDS = ("species", "collections", "tasks", "models", "methods")

#: Baselines that `mode: original` can run as an installed tool -> the program it calls.
INSTALLED_TOOLS = {"cpc2": "CPC2.py", "plek": "PLEK.py", "lncfinder": "Rscript"}

_FILES = [({"rbp", "sequences"}, set()), ({"rbp", "train", "test"}, {"valid"})]

#: Format of a collection -> ways to give sequences in its sheet: columns that a row needs, and those it may have.
_SHEETS: dict[str, list[tuple[set[str], set[str]]]] = {
    "rbpsuite": [({"rbp"}, set())],
    "fasta": [({"rbp", "positives", "negatives"}, set())],
    "narrowpeak": [({"rbp", "cell_line", "accession"}, {"md5"})],
    "table": _FILES,
    "strazar": _FILES,
}


def find_plugin(kind: str, name: str, folders: Iterable[str | Path]) -> Path:
    """Path of `<folder>/<kind>/<name>.yaml` in the last of `folders` that has it.

    Raises InputError listing the known names.
    """
    check_name(name, kind)
    if kind == "methods" and name in RESERVED_METHODS:
        raise InputError(
            f"methods: {name!r} is the name of another directory of results; give the method and its file another name"
        )
    folders = [Path(folder) for folder in folders]
    for folder in reversed(folders):
        path = folder / kind / f"{name}.yaml"
        if path.is_file():
            return path
    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                f"no file {kind}/{name}.yaml: the plug-in directory {folder.resolve()} (key 'plugins') is"
                f" {'not a directory' if folder.exists() else 'not there'}"
            )
    known = sorted({path.stem for folder in folders for path in (folder / kind).glob("*.yaml")})
    hint = did_you_mean(name, known, "known names: " + ", ".join(known))
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
        _check_header_pattern(species[part]["header"], f"{path}: {part}.header")
    for number, entry in enumerate((species["polya"] or {"ends": []})["ends"]):
        where = f"{path}: polya.ends.{number}"
        if bool(entry["path"]) == bool(entry["urls"]):
            raise InputError(f"{where}: give either 'path' or 'urls'")
        _check_format(entry, where)
    ensembl = species["ensembl"]
    if ensembl and ensembl["division"] == "vertebrates" and ensembl["release"] < 76:
        raise InputError(
            f"{path}: ensembl.release {ensembl['release']}: file names before release 76 have another format;"
            " name the files under coding.files and noncoding.files, or set 'division' if this is a release"
            " of Ensembl Genomes"
        )
    if species["simulate"] and species["ensembl"] is None:
        raise InputError(f"{path}: 'simulate' writes Ensembl files and needs the key 'ensembl'")
    return take_addresses(species, f"{path}: ")


def _check_header_pattern(header: str | None, where: str) -> None:
    """A pattern for the headers of transcripts can be used; InputError says what it lacks."""
    try:
        groups = re.compile(header or "(?P<id>)").groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(f"{where}: not a regular expression: {error}") from error
    if "id" not in groups:
        raise InputError(
            f"{where}: {header!r} has no group (?P<id>...), which gives the transcript's id"
        )


#: Keys of an entry of `polya.ends` that belong to some formats, and these.
_KEYS_OF_FORMATS = {
    "minus": ("bedgraph",),
    "minus_urls": ("bedgraph",),
    "track": ("bed", "bedgraph"),
    "tracks": ("tifseq", "table"),
    "columns": ("table",),
    "first": ("table",),
    "column": ("bed",),
}


def _check_format(entry: Mapping[str, Any], where: str) -> None:
    """An entry of `polya.ends` has what its format needs, and nothing that it would not read."""
    form = entry["format"]
    defaults = validate({"format": form}, _ends_schema(), where)
    for key, formats in _KEYS_OF_FORMATS.items():
        if form not in formats and entry[key] != defaults[key]:
            raise InputError(
                f"{where}: format {form!r} does not read {key!r}, which belongs to {' and '.join(formats)}"
            )
    if form == "bedgraph" and bool(entry["minus"]) == bool(entry["minus_urls"]):
        raise InputError(
            f"{where}: format 'bedgraph' has a second file, of the minus strand: give either 'minus' or 'minus_urls'"
        )
    if form == "table" and not entry["tracks"]:
        raise InputError(f"{where}: format 'table' needs 'tracks': track -> columns")


def _ends_schema() -> Mapping[str, Any]:
    return read_schema("species")["properties"]["polya"]["properties"]["ends"]["items"]


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
    rows = read_sheet(path.parent / collection["sheet"], collection["format"])
    given = next((row["rbp"] for row in rows if "train" in row), None)
    if collection["split"] == "locus" and (given or collection["format"] == "table"):
        reason = f"the files of {given} come split" if given else "format 'table' has no places"
        raise InputError(f"{path}: split 'locus': {reason}; leave the key out")
    default = "locus" if collection["format"] == "narrowpeak" else "random"
    collection = take_addresses(collection, f"{path}: ")
    return {**collection, "split": collection["split"] or default, "rows": rows}


def read_sheet(path: str | Path, form: str) -> list[dict[str, str]]:
    """Rows of a collection's sheet, checked for the columns that its format has; empty cells are left out.

    Raises InputError for a column that the format lacks or needs, for a row that does not fill the columns of one way
    to give sequences, an RBP that names no directory or comes twice, and an md5 that is none.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no sheet {path}")
    # Spreadsheets leave tabs at line ends.
    lines = [(n, line.rstrip("\t ")) for n, line in read_lines(path) if line.strip()]
    header = [name.strip() for name in lines[0][1].split("\t")] if lines else []
    ways = _SHEETS[form]
    if not any(way <= set(header) for way, _ in ways):
        raise InputError(
            f"{path}: the header has {', '.join(header) or 'nothing'}; format {form!r} needs the tab-separated "
            f"columns {' or '.join(', '.join(sorted(way)) for way, _ in ways)}"
        )
    known = sorted(set().union(*(way | more for way, more in ways)))
    for name in header:
        if name not in known or header.count(name) > 1:
            missing = [column for column in known if column not in header]
            hint = did_you_mean(name, missing, f"format {form!r} has {', '.join(known)}")
            what = "comes twice" if name in known else "is unknown"
            raise InputError(f"{path}: column {name!r} {what}; {hint}")
    rows = []
    for number, line in lines[1:]:
        cells = line.split("\t")
        row = {key: cell.strip() for key, cell in zip(header, cells, strict=False) if cell.strip()}
        if len(cells) > len(header) or not any(way <= set(row) <= way | more for way, more in ways):
            needed = " or ".join(", ".join(sorted(way)) for way, _ in ways)
            raise InputError(
                f"{path}: line {number}: expected {needed} filled, found {without_secrets(line)[:200]!r}"
            )
        check_name(row["rbp"], f"{path}: line {number}: rbp")
        if not re.fullmatch("[0-9a-f]{32}", row.get("md5", "0" * 32)):
            raise InputError(
                f"{path}: line {number}: md5 {row['md5']!r}; expected 32 digits of 0-9 and a-f, or an empty cell"
            )
        rows.append(
            {
                key: take_address(cell, f"{path}: line {number}: {key}") if "://" in cell else cell
                for key, cell in row.items()
            }
        )
    counts = Counter(row["rbp"] for row in rows)
    repeated = next((name for name, n in counts.items() if n > 1), None)
    if repeated and form != "narrowpeak":
        raise InputError(f"{path}: rbp {repeated!r} has more than one row")
    if not rows:
        raise InputError(f"{path}: no rows")
    return rows


def check_species_files(name: str, species: Mapping[str, Any], data_dir: str) -> None:
    """Every local file that a species file names is there, else InputError; tables have the columns they need."""
    files: dict[str, str | None] = {}
    for part in ("coding", "noncoding"):
        files |= {
            f"{part}.files.{number}.path": file["path"]
            for number, file in enumerate(species[part]["files"])
        }
    promoters = (species["promoters"] or {"files": {}})["files"]
    files |= {f"promoters.files.{kind}": file for kind, file in promoters.items()}
    polya = species["polya"] or {"files": {}, "ends": []}
    files |= {f"polya.files.{key}": file for key, file in polya["files"].items()}
    for number, entry in enumerate(polya["ends"]):
        files |= {f"polya.ends.{number}.{key}": entry[key] for key in ("path", "minus")}
    for key, file in files.items():
        if file:
            path = local_file(f"species/{name}.yaml: {key}", file, data_dir)
            if key.startswith("promoters.files.gue_"):
                check_header(path)


def local_file(where: str, file: str, data_dir: str) -> Path:
    """The path of a file that a plug-in file names under `where`; InputError where no job could read it."""
    path = Path(data_dir) / file
    if "{" in str(path) or "}" in str(path):
        raise InputError(
            f"{where}: {str(path)!r}: a path cannot contain braces, which mark names in the workflow's rules;"
            " rename it, or give the path of a link to it"
        )
    if not path.is_file():
        what = "a directory" if path.is_dir() else "no file"
        raise InputError(
            f"{where}: {what} {path.resolve()}; relative paths are resolved against the key 'data_dir' of the"
            " configuration"
            f" ({data_dir!r})"
        )
    return path


def check_collection_files(
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
        local_file(f"collections/{key}", file, data_dir)


def load_model(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one model file; `architecture` and `lora_targets` come back with its family's defaults.

    `architecture` stays None where the file leaves it to the checkpoint, which is there only after the download.
    """
    path = find_plugin("models", name, folders)
    model = validate(read_yaml(path), read_schema("model"), path)
    try:
        check_checkpoint(model)
        if model["architecture"] is not None:
            model["architecture"] = resolve_architecture(model["family"], model["architecture"])
        if model["lora_targets"] is None:
            model["lora_targets"] = list(FAMILIES[model["family"]].lora_targets)
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
    if "probe" in method and method["adaptation"] != "probe":
        raise InputError(
            f"{path}: key 'probe' belongs to adaptation 'probe', found {method['adaptation']!r}"
        )
    if method.get("adaptation") == "probe" and method.get("window_pooling", "mean") != "mean":
        raise InputError(
            f"{path}: window_pooling {method['window_pooling']!r}: adaptation 'probe' is fitted on the mean embedding"
            " of a sequence; expected 'mean'"
        )
    if "weights" in method and method["start_from"]:
        raise InputError(
            f"{path}: weights 'random' and start_from {method['start_from']!r} contradict each other; leave one of them"
            " out"
        )
    if method.get("mode") == "original":
        if method["baseline"] not in INSTALLED_TOOLS:
            raise InputError(
                f"{path}: mode 'original' runs an installed tool, but there is none for baseline"
                f" {method['baseline']!r}; expected one of {', '.join(INSTALLED_TOOLS)}"
            )
        method["original"]["command"] = (
            method["original"]["command"] or INSTALLED_TOOLS[method["baseline"]]
        )
    return method
