"""Texts of plug-in files, and inputs that are newer but the same, run nothing dear again; nothing is executed.

The files of the default run are made empty and marked as made by `--touch`, which records what they depend on.
"""

import os
import re
import shutil
import time

import pytest
from conftest import ROOT, job_counts, snakemake

#: Rules that only show what others have computed.
SHOWS = re.compile(
    r"all|overview|.*report|.*_(table|figure)\w*|promoters_(controls|truncation)|polya_(order|attribution)"
    r"|task_(?!examples)\w+"
)
FOLDERS = re.compile(
    r"/model$|^resources/(simulated|checkpoints)[^/]*/[^/]+$|^results/shared-jobs/"
)
#: Larger than Snakemake's own limit, up to which it compares contents.
LARGE = "results/lncrna/toy_gene/examples.parquet"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of empty files that counts as finished, and the arguments of its plug-in files."""
    folder = tmp_path_factory.mktemp("finished")
    for kind in ("species", "models", "methods", "collections", "tasks"):
        shutil.copytree(ROOT / "config" / kind, folder / "plugins" / kind)
    (folder / "run.yaml").write_text(f"plugins: [{folder}/plugins]\n")
    arguments = ["--configfile", str(ROOT / "config/demo.yaml"), str(folder / "run.yaml")]
    summary = snakemake(folder, "--detailed-summary", *arguments).stdout
    listed = summary[summary.index("output_file\t") :].splitlines()[1:]
    for name in (line.split("\t")[0] for line in listed):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if FOLDERS.search(name):
            path.mkdir(exist_ok=True)
        else:
            path.touch()
    (folder / LARGE).write_bytes(bytes(2_000_000))
    snakemake(folder, "--touch", "--no-hooks", "--quiet", "all", *arguments)
    return folder, arguments


def planned(folder, arguments):
    output = snakemake(folder, "--dry-run", "--quiet", "rules", *arguments).stdout
    return {} if "Nothing to be done" in output else job_counts(output)


def test_what_is_newer_but_the_same_runs_nothing(finished):
    folder, arguments = finished
    assert planned(*finished) == {}
    later = time.time() + 5
    os.utime(folder / LARGE, (later, later))
    for path in (folder / "resources/downloads").rglob("*.fa.gz"):
        os.utime(path, (later, later))
    assert planned(*finished) == {}
    (folder / LARGE).write_bytes(bytes(1_999_999) + b"1")
    os.utime(folder / LARGE, (later, later))
    found = planned(*finished)
    assert found["baseline"] == 8 and "lncrna_examples" not in found, "other bytes count"
    (folder / LARGE).write_bytes(bytes(2_000_000))
    assert planned(*finished) == {}


def test_texts_run_nothing_but_what_shows_them(finished):
    folder, arguments = finished
    before = {path: path.read_text() for path in (folder / "plugins").glob("*/*.yaml")}
    for path, text in before.items():
        path.write_text(re.sub(r"(?m)^(title|note): (.*)$", r"\1: other \2", text))
    found = planned(folder, arguments)
    assert {"lncrna_table3", "polya_figure3", "rbp_figure2", "study_report"} <= found.keys()
    assert [name for name in found if not SHOWS.fullmatch(name)] == []
    for path, text in before.items():
        path.write_text(text)
    assert planned(folder, arguments) == {}
    # A setting of a method still runs that method.
    method = folder / "plugins/methods/lora-bert-tiny.yaml"
    method.write_text(before[method].replace("epochs: 2", "epochs: 3"))
    found = planned(folder, arguments)
    assert found["finetune"] == 1 and "baseline" not in found and "lncrna_examples" not in found
    method.write_text(before[method])


def test_relatives_are_looked_for_without_training_anything(finished):
    """As in a run that was made before they were."""
    folder, arguments = finished
    files = list((folder / "results").glob("*/*/relatives.*"))
    for path in files:
        path.rename(path.with_name(f"no-{path.name}"))
    found = planned(folder, arguments)
    for path in files:
        path.with_name(f"no-{path.name}").rename(path)
    assert found["relatives"] == 11 and found["evaluate"] == 48
    others = [name for name in found if not SHOWS.fullmatch(name)]
    assert set(others) == {"relatives", "evaluate"}


def test_a_moved_checkout_computes_nothing(finished):
    """Only what reads the checkout's own files, of the papers' numbers and of deviations, is made again."""
    folder, arguments = finished
    (folder / "moved").symlink_to(ROOT)
    found = planned(folder, ["--snakefile", str(folder / "moved/Snakefile"), *arguments])
    assert "study_report" in found
    assert [name for name in found if not SHOWS.fullmatch(name)] == []
