"""Plug-in files `config/tasks/<name>.yaml`: read and validated, defaults filled; read by the Snakefile.

Standard library, PyYAML and jsonschema only.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError, did_you_mean
from nucleotune.names import check_name, check_titles
from nucleotune.plugins import find_plugin, local_file
from nucleotune.schemas import read_schema, validate
from nucleotune.sources.addresses import take_address, take_addresses, without_secrets
from nucleotune.tasks import metric_titles
from nucleotune.text import read_lines
from nucleotune.yaml_files import read_yaml

#: Columns that say where a sequence lies.
PLACE = ("seqname", "start", "end", "strand")
#: Groups of a FASTA header's pattern that need no naming in `columns`.
HEADER_GROUPS = ("label", "id", "group", "split", *PLACE)
#: Columns of BED by name; further ones are called by their number.
BED = ("seqname", "start", "end", "name", "score", "strand")

#: Ways to give files in a sheet.
_WAYS = ({"task", "file"}, {"task", "train", "test"}, {"task", "train", "valid", "test"})


def load_task(name: str, folders: Iterable[str | Path]) -> dict[str, Any]:
    """Read and validate one task file, and its sheet, which comes back as `rows` (one dict a line; empty without one).

    `classes`, `written_as` and the names of parts and chromosomes come back as texts, `columns.label` as a list, and
    `names` filled in for labels and numbers.
    """
    path = find_plugin("tasks", name, folders)
    return checked_task(validate(read_yaml(path), read_schema("task"), path), path)


def load_tasks(
    block: Mapping[str, Any], folders: Iterable[str | Path], data_dir: str
) -> dict[str, dict[str, Any]]:
    """All task files that a block of the configuration names (`tasks`), by name; their local files are there."""
    folders = list(folders)
    tasks = {name: load_task(name, folders) for name in block["tasks"]}
    for name, task in tasks.items():
        check_task_files(name, task, data_dir)
    check_titles("tasks", tasks, tasks)
    return tasks


def checked_task(task: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A validated task file with what `load_task` fills in. Raises InputError for keys that do not fit together."""
    task = _as_texts(task, path)
    _check_files(task, path)
    _check_columns(task, path)
    _check_labels(task, path)
    _check_split(task, path)
    _check_judged(task, path)
    if task["policies"]["conflicts"] == "mean" and task["kind"] != "numbers":
        raise InputError(
            f"{path}: policies.conflicts: 'mean' is for kind 'numbers', this file has kind {task['kind']!r}; expected"
            " error, drop or first"
        )
    if task["max_length"] and task["max_length"] < task["min_length"]:
        raise InputError(
            f"{path}: max_length {task['max_length']} is less than min_length {task['min_length']}"
        )
    rows = read_sheet(path.parent / task["sheet"]) if task["sheet"] else []
    if rows and any("train" in row for row in rows) != (task["split"]["by"] == "given"):
        form = "train, test" if task["split"]["by"] == "given" else "file"
        raise InputError(
            f"{path}: split.by {task['split']['by']!r} needs a sheet with columns task and {form}"
        )
    return {**take_addresses(task, f"{path}: "), "rows": rows}


def check_task_files(name: str, task: Mapping[str, Any], data_dir: str) -> None:
    """Every local file that a task names is there, else InputError."""
    for key, file in named_files(task).items():
        if file["path"]:
            local_file(f"tasks/{name}.yaml: {key}", file["path"], data_dir)
    for row in task["rows"]:
        for key in ("file", "train", "valid", "test"):
            if "://" not in row.get(key, "://"):
                local_file(f"tasks/{task['sheet']}: {row['task']}: {key}", row[key], data_dir)


def named_files(task: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Key -> file of a task, its sheet's left out."""
    files = {f"files.{number}": file for number, file in enumerate(task["files"])}
    files |= {f"tests.{name}": file for name, file in task["tests"].items()}
    return files | ({"genome": task["genome"]} if task["genome"] else {})


def read_sheet(path: Path) -> list[dict[str, str]]:
    """Rows of a sheet of tasks; empty cells are left out.

    Raises InputError for a column that is unknown, a row that is not filled in one of the ways, and a task that comes
    twice or cannot be the name of a directory.
    """
    if not path.exists():
        raise InputError(f"no sheet {path}")
    lines = [(n, line.rstrip("\t ")) for n, line in read_lines(path) if line.strip()]
    header = [name.strip() for name in lines[0][1].split("\t")] if lines else []
    known = ["task", "title", "file", "train", "valid", "test"]
    for name in header:
        if name not in known or header.count(name) > 1:
            hint = did_you_mean(name, known, f"expected {', '.join(known)}")
            what = "comes twice" if name in known else "is unknown"
            raise InputError(f"{path}: column {name!r} {what}; {hint}")
    rows: list[dict[str, str]] = []
    for number, line in lines[1:]:
        cells = line.split("\t")
        row = {key: cell.strip() for key, cell in zip(header, cells, strict=False) if cell.strip()}
        if len(cells) > len(header) or set(row) - {"title"} not in _WAYS:
            raise InputError(
                f"{path}: line {number}: expected task and file, or task, train, test and perhaps valid filled, found"
                f" {without_secrets(line)[:200]!r}"
            )
        check_name(row["task"], f"{path}: line {number}: task")
        if any(row["task"] == other["task"] for other in rows):
            raise InputError(f"{path}: line {number}: task {row['task']!r} comes twice")
        rows.append(
            {
                key: take_address(cell, f"{path}: line {number}: {key}") if "://" in cell else cell
                for key, cell in row.items()
            }
        )
    if not rows:
        raise InputError(
            f"{path}: no rows; expected a header line with the column task, and a row for each"
        )
    return rows


def _as_texts(task: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Names that YAML may have read as numbers as texts, and lists where one may stand alone."""

    def texts(values: Iterable[Any]) -> list[str]:
        return [str(value) for value in values]

    label = task["columns"]["label"]
    label = [] if label is None else [label] if isinstance(label, str) else label
    file = read_schema("task")["properties"]["tests"]["additionalProperties"]
    tests = {
        str(key): validate(one, file, f"{path}: tests.{key}") for key, one in task["tests"].items()
    }
    files = [
        {**one, "class": None if one["class"] is None else str(one["class"])}
        for one in (*task["files"], *tests.values())
    ]
    return {
        **task,
        "classes": texts(task["classes"] or []),
        "written_as": {str(key): texts(cells) for key, cells in task["written_as"].items()},
        "columns": {**task["columns"], "label": label},
        "split": {
            **task["split"],
            **{
                key: {part: texts(names) for part, names in task["split"][key].items()}
                for key in ("parts", "chromosomes")
            },
        },
        "files": files[: len(task["files"])],
        "tests": dict(zip(tests, files[len(task["files"]) :], strict=True)),
    }


def _check_files(task: Mapping[str, Any], path: Path) -> None:
    if bool(task["files"]) == bool(task["sheet"]):
        raise InputError(f"{path}: give either 'files' or 'sheet'")
    for key, file in named_files(task).items():
        if bool(file["path"]) == bool(file["urls"]):
            raise InputError(f"{path}: {key}: give either 'path' or 'urls'")
    for name, file in task["tests"].items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise InputError(
                f"{path}: tests: {name!r} names a part of the data; expected letters, digits, '_', '.' and '-'"
            )
        if file["split"]:
            raise InputError(
                f"{path}: tests.{name}: all its rows are a test set; leave out 'split'"
            )


def _check_columns(task: Mapping[str, Any], path: Path) -> None:
    """Columns, pattern and genome that the format needs, and none that it would not read."""
    form, columns = task["format"], task["columns"]
    if (task["header"] is not None) and form != "fasta":
        raise InputError(f"{path}: header: is of format 'fasta', this file has {form!r}")
    if form == "fasta":
        groups = _pattern_groups(task["header"], path)
        for key, value in columns.items():
            for name in value if isinstance(value, list) else filter(None, [value]):
                if name not in groups:
                    raise InputError(
                        f"{path}: columns.{key}: the pattern 'header' has no group (?P<{name}>...)"
                    )
    elif form == "bed":
        for key in ("sequence", *PLACE):
            if columns[key] is not None:
                raise InputError(
                    f"{path}: columns.{key}: BED has places of its own for it; leave it out"
                )
        for value in (columns["id"], columns["group"], columns["split"], *columns["label"]):
            if value and value not in BED and not (value.isdecimal() and int(value) > len(BED)):
                raise InputError(
                    f"{path}: columns: {value!r} is no column of BED; expected name, score, or a number above"
                    f" {len(BED)}"
                )
    elif columns["sequence"] is None and None in (
        columns["seqname"],
        columns["start"],
        columns["end"],
    ):
        raise InputError(
            f"{path}: columns: give 'sequence', or for places 'seqname', 'start' and 'end' with the key 'genome'"
        )
    places = form == "bed" or (form != "fasta" and columns["sequence"] is None)
    if places and task["genome"] is None:
        raise InputError(
            f"{path}: places need the key 'genome', which their sequences are cut from"
        )
    if not places and (task["genome"] or task["window"]):
        key = "genome" if task["genome"] else "window"
        raise InputError(
            f"{path}: {key}: this file has sequences of its own, nothing is cut; leave it out"
        )


def _pattern_groups(pattern: str | None, path: Path) -> Iterable[str]:
    try:
        return re.compile(pattern or "").groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(f"{path}: header: not a regular expression: {error}") from error


def _check_labels(task: dict[str, Any], path: Path) -> None:
    """Labels that the kind needs; fills in `names` of labels and numbers."""
    kind, label = task["kind"], label_columns(task)
    if kind == "classes":
        _check_classes(task, label, path)
        return
    for key in ("classes", "written_as"):
        if task[key]:
            raise InputError(f"{path}: {key}: is of kind 'classes', this file has kind {kind!r}")
    if not label:
        raise InputError(f"{path}: columns.label: kind {kind!r} needs the columns of its {kind}")
    if task["separator"] and kind == "numbers":
        raise InputError(f"{path}: separator: is of kind 'labels', this file has kind 'numbers'")
    if task["separator"] and (len(label) > 1 or not task["names"]):
        raise InputError(
            f"{path}: separator: several labels in one column need that column alone under columns.label, and all"
            " labels that there are under 'names'"
        )
    task["names"] = task["names"] or label
    if not task["separator"] and len(task["names"]) != len(label):
        raise InputError(
            f"{path}: names: {len(task['names'])} names for {len(label)} columns of {kind} ({', '.join(label)});"
            " give one for each, in the same order"
        )


def label_columns(task: Mapping[str, Any]) -> list[str]:
    """Columns of the labels; of FASTA the group `label` of the pattern where none is named."""
    label = task["columns"]["label"]
    if not label and task["header"] and "label" in re.compile(task["header"]).groupindex:
        return ["label"]
    return label


def _check_classes(task: Mapping[str, Any], label: list[str], path: Path) -> None:
    if task["names"] or task["separator"]:
        key = "names" if task["names"] else "separator"
        raise InputError(
            f"{path}: {key}: is of kinds 'labels' and 'numbers'; name classes under 'classes'"
        )
    if not task["classes"]:
        raise InputError(f"{path}: classes: kind 'classes' needs the names of its classes")
    if len(set(task["classes"])) < len(task["classes"]):
        raise InputError(f"{path}: classes: a class comes twice ({', '.join(task['classes'])})")
    files = [*task["files"], *task["tests"].values()]
    named = [file["class"] for file in files if file["class"] is not None]
    if len(label) > 1:
        raise InputError(
            f"{path}: columns.label: kind 'classes' has one column, found {', '.join(label)}; several columns of 0 and"
            " 1 are kind 'labels'"
        )
    if not label and (len(named) < len(files) or task["sheet"]):
        raise InputError(
            f"{path}: which class is a row of? Give columns.label, of FASTA a group (?P<label>...) in 'header', or a"
            " 'class' for each of the files"
        )
    for name in (*named, *task["written_as"]):
        if name not in task["classes"]:
            hint = did_you_mean(name, task["classes"], f"expected {', '.join(task['classes'])}")
            raise InputError(f"{path}: {name!r} is not one of 'classes'; {hint}")
    owners = {name: name for name in task["classes"] if name not in task["written_as"]}
    for name, cells in task["written_as"].items():
        for cell in cells:
            if owners.setdefault(cell, name) != name:
                raise InputError(
                    f"{path}: written_as: {cell!r} stands for {owners[cell]!r} and {name!r}"
                )


def _check_judged(task: Mapping[str, Any], path: Path) -> None:
    """The main metric is one of the kind's, and a cut-off is chosen where there is one."""
    kind, names = task["kind"], task["classes"] or task["names"]
    known = list(metric_titles(kind, len(names)))
    if task["main_metric"] not in (None, *known):
        hint = did_you_mean(task["main_metric"], known, f"expected {', '.join(known)}")
        what = f"{len(names)} classes" if kind == "classes" else f"kind {kind!r}"
        raise InputError(f"{path}: main_metric: {task['main_metric']!r} is none of {what}; {hint}")
    if task["threshold"] and (kind == "numbers" or (kind == "classes" and len(names) > 2)):
        raise InputError(f"{path}: threshold: is of two classes or of kind 'labels'; leave it out")


def _check_split(task: Mapping[str, Any], path: Path) -> None:
    split, columns = task["split"], task["columns"]
    named = set(columns[key] and key for key in ("group", "split", "seqname"))
    if task["format"] == "fasta":
        named |= set(_pattern_groups(task["header"], path))
    if task["format"] == "bed":
        named.add("seqname")
    total = sum(split["shares"].values())
    if abs(total - 1) > 1e-9:
        raise InputError(f"{path}: split.shares add up to {total:g}, expected 1")
    parts = [file["split"] for file in task["files"]]
    if any(parts) and (None in parts or split["by"] != "given"):
        raise InputError(
            f"{path}: files that come split need a 'split' each, and split.by: given (found {split['by']!r})"
        )
    if split["by"] == "given" and not any(parts) and "split" not in named and not task["sheet"]:
        raise InputError(
            f"{path}: split.by 'given' needs columns.split, or a 'split' for each of the files"
        )
    needed = {"group": "group", "chromosome": "seqname"}.get(split["by"])
    if needed and needed not in named:
        raise InputError(f"{path}: split.by {split['by']!r} needs columns.{needed}")
    if any(split["chromosomes"].values()):
        if split["by"] != "chromosome" or not all(split["chromosomes"].values()):
            raise InputError(
                f"{path}: split.chromosomes are of split.by 'chromosome', and name those of both valid and test"
            )
        both = set(split["chromosomes"]["valid"]) & set(split["chromosomes"]["test"])
        if both:
            raise InputError(f"{path}: split.chromosomes: {min(both)!r} is in valid and in test")
