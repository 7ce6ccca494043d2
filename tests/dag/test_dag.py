"""What Snakemake makes of a run: its targets, messages and profiles; nothing is executed.

Which jobs, files and parameters a run has is asked of the library (tests/unit/test_run.py).
"""

import re

import pytest
from conftest import ROOT, job_counts, snakemake
from planned import run_of


def plan(folder, *arguments):
    return job_counts(snakemake(folder, *arguments, "--dry-run", "--quiet", "rules").stdout)


def overlay(folder, text):
    path = folder / "overlay.yaml"
    path.write_text(text)
    return ["--configfile", str(path)]


def test_named_targets(tmp_path):
    """Every name that Snakemake lists can be asked for; those of tables and figures are the studies' products."""
    products = {one.name for some in run_of("demo").products.values() for one in some}
    others = {
        *run_of("demo").studies,
        "polya_motifs",
        "report",
        "all",
        "fetch",
        "lock_models",
        "calibrate_counts",
    }
    targets = sorted(products | others)
    assert set(targets) <= set(snakemake(tmp_path, "--list-target-rules").stdout.split())
    assert set(targets) <= set(plan(tmp_path, *targets))


def test_keys_on_the_command_line_change_the_demo(tmp_path):
    """Without a file the demo runs, with one its settings are gone."""
    counts = plan(tmp_path, "rbp", "--config", "studies=[rbp]", "offline=False")
    assert counts["simulate_collection"] == 1 and counts["baseline"] == 3 * 3
    counts = plan(tmp_path, "rbp", *overlay(tmp_path, "rbp: {methods: [gc]}"))
    assert counts["baseline"] == 3 and "rbp_attention" not in counts


@pytest.mark.parametrize("target", ["polya", "polya_table3"])
def test_target_of_a_study_that_is_not_named(tmp_path, target):
    done = snakemake(
        tmp_path, target, *overlay(tmp_path, "rbp: {methods: [gc]}"), "--dry-run", check=False
    )
    assert done.returncode == 1
    assert f"target '{target}': study 'polya' is not of this run, which has rbp" in done.stdout
    assert "add it to 'studies' (overlay.yaml)" in done.stdout


def test_mistyped_key_stops_before_any_job(tmp_path):
    done = snakemake(tmp_path, *overlay(tmp_path, "lncrna: {methodes: [cpc2]}"), check=False)
    assert done.returncode == 1
    assert "unknown key 'lncrna.methodes'; did you mean 'methods'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results").exists()


def test_offline_lists_what_is_missing_before_any_job(tmp_path):
    text = "studies: [lncrna]\noffline: true\nmirrors: [my-mirror]\nlncrna: {species: [human]}\n"
    done = snakemake(tmp_path, "fetch", *overlay(tmp_path, text), check=False)
    assert done.returncode == 1
    path = (
        "ftp.ensembl.org/pub/release-108/fasta/homo_sapiens/cds/Homo_sapiens.GRCh38.cds.all.fa.gz"
    )
    assert f"from https://{path}" in done.stdout
    assert f"to my-mirror/{path}" in done.stdout
    assert "Homo_sapiens.GRCh38.ncrna.fa.gz" in done.stdout
    assert f"`offline: true` is set in {tmp_path / 'overlay.yaml'}" in done.stdout
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("profile", ["default", "local-gpu", "slurm", "slurm-gres"])
def test_profiles_are_accepted(tmp_path, profile):
    snakemake(
        tmp_path, "--workflow-profile", str(ROOT / "profiles" / profile), "--dry-run", "--quiet"
    )


def test_every_rule_is_documented_by_its_file_and_message():
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        head = re.match(r'"""(.*?)"""', text, re.S)
        assert head and "REQUIRED INPUTS" in head[1] and "OUTPUTS" in head[1], path
        for rule in re.findall(r"^rule \w+:.*?(?=^rule |\Z)", text, re.S | re.M):
            if "script:" in rule:
                assert "message:" in rule and "log:" in rule and "conda:" in rule, rule[:60]


def test_a_tool_runs_once_for_all_seeds(tmp_path):
    text = (
        "studies: [lncrna]\nseeds: [1, 2, 3]\n"
        "lncrna: {splits: [gene], methods: [plek-original, cpc2-original, gc]}\n"
    )
    counts = plan(tmp_path, "lncrna_table3", *overlay(tmp_path, text))
    assert counts["original_input"] == 1
    assert counts["original_plek"] == counts["original_cpc2"] == 1
    assert counts["original"] == 6 and counts["baseline"] == 3


def test_a_search_needs_a_space(tmp_path):
    done = snakemake(tmp_path, "tune", *overlay(tmp_path, "studies: [polya]\n"), check=False)
    assert done.returncode == 1 and "polya.tune.space is empty" in done.stdout
    assert "training.learning_rate: {low:" in done.stdout


def test_several_targets_are_explained_one_by_one(tmp_path):
    text = (
        "studies: [task]\noffline: true\n"
        "task: {tasks: [toy-labels, toy-numbers], methods: [cnn, gc], attribution: {methods: [cnn]}}\n"
    )
    asked = ("task_motifs", "task_contributions", *overlay(tmp_path, text))
    done = snakemake(tmp_path, *asked, "--dry-run").stdout
    counts = job_counts(done)
    assert counts["attribute_baseline"] == counts["modisco"] == 3 and counts["baseline"] == 2
    folder = "results/task/toy-labels/cnn/seed1/attribution"
    assert f"{folder}/donor/contributions.npz" in done and "cnn on toy-labels/branch;" in done
    assert "toy-numbers/cnn/seed1/attribution/contributions.npz" in done
