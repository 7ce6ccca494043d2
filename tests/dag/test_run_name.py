"""`run_name` keeps what answers a question apart, and shares all that is computed for it; nothing is executed."""

from conftest import ROOT, snakemake

DEMO = str(ROOT / "config/demo.yaml")


def files(folder, *arguments):
    """What a run writes: file -> rule."""
    summary = snakemake(folder, "--detailed-summary", *arguments).stdout
    rows = summary[summary.index("output_file\t") :].splitlines()[1:]
    return {row.split("\t")[0]: row.split("\t")[2] for row in rows}


def test_two_questions_in_one_directory(tmp_path):
    (tmp_path / "run.yaml").write_text("run_name: second\n")
    first = files(tmp_path, "--configfile", DEMO)
    second = files(tmp_path, "--configfile", DEMO, str(tmp_path / "run.yaml"))
    assert {
        path.replace("results/runs/second/", "results/"): second[path] for path in second
    } == first
    apart = {path for path in second if path.startswith("results/runs/second/")}
    assert set(second) - set(first) == apart
    shown = ("tables", "figures", "reports", "report.html")
    assert {path for path in first if path.split("/")[1] in shown}.isdisjoint(second)
    assert not [path for path in first if path.endswith("comparison.tsv") and path in second]
    computed = (
        "finetune",
        "finetune_shared",
        "take_finetuned",
        "baseline",
        "evaluate",
        "modisco",
    )
    assert set(computed) <= {second[path] for path in set(second) - apart}
    assert {second[path] for path in apart}.isdisjoint(computed)


def test_a_name_that_leaves_the_directory_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("run_name: ../elsewhere\n")
    done = snakemake(
        tmp_path, "--dry-run", "--configfile", DEMO, str(tmp_path / "run.yaml"), check=False
    )
    assert done.returncode == 1 and "run_name" in done.stdout and "Traceback" not in done.stdout
