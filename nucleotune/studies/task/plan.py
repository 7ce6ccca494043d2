"""What the study consists of, worked out from its configuration and task files alone; standard library only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nucleotune.errors import InputError
from nucleotune.names import by_name
from nucleotune.plan import DOWNLOADS, Dataset, remote_source
from nucleotune.plan.run import Run
from nucleotune.sources.registry import Source, local_path
from nucleotune.studies.base import Files
from nucleotune.tasks import compared

#: Keys of a task file that its examples do not depend on.
TEXTS = (
    *("title", "note", "published_as", "comparable", "simulate", "sheet", "rows"),
    *("main_metric", "threshold"),
)
#: Parts that a sheet or file may come in.
PARTS = ("train", "valid", "test")

#: Metrics of a method on the test rows of other tasks.
CROSS = "task/{dataset}/{method}/cross.json"

#: How rows were divided, for the notes of tables, by `split.by`.
SPLIT_NOTES = {
    "given": "parts as they came",
    "random": "divided at random: relatives of a test row may be in training",
    "group": "no group in two parts",
    "chromosome": "no chromosome in two parts",
    "similarity": "no related sequences in two parts",
}


@dataclass(frozen=True)
class TaskDataset(Dataset):
    """A task, or one row of its sheet, with all of its training rows or a share of them (a learning curve).

    kind: what is predicted: classes, labels or numbers; names: of these, in order.
    """

    task: str = ""
    row: str = ""
    share: float | None = None
    kind: str = "classes"
    names: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Whose genome sequences are cut from: its task."""
        return self.task

    @property
    def aside(self) -> bool:
        """Whether it is a point of a learning curve."""
        return self.share is not None


def listed_tasks(run: Run) -> dict[str, TaskDataset]:
    """Data sets of a run: `<task>` or `<task>_<row of its sheet>`, each followed by its shares, `.._train5` for 5 %.

    Raises InputError for a name that comes twice, and where tasks should test each other and none can (`task.cross`).
    """
    datasets = []
    for name in run.config["task"]["tasks"]:
        task = run.tasks[name]
        for row in [one["task"] for one in task["rows"]] or [""]:
            stem = f"{name}_{row}" if row else name
            for share in (None, *sorted(run.config["task"]["learning_curve"])):
                datasets.append(
                    TaskDataset(
                        stem if share is None else f"{stem}_train{100 * share:g}",
                        task["split"]["by"],
                        (),
                        task=name,
                        row=row,
                        share=share,
                        kind=task["kind"],
                        names=tuple(task["classes"] or task["names"]),
                    )
                )
    alike = _alike(datasets)
    if run.config["task"]["cross"] and all(len(names) < 2 for names in alike.values()):
        told = "; ".join(f"{name}: {kind} {', '.join(of)}" for (kind, of), (name,) in alike.items())
        raise InputError(
            "task.cross: no two tasks of this run have labels of the same kind, with the same names in the same order"
            f" ({told}); name such tasks under task.tasks, or leave 'cross' out"
        )
    return by_name(datasets, "a task, a row of its sheet and a share of its training rows")


def crossed(run: Run) -> dict[str, list[str]]:
    """Data sets that test each other (`task.cross`): name -> the others with the same kind and names, in order."""
    if "task" not in run.datasets or not run.config["task"]["cross"]:
        return {}
    return {
        name: [other for other in names if other != name]
        for names in _alike(run.datasets["task"].values()).values()
        for name in names
        if len(names) > 1
    }


def cross_files(run: Run) -> list[str]:
    """Metrics of every method on the test rows of other tasks."""
    return [
        run.place(CROSS.format(dataset=name, method=method))
        for name in crossed(run)
        for method in run.assigned["task"][name]
    ]


def relatives_of(run: Run, dataset: str) -> dict[str, Any]:
    """Which test rows of other tasks are left out, as `cross.unseen_rows` takes it."""
    split = run.tasks[run.datasets["task"][dataset].task]["split"]
    limits = {key: split[key] for key in ("identity", "coverage")}
    return {**limits, "both_strands": reads_both_strands(run, dataset)}


def task_entries(task: Mapping[str, Any], row: str = "") -> dict[str, dict[str, Any]]:
    """Files of rows: key -> `path`, `urls`, `checksum`, `class`, `split`, `test` (a further test set's name or None).

    Keys are `rows_<n>` and `test_<n>`: names that rules can use. row: of the sheet, if the task has one.
    """
    files = [dict(file) for file in task["files"]]
    if row:
        (cells,) = (one for one in task["rows"] if one["task"] == row)
        files = [_cell(cells[key], key) for key in ("file", *PARTS) if key in cells]
    entries = {f"rows_{n}": {**file, "test": None} for n, file in enumerate(files)}
    tests = enumerate(task["tests"].items())
    return entries | {f"test_{n}": {**file, "test": name} for n, (name, file) in tests}


def task_files(run: Run, dataset: TaskDataset) -> Files:
    """Files that a data set is built from: name -> (path, source); the source is None for a local file.

    Names: those of `task_entries`, and `genome`.
    """
    task, data_dir = run.tasks[dataset.task], run.config["data_dir"]
    files = task_entries(task, dataset.row)
    return {key: _place(file, data_dir) for key, file in files.items()} | genome_files(
        run, dataset.task
    )


def genome_files(run: Run, name: str) -> Files:
    """The genome that a task's places are on, if it has one."""
    genome = run.tasks[name]["genome"]
    return {"genome": _place(genome, run.config["data_dir"])} if genome else {}


def computed_task(task: Mapping[str, Any], row: str = "") -> dict[str, Any]:
    """A task as far as its examples depend on it, with its `entries`: what rule and builder are given."""
    kept = {key: value for key, value in task.items() if key not in (*TEXTS, "files", "tests")}
    entries = {
        key: {name: file[name] for name in ("class", "split", "test")}
        for key, file in task_entries(task, row).items()
    }
    return {**kept, "entries": entries}


def judged_task(run: Run, dataset: str) -> dict[str, Any]:
    """How predictions on a data set are judged: names of its labels; metric and cut-off as its task file says."""
    one = run.datasets["task"][dataset]
    task = run.tasks[one.task]
    judged: dict[str, Any] = {"names": list(one.names)}
    if task["main_metric"]:
        judged["main_metric"] = task["main_metric"]
    if task["threshold"]:
        judged |= {"threshold": "validation", "chosen_by": task["threshold"]}
    return judged


def reads_both_strands(run: Run, dataset: str) -> bool:
    """Whether a sequence on the other strand counts as the same, as the task file says."""
    return run.tasks[run.datasets["task"][dataset].task]["strands"] == "both"


def simulated_task_paths(task: Mapping[str, Any]) -> list[str]:
    """Where the files of a simulated task lie in its mirror; none of another task."""
    if not task["simulate"]:
        return []
    return [local_path(file["urls"][0]) for file in task_entries(task).values() if file["urls"]]


def described_tasks(
    datasets: Mapping[str, TaskDataset], tasks: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What tables and figures say of each data set, in order."""
    result = []
    for dataset in datasets.values():
        task = tasks[dataset.task]
        titles = {row["task"]: row.get("title", row["task"]) for row in task["rows"]}
        title = f"{task['title']}, {titles[dataset.row]}" if dataset.row else task["title"]
        if dataset.share is not None:
            title = f"{title} ({100 * dataset.share:g} % of training)"
        names = task["classes"] or task["names"]
        keys = ("published_as", "comparable", "threshold")
        result.append(
            {
                "name": dataset.name,
                "species": dataset.task,
                "split": task["split"]["by"],
                "task": dataset.task,
                "kind": task["kind"],
                "names": list(names),
                "main_metric": task["main_metric"] or compared(task["kind"], len(names))[0],
                "tests": list(task["tests"]),
                "share": dataset.share,
                "aside": dataset.aside,
                "whole": f"{dataset.task}_{dataset.row}" if dataset.row else dataset.task,
                "title": title,
                "note": "; ".join(filter(None, (task["note"], SPLIT_NOTES[task["split"]["by"]]))),
                **{key: task[key] for key in keys},
            }
        )
    return result


def _place(file: Mapping[str, Any], data_dir: str) -> tuple[str, Source | None]:
    if file["path"]:
        return str(Path(data_dir) / file["path"]), None
    source = remote_source(file, "task file", plain="text")
    return f"{DOWNLOADS}/{local_path(source.urls[0])}", source


def _cell(value: str, column: str) -> dict[str, Any]:
    remote = "://" in value
    return {
        "path": None if remote else value,
        "urls": [value] if remote else [],
        "checksum": "none",
        "class": None,
        "split": column if column in PARTS else None,
    }


def _alike(datasets: Iterable[TaskDataset]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Kind and names of labels -> data sets that have them, with all of their training rows."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in datasets:
        if not one.aside:
            found.setdefault((one.kind, one.names), []).append(one.name)
    return found
