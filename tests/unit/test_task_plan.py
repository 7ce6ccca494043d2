"""Task files, their sheets, and the data sets that come of them."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from nucleotune.errors import InputError
from nucleotune.stages import ROOT
from nucleotune.studies.related import nearest
from nucleotune.studies.task.build import build_task
from nucleotune.studies.task.plan import (
    computed_task,
    crossed,
    described_tasks,
    judged_task,
    listed_tasks,
    simulated_task_paths,
    task_entries,
    task_files,
)
from nucleotune.studies.task.plugin import check_task_files, load_task, load_tasks
from nucleotune.studies.task.toy import CLASSES, MOTIFS, PATHS, write_toy_task

BASE = (
    "title: T\nkind: classes\nclasses: [a, b]\nformat: table\nfiles: [{path: t.tsv}]\n"
    "columns: {sequence: s, label: y}\n"
)


def loaded(folder, text, name="mine"):
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks" / f"{name}.yaml").write_text(text)
    return load_task(name, [ROOT / "config", folder])


def a_run(tasks, curve=()):
    task = {"tasks": list(tasks), "learning_curve": list(curve), "cross": False}
    config = {"task": task, "data_dir": "data"}
    return SimpleNamespace(config=config, tasks=tasks)


def test_names_that_yaml_takes_for_numbers_are_texts(tmp_path):
    text = BASE.replace("[a, b]", "[0, 1]") + "written_as: {1: [2, x]}\n"
    task = loaded(tmp_path, text)
    assert task["classes"] == ["0", "1"] and task["written_as"] == {"1": ["2", "x"]}
    assert task["columns"]["label"] == ["y"] and task["policies"]["conflicts"] == "drop"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("classes: [a, b]\n", "", "classes: kind 'classes' needs the names"),
        ("kind: classes", "kind: clases", "key 'kind'"),
        ("columns:", "colums:", "unknown key 'colums'; did you mean 'columns'"),
        ("files: [{path: t.tsv}]\n", "", "give either 'files' or 'sheet'"),
        (
            "{path: t.tsv}",
            "{path: t.tsv, urls: [http://x/y]}",
            "files.0: give either 'path' or 'urls'",
        ),
        ("label: y", "label: [y, z]", "columns.label: kind 'classes' has one column"),
        (", label: y", "", "which class is a row of"),
        ("sequence: s, ", "", "columns: give 'sequence', or for places"),
        ("format: table", "format: bed", "columns.sequence: BED has places of its own"),
        ("title: T\n", "title: T\nheader: x\n", "header: is of format 'fasta'"),
        (
            "title: T\n",
            "title: T\ngenome: {path: g.fa}\n",
            "genome: this file has sequences of its own",
        ),
        ("title: T\n", "title: T\nnames: [a]\n", "names: is of kinds"),
        ("title: T\n", "title: T\nsplit: {by: group}\n", "split.by 'group' needs columns.group"),
        ("title: T\n", "title: T\nsplit: {by: chromosome}\n", "needs columns.seqname"),
        ("title: T\n", "title: T\nsplit: {by: given}\n", "split.by 'given' needs columns.split"),
        ("title: T\n", "title: T\nsplit: {shares: {train: 0.9}}\n", "split.shares add up to 1.2"),
        (
            "title: T\n",
            "title: T\nmain_metric: aurok\n",
            "'aurok' is none of 2 classes; did you mean 'auroc'",
        ),
        ("title: T\n", "title: T\nmain_metric: pearson\n", "'pearson' is none of 2 classes"),
        (
            "classes: [a, b]\n",
            "classes: [a, b, c]\nthreshold: mcc\n",
            "threshold: is of two classes or of kind 'labels'",
        ),
        ("title: T\n", "title: T\npolicies: {conflicts: mean}\n", "'mean' is for kind 'numbers'"),
        ("title: T\n", "title: T\nwritten_as: {c: [1]}\n", "'c' is not one of 'classes'"),
        ("title: T\n", "title: T\nwritten_as: {a: [b]}\n", "'b' stands for 'b' and 'a'"),
        ("title: T\n", "title: T\ntests: {x/y: {path: u.tsv}}\n", "'x/y' names a part"),
        ("title: T\n", "title: T\ntests: {x: {pth: u.tsv}}\n", "unknown key"),
    ],
)
def test_keys_that_do_not_fit_together_are_named(tmp_path, old, new, message):
    assert old in BASE
    with pytest.raises(InputError, match=r"mine.yaml: .*" + re.escape(message)):
        loaded(tmp_path, BASE.replace(old, new, 1))


def test_tasks_of_a_block_have_titles_of_their_own(tmp_path):
    (tmp_path / "t.tsv").write_text("s\ty\n")
    for name in ("one", "two"):
        loaded(tmp_path, BASE, name)
    assert list(load_tasks({"tasks": ["one"]}, [tmp_path], str(tmp_path))) == ["one"]
    with pytest.raises(InputError, match="have the same title"):
        load_tasks({"tasks": ["one", "two"]}, [tmp_path], str(tmp_path))


def test_metric_and_cut_off_are_for_the_evaluation_alone(tmp_path):
    task = loaded(tmp_path, BASE + "main_metric: mcc\nthreshold: f1\n")
    run = a_run({"mine": task}, [0.5])
    run.datasets = {"task": listed_tasks(run)}
    expected = {"names": ["a", "b"], "main_metric": "mcc"}
    expected |= {"threshold": "validation", "chosen_by": "f1"}
    assert judged_task(run, "mine") == judged_task(run, "mine_train50") == expected
    assert computed_task(task) == computed_task(loaded(tmp_path, BASE)), "examples stay"
    described = described_tasks(run.datasets["task"], run.tasks)
    assert [one["main_metric"] for one in described] == ["mcc", "mcc"]
    assert [one["aside"] for one in described] == [False, True]
    run.tasks["mine"] = loaded(tmp_path, BASE)
    assert judged_task(run, "mine") == {"names": ["a", "b"]}


def test_files_that_are_not_there(tmp_path):
    task = loaded(tmp_path, BASE)
    with pytest.raises(InputError, match=r"tasks/mine.yaml: files.0: no file .*t.tsv"):
        check_task_files("mine", task, str(tmp_path))
    (tmp_path / "t.tsv").write_text("s\ty\n")
    check_task_files("mine", task, str(tmp_path))


def test_data_sets_files_and_what_the_builder_gets(tmp_path):
    task = loaded(tmp_path, BASE + "tests: {far: {urls: ['https://x.org/far.tsv']}}\nnote: hello\n")
    run = a_run({"mine": task}, [0.5, 0.05])
    datasets = listed_tasks(run)
    assert list(datasets) == ["mine", "mine_train5", "mine_train50"]
    assert datasets["mine_train5"].share == 0.05 and datasets["mine"].share is None
    files = task_files(run, datasets["mine"])
    assert files["rows_0"] == ("data/t.tsv", None)
    assert files["test_0"][0] == "resources/downloads/x.org/far.tsv"
    assert files["test_0"][1].urls == ("https://x.org/far.tsv",)
    given = computed_task(task)
    assert given["entries"]["test_0"] == {"class": None, "split": None, "test": "far"}
    assert not {"title", "note", "files", "tests"} & set(given)
    assert datasets["mine"].kind == "classes" and datasets["mine"].names == ("a", "b")
    described = described_tasks(datasets, run.tasks)
    assert described[0]["note"] == "hello; no related sequences in two parts"
    titles = [one["title"] for one in described]
    assert titles == ["T", "T (5 % of training)", "T (50 % of training)"]


def test_tasks_with_the_same_labels_test_each_other(tmp_path):
    tasks = {name: loaded(tmp_path, BASE, name) for name in ("one", "two")}
    tasks["other"] = loaded(tmp_path, BASE.replace("[a, b]", "[b, a]"), "other")
    run = a_run(tasks, [0.5])
    run.datasets = {"task": listed_tasks(run)}
    assert crossed(run) == {}, "unless asked for"
    run.config["task"]["cross"] = True
    assert crossed(run) == {"one": ["two"], "two": ["one"]}
    del tasks["two"], run.config["task"]["tasks"][1]
    message = r"task.cross: no two tasks .* \(one: classes a, b; other: classes b, a\); name such"
    with pytest.raises(InputError, match=message):
        listed_tasks(run)


def test_a_sheet_gives_one_data_set_a_row(tmp_path):
    (tmp_path / "tasks").mkdir()
    sheet = tmp_path / "tasks" / "many.tsv"
    sheet.write_text("task\ttitle\tfile\nliver\tLiver\tl.tsv\nbrain\t\thttps://x.org/b.tsv\n")
    text = BASE.replace("files: [{path: t.tsv}]", "sheet: many.tsv")
    task = loaded(tmp_path, text)
    datasets = listed_tasks(a_run({"mine": task}))
    assert list(datasets) == ["mine_liver", "mine_brain"]
    assert task_entries(task, "liver")["rows_0"]["path"] == "l.tsv"
    assert task_entries(task, "brain")["rows_0"]["urls"] == ["https://x.org/b.tsv"]
    assert [one["title"] for one in described_tasks(datasets, {"mine": task})] == [
        "T, Liver",
        "T, brain",
    ]
    sheet.write_text("task\ttrain\ttest\nliver\ta.tsv\tb.tsv\n")
    with pytest.raises(InputError, match="needs a sheet with columns task and file"):
        loaded(tmp_path, text)
    task = loaded(tmp_path, text + "split: {by: given}\n")
    entries = task_entries(task, "liver")
    assert [one["split"] for one in entries.values()] == ["train", "test"]
    sheet.write_text("task\tfile\nliver\n")
    with pytest.raises(InputError, match="many.tsv: line 2: expected task and file"):
        loaded(tmp_path, text)


@pytest.mark.parametrize("kind", list(PATHS))
def test_toy_tasks_are_read_as_their_files_say(tmp_path, kind):
    task = load_task(f"toy-{kind}", [ROOT / "config"])
    assert task["files"][0]["urls"] == [f"https://{PATHS[kind]}"]
    assert simulated_task_paths(task) == [PATHS[kind]]
    summary = write_toy_task(tmp_path, kind=kind, **task["simulate"])
    write_toy_task(tmp_path / "again", kind=kind, **task["simulate"])
    path = tmp_path / PATHS[kind]
    assert path.read_bytes() == (tmp_path / "again" / PATHS[kind]).read_bytes()
    examples, card = build_task({"rows_0": str(path)}, task=computed_task(task))
    assert summary["rows"] == 600 + 60 + 2 + (kind == "classes")
    assert set(examples["split"]) == {"train", "valid", "test"}
    assert card["u_as_t"] == 1 and card["with_n"] == 1
    assert card["duplicates"] == (0 if kind == "classes" and card["conflicts"] == 0 else 1)
    motifs = pd.DataFrame({one: examples["sequence"].str.contains(one) for one in MOTIFS})
    if kind == "classes":
        assert card["names"] == list(CLASSES) and card["conflicts"] == 1
        has = motifs.groupby(examples["label"].to_numpy()).mean()
        assert has.iloc[1, 0] > 0.7 and has.iloc[2, 1] > 0.7 and has.iloc[0].max() < 0.05
    elif kind == "labels":
        assert card["labels"]["test"]["donor"]["unknown"] >= 1
        known = examples["label:donor"].notna()
        assert motifs[MOTIFS[1]][known & (examples["label:donor"] == 1)].mean() > 0.7
    else:
        count = [examples["sequence"].str.count(one) for one in MOTIFS]
        assert (count[0] - 0.7 * count[1]).corr(examples["value:strength"]) > 0.7
    # Relatives have one gene, and are in one part.
    assert (nearest(examples, both_strands=False)[0]["identity"] < 0.9).all()
    assert card["leakage"]["genes_shared"] == 0 and card["grouped_by"] == "group"
