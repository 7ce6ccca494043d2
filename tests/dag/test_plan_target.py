"""`snakemake plan` says what a dry run says, and runs nothing."""

import re
from pathlib import Path

import pytest
from conftest import ROOT, snakemake
from planned import jobs as jobs_of
from planned import run_of

PAPER = ["--configfile", str(ROOT / "config/paper.yaml")]


def jobs(text):
    """Jobs by rule of the plan's own table: rule -> (to run, all); its total must be their sum."""
    table = re.search(r"^Jobs +to run +all\n[- ]+\n(.*?)\n\n", text, re.M | re.S)
    assert table, text
    rows = {
        rule: (int(pending.replace(",", "")), int(every.replace(",", "")))
        for rule, pending, every in map(str.split, table[1].splitlines())
    }
    total = rows.pop("total")
    assert total == tuple(map(sum, zip(*rows.values(), strict=True)))
    return rows


def total_hours(text):
    row = re.search(r"^total, of which +(\S+) +(\S+) +(\S+) +(\S+)$", text, re.M)
    assert row, text
    return [0.0 if cell == "-" else float(cell.replace(",", "")) for cell in row.groups()]


def files(folder: Path):
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".snakemake" not in path.parts
    }


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Text of the plan of the default and the papers' configuration."""
    found = {}
    for name, overlay in {"demo": [], "paper": PAPER}.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = snakemake(folder, "plan", *overlay).stdout
        assert files(folder) == {"logs/plan.log"}, "nothing has been run"
    return found


@pytest.mark.parametrize("name", ["demo", "paper"])
def test_jobs_are_those_of_the_run(planned, name):
    """The plan counts the jobs of Snakemake's own dry run, the library the files of the configuration."""
    expected = jobs_of(run_of(name))
    assert jobs(planned[name]) == {rule: (count, count) for rule, count in expected.items()}


def test_default_run_needs_no_gpu(planned):
    text = planned["demo"]
    gpu_pending, gpu, cpu_pending, cpu = total_hours(text)
    assert gpu_pending == gpu == 0
    assert 0.05 < cpu == cpu_pending < 2, "minutes on a laptop"
    assert "ESTIMATED" not in text and "UNKNOWN SIZE" not in text
    assert re.search(r"^total +[\d.]+ MB +[\d.]+ MB$", text, re.M)


def test_paper_run(planned):
    text = planned["paper"]
    gpu_pending, gpu, _, cpu = total_hours(text)
    assert gpu_pending == gpu and 3 < gpu < 300, "hours to days of one GPU"
    assert cpu > 4 * gpu, "four threads beside each GPU, and the classical methods"
    # Parameters -> trainings. lncrna: 36; promoters: dnabert-3 (and its two sides of truncation), dnabert-2
    # and the nucleotide transformer on twelve data sets, dnabert-4 to 6 on one, three seeds each.
    models = {
        86_906_114: 36,
        86_095_874: 36 + 2 * 18,
        117_070_082: 36,
        480_440_803: 36,
        86_243_330: 3,
        86_833_154: 3,
        89_192_450: 3,
    }
    # And SpeciesLM, with LoRA and frozen, three seeds each.
    models[90_275_456] = 6
    n = sum(models.values())
    assert f"{n} of {n} trainings are ESTIMATED from their operations" in text
    assert "human_paper 118,838" in text and "pooled_gene 164,004" in text
    stored = 4 * sum(size * trainings for size, trainings in models.items()) / 1e9
    assert re.search(rf"^trained models +{stored:.1f} GB +{stored:.1f} GB ", text, re.M)


def test_what_is_done_is_not_to_run(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("studies: [lncrna]\nlncrna: {splits: [paper], methods: [gc, length]}\n")
    arguments = ["--configfile", str(overlay)]
    target = "results/lncrna/toy_paper/gc/metrics.json"
    snakemake(tmp_path, target, *arguments)
    found = jobs(snakemake(tmp_path, "plan", *arguments).stdout)
    assert found["baseline"] == (1, 2) and found["lncrna_examples"] == (0, 1)
    assert found["download"] == (0, 2) and found["overview"] == (1, 1)


def test_plan_of_an_offline_run_whose_files_are_missing(tmp_path):
    """The files are missing for the run, not for its plan."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "studies: [lncrna]\noffline: true\nlncrna: {species: [human], methods: [gc]}\n"
    )
    text = snakemake(tmp_path, "plan", "--configfile", str(overlay)).stdout
    assert jobs(text)["download"] == (2, 2) and "Trainings: none" in text


def test_plan_beside_a_run_that_is_under_way(tmp_path):
    """It can be planned in a locked directory, and with --nolock the lock stays."""
    lock = tmp_path / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("results/lncrna/toy_gene/examples.parquet\n")
    assert jobs(snakemake(tmp_path, "plan", "--nolock").stdout)["finetune"] == (7, 7)
    refused = snakemake(tmp_path, "lncrna_table1", check=False)
    assert refused.returncode == 1 and "cannot be locked" in refused.stdout
    assert jobs(snakemake(tmp_path, "plan").stdout)["finetune"] == (7, 7)
