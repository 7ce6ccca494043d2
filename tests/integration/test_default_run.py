"""The default run, end to end, and what a user does with its results."""

import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
from conftest import ROOT, snakemake
from forks import PYTHON

from nucleotune.contracts import read_predictions
from nucleotune.sequence.fasta import read_fasta

pytestmark = pytest.mark.slow

RUN = "results/lncrna/toy_gene/lora-bert-tiny/seed1"


def metrics(folder, method, dataset="toy_gene"):
    path = folder / f"results/lncrna/{dataset}/{method}/metrics.json"
    return json.loads(path.read_text())["splits"]["test"]


def test_table3_has_published_and_measured_side_by_side(default_run):
    table = pd.read_csv(default_run / "results/tables/lncrna_table3.tsv", sep="\t")
    ran = table[table["measured"].notna()]
    assert ran["dataset"].nunique() == 1 and ran["method"].nunique() == 9
    metrics = {"precision", "recall", "accuracy", "f1", "auroc", "auroc_without_relatives", "mcc"}
    assert set(ran["metric"]) == metrics
    beside = ran[(ran["method"] == "LoRA-BERT (tiny)") & (ran["metric"] == "auroc")]
    assert list(beside["published"]) == [0.998]
    assert set(ran["status"]) == {"not comparable"}, "a toy never reaches a paper's number"
    not_run = table[table["status"] == "not run"]
    assert set(not_run["dataset"]) == {"Human (as published)"}, "the toy stands beside the human"
    assert not_run["measured"].isna().all()


def test_partial_transcripts_as_in_table_6(default_run, tmp_path):
    """Cutting 5 % off each end hurts a model that reads k-mers of all that is left more than one that reads ORFs."""
    for name in ("results", "resources/simulated", "resources/downloads", ".snakemake/metadata"):
        shutil.copytree(default_run / name, tmp_path / name)
    overlay = tmp_path / "views.yaml"
    overlay.write_text(
        "studies: [lncrna]\nlncrna: {methods: [lora-bert-tiny, lora-bert-tiny-orf]}\n"
    )
    files = ("--configfile", str(ROOT / "config/demo.yaml"), str(overlay))
    done = snakemake(tmp_path, "lncrna_table4", "lncrna_table6", *files)
    # The other model is that of the default run.
    assert set(re.findall(r"Training (\S+) on", done.stdout)) == {"lora-bert-tiny-orf"}
    loss = {}
    for method in ("lora-bert-tiny", "lora-bert-tiny-orf"):
        path = tmp_path / f"results/lncrna/toy_gene/{method}/metrics.json"
        splits = json.loads(path.read_text())["splits"]
        loss[method] = splits["test"]["auroc"]["value"] - splits["test-kept90"]["auroc"]["value"]
    assert loss["lora-bert-tiny"] > loss["lora-bert-tiny-orf"]
    table = pd.read_csv(tmp_path / "results/tables/lncrna_table6.tsv", sep="\t")
    ran = table[table["measured"].notna() & (table["metric"] == "auroc")]
    assert list(ran["published"]) == [0.687, 0.964] and set(ran["kept"]) == {"90 %"}
    table = pd.read_csv(tmp_path / "results/tables/lncrna_table4.tsv", sep="\t")
    assert list(table["kept"].unique()) == ["90 %", "80 %", "70 %", "60 %"]


def test_numbers_in_the_table_are_those_of_the_predictions(default_run):
    predictions = read_predictions(default_run / RUN / "predictions.parquet", splits=["test"])
    accuracy = (predictions["predicted"] == predictions["label"]).mean()
    table = pd.read_csv(default_run / "results/tables/lncrna_table3.tsv", sep="\t")
    row = table[
        table["dataset"].str.contains("Toy")
        & (table["method"] == "LoRA-BERT (tiny)")
        & (table["metric"] == "accuracy")
    ].iloc[0]
    assert row["measured"] == pytest.approx(accuracy)
    assert row["n_test"] == len(predictions)
    assert row["ci_low"] < row["measured"] < row["ci_high"]


@pytest.mark.parametrize("line", ["length", "gc"])
def test_language_model_beats_the_composition_lines(default_run, line):
    """Length and composition overlap by design, so a model above these lines has read the sequence."""
    model = metrics(default_run, "lora-bert-tiny")["auroc"]
    assert model["ci_low"] > metrics(default_run, line)["auroc"]["ci_high"]


def test_gene_split_does_not_leak_and_paper_split_says_that_it_does(default_run, tmp_path):
    snakemake(
        tmp_path,
        "results/lncrna/toy_paper/card.json",
        "--configfile",
        str(ROOT / "config/lncrna.yaml"),
    )
    cards = {
        split: json.loads((folder / f"results/lncrna/toy_{split}/card.json").read_text())
        for split, folder in (("gene", default_run), ("paper", tmp_path))
    }
    assert cards["gene"]["leakage"]["genes_shared"] == 0
    assert cards["paper"]["leakage"]["genes_shared"] > 20


def test_training_log_and_gates(default_run):
    summary = json.loads((default_run / RUN / "training.json").read_text())
    assert summary["unknown_share"] == 0
    assert 0 <= summary["padding_share"] <= 0.10
    assert summary["truncated"]["side"] == "right" and summary["truncated"]["count"] > 0
    log = pd.read_csv(default_run / RUN / "training.tsv", sep="\t")
    assert {"step", "epoch", "split", "loss", "learning_rate", "examples_per_second"} <= set(log)
    assert not list((default_run / "results/training-state").iterdir())


def test_second_stage_starts_from_the_first(default_run):
    """The first validation loss of the second stage is far below that of random weights (ln 2)."""
    log = pd.read_csv(default_run / RUN / "training.tsv", sep="\t")
    assert log.loc[log["split"] == "valid", "loss"].iloc[0] < 0.6


def test_models_of_every_study_beat_their_lines(default_run):
    """A model that is above a line of composition, or of position, has read the sequence."""

    def auroc(study, dataset, method, metric="auroc"):
        path = default_run / f"results/{study}/{dataset}/{method}/metrics.json"
        return json.loads(path.read_text())["splits"]["test"][metric]

    task3 = ("promoters", "toy_task3-300_random")
    for method in ("dnabert-6-tiny", "tfidf-tiny"):
        assert auroc(*task3, method)["ci_low"] > auroc(*task3, "dinucleotide")["value"]
    motif = ("rbp", "toy-eclip_TOYM")
    assert auroc(*motif, "bert-rbp-tiny")["ci_low"] > auroc(*motif, "gc")["ci_high"]
    hairpin = ("rbp", "toy-eclip_TOYH")
    assert auroc(*hairpin, "graphprot")["ci_low"] > auroc(*hairpin, "rbp-tfidf")["value"]
    yeast = ("polya", "toy-yeast")
    assert (
        auroc(*yeast, "bpnet-tiny", "pearson_median")["ci_low"]
        > auroc(*yeast, "average-profile", "pearson_median")["ci_high"]
    )


@pytest.mark.parametrize(
    ("dataset", "metric"), [("toy-classes", "macro_auroc"), ("toy-numbers", "pearson")]
)
def test_planted_motifs_are_found_in_tasks_of_ones_own(default_run, dataset, metric):
    """Motifs of classes, and numbers that count them, hardly change GC: what is above it has read the sequence."""

    def measured(method):
        path = default_run / f"results/task/{dataset}/{method}/metrics.json"
        return json.loads(path.read_text())["splits"]["test"][metric]

    for method in ("dnabert-6-tiny", "tfidf-tiny"):
        assert measured(method)["ci_low"] > measured("gc")["ci_high"], method
    table = pd.read_csv(default_run / "results/tables/task_performance.tsv", sep="\t")
    assert table["dataset"].nunique() == 2 and table["method"].nunique() == 3
    title = table["dataset"][table["metric"] == metric].iloc[0]
    answer = json.loads((default_run / "results/reports/task.json").read_text())["answer"]
    assert f"{title}: best language model DNABERT (6-mer), tiny, best baseline TF-IDF" in answer


@pytest.mark.parametrize("study", ["lncrna", "promoters", "rbp", "polya", "task"])
def test_every_study_has_its_page(default_run, study):
    page = (default_run / f"results/reports/{study}.html").read_text()
    assert 'class="finding"' in page
    assert ("Deviations from the paper" in page) == (study != "task"), "a task has no paper"
    answer = json.loads((default_run / f"results/reports/{study}.json").read_text())["answer"]
    assert f"<h2>Question and findings</h2>\n<p><b>{answer}</b></p>" in page
    assert re.search(r"difference .*: (the \w+ model is |no difference|not comparable)", answer)
    assert page.count("data:image/svg+xml") >= 3
    assert f"reports/{study}.html" in (default_run / "results/report.html").read_text()


def test_downloads_carry_their_provenance(default_run):
    (meta,) = default_run.glob("resources/downloads/**/*.cds.all.fa.gz.meta.json")
    meta = json.loads(meta.read_text())
    assert meta["url"].startswith("https://ftp.ensembl.org/pub/release-110/fasta/toy_species/cds/")
    assert meta["from"] == "simulation" and "bsdsum" in meta["checksum"]


def test_report_is_one_self_contained_page(default_run):
    page = (default_run / "results/reports/lncrna.html").read_text()
    outside = re.findall(r"(?:src|href)=[\"'](?!data:|#)([^\"']+)", page)
    outside.remove("../report.html")
    assert outside == [], "simulated files have no address"
    for text in ("Toy species", "LoRA-BERT (tiny)", "not comparable", "SHA-256", "Deviations"):
        assert text in page
    assert page.count("data:image/svg+xml") >= 4, "waterfalls, ROC curves, training curves"


def test_nothing_left_to_do_the_second_time(default_run):
    assert "Nothing to be done" in snakemake(default_run, "--dry-run").stdout


def test_predict_on_own_fasta(default_run, tmp_path):
    """A user's FASTA gets the scores that the run itself gave to the same transcripts."""
    (cds,) = default_run.glob("resources/downloads/**/*.cds.all.fa.gz")
    predictions = read_predictions(default_run / RUN / "predictions.parquet").set_index("id")
    known = [r for r in read_fasta(cds) if r.header.split()[0] in predictions.index][:20]
    own = tmp_path / "own.fa"
    own.write_text("".join(f">{r.header}\n{r.sequence.lower().replace('t', 'u')}\n" for r in known))
    output = tmp_path / "scores.tsv"
    command = [os.environ[PYTHON], "-m", "nucleotune", "predict"]
    subprocess.run(
        [*command, str(default_run / RUN / "model"), str(own), "-o", str(output)],
        check=True,
        cwd=ROOT,
    )
    scores = pd.read_csv(output, sep="\t").set_index("id")
    assert len(scores) == 20
    expected = predictions.loc[scores.index, "score"]
    assert scores["score"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-5)


def test_predict_says_what_is_wrong(default_run, tmp_path):
    command = [os.environ[PYTHON], "-m", "nucleotune", "predict", str(default_run / RUN / "model")]
    broken = tmp_path / "broken.fa"
    broken.write_text(">a\nACGT!ACGT\n")
    done = subprocess.run([*command, str(broken)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "broken.fa: record 'a' (line 1): letter '!' at position 5" in done.stderr
    assert "Traceback" not in done.stderr
