"""`nucleotune init`: from a user's files to a task file and a configuration, with all guesses said.

Two files are written: `config/tasks/<name>.yaml` below the current directory, and the configuration (`my-run.yaml`).
Neither replaces one that is there, unless the user says so.
"""

import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from nucleotune.contracts import LABEL, VALUE
from nucleotune.errors import InputError
from nucleotune.genome.genome_file import unpack_genome
from nucleotune.names import check_name
from nucleotune.outputs import check_output, open_output
from nucleotune.schemas import read_schema, validate
from nucleotune.stages import ROOT
from nucleotune.studies.task.clean import clean
from nucleotune.studies.task.labels import label_names, with_labels
from nucleotune.studies.task.look import Look, letters_of, look, stem
from nucleotune.studies.task.plan import computed_task, task_entries
from nucleotune.studies.task.plugin import checked_task, load_task
from nucleotune.studies.task.read import cut_sequences, read_rows
from nucleotune.studies.task.suggest import (
    Suggested,
    config_folder,
    has_gpu,
    suggest_methods,
    suggest_split,
)

#: Order of keys in a task file; options that overrule them.
_KEYS = {
    "title": "--title",
    "kind": "--kind",
    "classes": "",
    "names": "",
    "separator": "--separator",
    "format": "",
    "files": "",
    "header": "--label",
    "first": "",
    "genome": "--genome",
    "columns": "",
    "strands": "--strands",
    "split": "--split",
    "policies": "",
}
_OPTIONS = {"sequence": "--sequence", "label": "--label", "id": "--id", "group": "--group"}
#: Policies under which a first look at the data drops what would be an error.
_LENIENT = {"conflicts": "drop", "empty": "drop", "unlabelled": "drop", "letters": "n"}


@dataclass
class Draft:
    """A task file to be, what it rests on, and what is in the data."""

    name: str
    keys: dict[str, Any]
    why: dict[str, str]
    notes: list[str]
    facts: dict[str, str] = field(default_factory=dict)
    methods: list[Suggested] = field(default_factory=list)
    gpu: bool = False


def init(
    files: Sequence[Path],
    *,
    name: str | None = None,
    title: str | None = None,
    split: str | None = None,
    strands: str | None = None,
    output: str = "my-run.yaml",
    overwrite: bool = False,
    gpu: bool | None = None,
    **asked: Any,
) -> str:
    """Look at files, write the task file and the configuration, and return what to print.

    asked: see `look.look`. gpu: whether there is one; None looks. Raises InputError where a guess cannot be made, where
    the data do not fit it, and where a file to be written is there and `overwrite` is False.
    """
    name = name or re.sub(r"[^A-Za-z0-9_-]+", "_", stem(files[0])).strip("_-") or "mine"
    check_name(name, "--name")
    target = Path("config") / "tasks" / f"{name}.yaml"
    for path in (str(target), output):
        if Path(path).exists() and not overwrite:
            option = "--name" if path == str(target) else "--output"
            raise InputError(
                f"{path} is there already; give another {option}, or say --overwrite to replace it"
            )
    draft = draft_task(
        files, name=name, title=title, split=split, strands=strands, gpu=gpu, asked=asked
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    check_output(output, files)
    check_output(str(target), files)
    with open_output(str(target), files) as stream:
        stream.write(task_text(draft))
    with open_output(output, files) as stream:
        stream.write(run_text(draft, output))
    load_task(name, ["config"])  # what is written can be read
    return report(draft, str(target), output)


def draft_task(
    files: Sequence[Path],
    *,
    name: str,
    title: str | None,
    split: str | None,
    strands: str | None,
    gpu: bool | None,
    asked: Mapping[str, Any],
) -> Draft:
    """Guess all keys of the task file and count what is in the data."""
    found = look(files, asked)
    draft = Draft(
        name, {"title": title or name.replace("_", " "), **found.keys}, found.why, found.notes
    )
    draft.why["title"] = "as --title says" if title else "from the name"
    draft.keys.setdefault("columns", {})
    table = _rows(draft, found)
    letters = letters_of(table["sequence"])
    draft.keys["strands"] = strands or ("one" if letters.get("U") else "both")
    draft.why["strands"] = (
        "as --strands says"
        if strands
        else "U: RNA"
        if letters.get("U")
        else "DNA: relatives on the other strand count, too"
    )
    draft.keys["policies"] = {}
    rows, counts = _cleaned(draft, table)
    _facts(draft, table, rows, counts, letters)
    _policies(draft, table, rows, counts)
    _split(draft, rows, split)
    draft.gpu = has_gpu() if gpu is None else gpu
    draft.methods = suggest_methods(rows["sequence"].str.len(), gpu=draft.gpu)
    return draft


def _task(draft: Draft, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The draft as a builder reads it, with other keys; and the validated file."""
    keys = {key: value for key, value in draft.keys.items() if value is not None} | more
    source = Path(f"config/tasks/{draft.name}.yaml")
    task = checked_task(validate(keys, read_schema("task"), source), source)
    return computed_task(task), task


def _rows(draft: Draft, found: Look) -> pd.DataFrame:
    """All rows with labels and sequences, whatever the split."""
    given = "split" in draft.keys["columns"] or "split" in draft.keys["files"][0]
    task, whole = _task(draft, split={"by": "given" if given else "random"})
    paths = {key: entry["path"] for key, entry in task_entries(whole).items()}
    table = with_labels(read_rows(paths, task), task)
    if "genome" in draft.keys:
        with tempfile.TemporaryDirectory(prefix="nucleotune-init-") as folder:
            # As the workflow does; and no index is left beside the user's file.
            genome = Path(folder) / "genome.fa"
            unpack_genome(draft.keys["genome"]["path"], genome)
            table, lost = cut_sequences(table, genome, task)
        for what, n in lost.items():
            if n:
                draft.notes.append(f"{n:,} places are left out ({what.replace('_', ' ')})")
    return table


def _cleaned(draft: Draft, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    task, _ = _task(draft, split={"by": "random"}, policies=_LENIENT, files=_plain(draft))
    return clean(table, task)


def _plain(draft: Draft) -> list[dict[str, Any]]:
    return [{key: one[key] for key in one if key != "split"} for one in draft.keys["files"]]


def _facts(
    draft: Draft,
    table: pd.DataFrame,
    rows: pd.DataFrame,
    counts: Mapping[str, Any],
    letters: Mapping[str, int],
) -> None:
    lengths = rows["sequence"].str.len()
    low, middle, high = (int(lengths.quantile(q)) for q in (0, 0.5, 1))
    draft.facts["rows"] = f"{len(table):,}"
    draft.facts["lengths"] = (
        f"all {low:,} nt" if low == high else f"{low:,} to {high:,} nt, median {middle:,}"
    )
    said = ", ".join(f"{what} in {n:,}" for what, n in letters.items())
    draft.facts["letters"] = said or "A, C, G, T only"
    draft.facts["duplicates"] = f"{counts['duplicates']:,} rows repeat another with the same label"
    draft.facts["conflicts"] = f"{counts['conflicts']:,} sequences have rows with different labels"
    draft.facts["labels"] = _label_facts(draft, table)
    unlabelled = int(
        table[label_names(_task(draft, split={"by": "random"}, files=_plain(draft))[0])]
        .isna()
        .all(axis=1)
        .sum()
    )
    empty = int((table["sequence"].str.strip() == "").sum())
    draft.facts["without"] = f"{empty:,} rows have no sequence, {unlabelled:,} no label"


def _label_facts(draft: Draft, table: pd.DataFrame) -> str:
    kind = draft.keys["kind"]
    if kind == "classes":
        counts = table["label"].value_counts()
        sizes = [f"{name} ({counts.get(n, 0):,})" for n, name in enumerate(draft.keys["classes"])]
        return f"{len(sizes)} classes: {', '.join(sizes)}"
    columns = [name for name in table if name.startswith((LABEL, VALUE))]
    if kind == "labels":
        sizes = [
            f"{one.removeprefix(LABEL)} ({int((table[one] == 1).sum()):,})" for one in columns[:20]
        ]
        return f"{len(columns)} labels (rows that have them): {', '.join(sizes)}"
    texts = []
    for one in columns:
        values = table[one].dropna()
        low, middle, high = (f"{values.quantile(q):.4g}" for q in (0, 0.5, 1))
        texts.append(f"{one[6:]} from {low} to {high}, median {middle}, {len(values):,} known")
    return "; ".join(texts)


def _policies(
    draft: Draft, table: pd.DataFrame, rows: pd.DataFrame, counts: Mapping[str, Any]
) -> None:
    """Policies that the data need: only what occurs is set, all else is an error should it turn up."""
    policies: dict[str, str] = {}
    if counts["conflicts"]:
        policies["conflicts"] = "mean" if draft.keys["kind"] == "numbers" else "drop"
        draft.why["policies.conflicts"] = draft.facts["conflicts"]
    if not draft.facts["without"].startswith("0 "):
        policies["empty"] = "drop"
        draft.why["policies.empty"] = draft.facts["without"]
    if not draft.facts["without"].endswith(" 0 no label"):
        policies["unlabelled"] = "drop"
        draft.why["policies.unlabelled"] = draft.facts["without"]
    draft.keys["policies"] = policies


def _split(draft: Draft, rows: pd.DataFrame, asked: str | None) -> None:
    columns = dict(draft.keys["columns"])
    if "split" in draft.keys["files"][0]:
        by, why = "given", "the files' names say the parts"
    elif asked:
        by, why = asked, "as --split says"
    else:
        by, why = suggest_split(
            rows["sequence"], columns, rows, both_strands=draft.keys["strands"] == "both"
        )
    draft.keys["split"] = {"by": by}
    draft.why["split"] = why
    _task(draft)  # the columns that this split needs are there


def task_text(draft: Draft) -> str:
    """The task file, each key with what it rests on."""
    lines = [
        f"# Task {draft.name!r}, written by `nucleotune init`. Each key says what it rests on; correct what is wrong.",
        "# All keys, those left out here with their defaults: schemas/task.schema.yaml.",
    ]
    for key in _KEYS:
        value = draft.keys.get(key)
        if value is None or value == {}:
            continue
        if key == "columns" or (key == "policies" and value):
            lines.append(f"{key}:")
            lines += [
                _line(f"  {inner}", one, draft.why.get(f"{key}.{inner}", ""))
                for inner, one in value.items()
            ]
        elif key == "files":
            lines.append(_comment("files:", draft.why.get("files", "")))
            lines += [f"  - {_flow(one)}" for one in value]
        else:
            lines.append(_line(key, value, draft.why.get(key, "")))
        if key == "classes":
            lines.append("# Better names: put them here, and what the file has under")
            lines.append("# written_as: {better-name: [" + _flow(value[0]) + "]}")
    return "\n".join([*lines, ""])


def run_text(draft: Draft, output: str) -> str:
    """The configuration of the run."""
    plugins = config_folder(Path())
    lines = [
        f"# A run of task {draft.name!r}, written by `nucleotune init`:",
        f"#   {_command(output)}",
        "studies: [task]",
        *(
            [f"plugins: {_flow(plugins)}   # where config/tasks/{draft.name}.yaml is found"]
            if plugins
            else []
        ),
        "seeds: [1]   # more seeds, such as [1, 2, 3], show how much a training varies",
        "task:",
        f"  tasks: [{draft.name}]",
        "  # learning_curve: [0.05, 0.1, 0.25, 0.5]   # from how many rows on does the language model win?",
        "  methods:",
    ]
    for one in draft.methods:
        lines.append(
            _comment(f"  {'' if one.taken else '# '}- {one.name}", f"{one.title}: {one.why}")
        )
    return "\n".join([*lines, ""])


def report(draft: Draft, target: str, output: str) -> str:
    """What to print: every guess with the option that overrules it, and the next command."""
    keys, why = draft.keys, draft.why
    paths = ", ".join(one["path"] for one in keys["files"])
    lines = [f"{paths}: {draft.facts['rows']} rows", ""]

    def say(what: str, value: str, reason: str = "", option: str = "") -> None:
        text = value + (f": {reason}" if reason else "") + (f"  [{option}]" if option else "")
        lines.append(
            textwrap.fill(text, 112, initial_indent=f"  {what:<12}", subsequent_indent=" " * 14)
        )

    say("format", keys["format"], why.get("format", ""))
    for key, name in keys["columns"].items():
        shown = ", ".join(name) if isinstance(name, list) else name
        say(key, f"column {shown!r}", why.get(f"columns.{key}", ""), _OPTIONS.get(key, ""))
    if keys.get("header"):
        say("label", f"pattern {keys['header']!r}", why["header"], "--label")
    if len(keys["files"]) > 1:
        say("files", str(len(keys["files"])), why["files"])
    if "first" in keys:
        say("places", f"count from {keys['first']}", why["first"])
    say("kind", keys["kind"], why["kind"], "--kind")
    say("labels", draft.facts["labels"])
    if len(keys.get("classes") or ()) == 2:
        text = f"{why['classes']}; AUPRC, F1, precision and recall are about it"
        say("order", ", ".join(keys["classes"]), text, "classes in the task file")
    say("lengths", draft.facts["lengths"])
    say("letters", draft.facts["letters"])
    say("strands", keys["strands"], why["strands"], "--strands")
    for what in ("duplicates", "conflicts"):
        policy = keys["policies"].get(what, "drop")
        n = int(draft.facts[what].split()[0].replace(",", ""))
        say(what, draft.facts[what], f"policy {policy!r}" if n else "")
    if draft.facts["without"] != "0 rows have no sequence, 0 no label":
        say("empty", draft.facts["without"], "left out and counted")
    say("split", keys["split"]["by"], why["split"], "--split")
    for note in draft.notes:
        say("note", note)
    lines += [
        "",
        "Methods, by the lengths and this machine "
        + f"({'with' if draft.gpu else 'without'} a GPU; + in the run, - named in it as a comment)"
        + ":",
    ]
    for one in draft.methods:
        text = f"{'+' if one.taken else '-'} {one.name}: {one.title}; {one.why}"
        lines.append(textwrap.fill(text, 112, initial_indent="  ", subsequent_indent=" " * 14))
    lines += [
        "",
        f"Written: {target} (the task), {output} (the run). Every key says what it rests on.",
        f"Next:    {_command(output)}",
    ]
    return "\n".join(lines)


def _command(output: str) -> str:
    """What runs it; elsewhere than in the checkout the workflow is named."""
    at = "" if Path().resolve() == ROOT else f"--snakefile {ROOT / 'Snakefile'} "
    return f"snakemake {at}--cores 2 --configfile {output}"


def _line(key: str, value: Any, why: str) -> str:
    return _comment(f"{key}: {_flow(value)}", why)


def _comment(text: str, why: str) -> str:
    return f"{text}   # {why}" if why else text


def _flow(value: Any) -> str:
    """A value as YAML on one line; texts that YAML would take for something else in quotes."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()
