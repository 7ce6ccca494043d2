"""What would run, for the configurations that users start from; nothing is executed."""

import re

import pytest
from conftest import ROOT, job_counts, snakemake

TARGETS = [
    *(f"lncrna_table{number}" for number in range(1, 7)),
    *(f"lncrna_figure{number}" for number in range(3, 6)),
    "lncrna",
]


def plan(folder, *arguments):
    return job_counts(snakemake(folder, *arguments, "--dry-run", "--quiet", "rules").stdout)


def overlay(folder, text):
    path = folder / "overlay.yaml"
    path.write_text(text)
    return ["--configfile", str(path)]


def test_default_run(tmp_path):
    counts = plan(tmp_path)
    # Two splits of one species; eleven methods, two of them language models; one has a first stage on each pool.
    assert counts == {
        "simulate": 1,
        "download": 2,
        "lncrna_examples": 2,
        "lncrna_pool": 2,
        "finetune": 6,
        "baseline": 18,
        "evaluate": 22,
        "compare": 2,
        **{f"lncrna_table{number}": 1 for number in range(1, 7)},
        "lncrna_figure3": 1,
        "lncrna_figure4": 1,
        "report": 1,
        "all": 1,
    }


def test_paper_run(tmp_path):
    counts = plan(tmp_path, "--configfile", str(ROOT / "config/paper.yaml"))
    assert counts["download"] == 4, "coding and non-coding, human and mouse; no simulation"
    assert "simulate" not in counts
    # Two views of the transcript; 2 species x 2 splits x 3 seeds, and one shared first stage for each split and seed.
    assert counts["finetune"] == 2 * (12 + 6)
    assert counts["baseline"] == 2 * 2 * 3 * 9
    assert counts["lncrna_figure5"] == 1, "the mouse has a figure of its own"


def test_fetch_needs_nothing_else(tmp_path):
    counts = plan(tmp_path, "fetch", "--configfile", str(ROOT / "config/paper.yaml"))
    assert counts == {"download": 4, "fetch": 1}


@pytest.mark.parametrize("target", [*TARGETS, "report", "all", "fetch", "lock_models"])
def test_named_targets(tmp_path, target):
    counts = plan(tmp_path, target)
    assert target in counts
    if target == "lncrna_table1":
        assert "finetune" not in counts, "a table asks for what it shows and no more"


def test_only_first_stages_are_trained_on_pools(tmp_path):
    """Two language models: one of two stages, one that starts from nothing and never sees the pool."""
    methods = tmp_path / "methods/alone.yaml"
    methods.parent.mkdir()
    methods.write_text(
        "title: Alone\nkind: language_model\nmodel: lora-bert-tiny\n"
        "training: {epochs: 1, batch_size: 8, learning_rate: 1.0e-3}\n"
    )
    text = (
        f"plugins: [{tmp_path}]\nlncrna: {{methods: [lora-bert-tiny, alone, gc], splits: [gene]}}\n"
    )
    counts = plan(tmp_path, "report", *overlay(tmp_path, text))
    assert counts["finetune"] == 3


def test_seeds_and_methods_fan_out(tmp_path):
    text = "seeds: [1, 2, 3]\nlncrna: {splits: [gene], methods: [cpc2, length]}\n"
    counts = plan(tmp_path, "lncrna_table3", *overlay(tmp_path, text))
    assert counts["baseline"] == 6 and counts["evaluate"] == 2
    assert "finetune" not in counts and "lncrna_pool" not in counts


def test_trainings_share_jobs(tmp_path):
    """Three data sets, two to a job: two jobs a method and seed; first stages on pools have their own."""
    text = (
        "seeds: [1, 2]\nlncrna: {per_job: 2, species: [human, mouse, toy], splits: [paper],"
        " methods: [lora-bert-tiny, length]}\n"
    )
    counts = plan(tmp_path, "lncrna_table2", *overlay(tmp_path, text))
    assert counts["finetune_shared"] == 2 * 2 and counts["take_finetuned"] == 3 * 2
    assert counts["finetune"] == 2


def test_mistyped_key_stops_before_any_job(tmp_path):
    done = snakemake(tmp_path, *overlay(tmp_path, "lncrna: {methodes: [cpc2]}"), check=False)
    assert done.returncode == 1
    assert "unknown key 'lncrna.methodes'; did you mean 'methods'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results").exists()


def test_offline_lists_what_is_missing_before_any_job(tmp_path):
    text = "offline: true\nmirrors: [my-mirror]\nlncrna: {species: [human]}\n"
    done = snakemake(tmp_path, "fetch", *overlay(tmp_path, text), check=False)
    assert done.returncode == 1
    path = (
        "ftp.ensembl.org/pub/release-108/fasta/homo_sapiens/cds/Homo_sapiens.GRCh38.cds.all.fa.gz"
    )
    assert f"from https://{path}" in done.stdout
    assert f"to my-mirror/{path}" in done.stdout
    assert "Homo_sapiens.GRCh38.ncrna.fa.gz" in done.stdout
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
