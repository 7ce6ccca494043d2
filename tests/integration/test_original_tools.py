"""Methods of `mode: original` end to end, with stand-ins on PATH that write what the tools write; and calibrate_counts.

The stand-ins test the command lines, the status that PLEK ends with and the way of its output into the tables. What the
tools say of a sequence is not tested here.
"""

import json
import os
import stat
import sys

import pandas as pd
import pytest
from conftest import job_counts, snakemake

from nucleotune.contracts import read_predictions
from nucleotune.sequence.fasta import read_fasta
from nucleotune.studies.lncrna.toy import write_toy_species

pytestmark = pytest.mark.slow

# Calls a transcript coding when it begins with ATG. CPC2 adds .txt to its output's name; PLEK drops what is under 200
# nt and ends with status 1.
STAND_IN = """\
#!{python}
import sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
records = [part.split("\\n")[:2] for part in open(options[{fasta!r}]).read().split(">")[1:]]
with open(options[{out!r}] + {suffix!r}, "w") as out:
    out.write({header!r})
    for name, sequence in records:
        if len(sequence) >= {shortest}:
            line = {coding!r} if sequence.startswith("ATG") else {noncoding!r}
            out.write(line.format(name) + "\\n")
sys.exit({status})
"""
TOOLS = {
    "CPC2.py": {
        "fasta": "-i",
        "out": "-o",
        "suffix": ".txt",
        "header": "#ID\ttranscript_length\tcoding_probability\tlabel\n",
        "shortest": 1,
        "coding": "{}\t1\t0.9\tcoding",
        "noncoding": "{}\t1\t0.2\tnoncoding",
        "status": 0,
    },
    "PLEK.py": {
        "fasta": "-fasta",
        "out": "-out",
        "suffix": "",
        "header": "",
        "shortest": 200,
        "coding": "Coding\t1.5\t>{}",
        "noncoding": "Non-coding\t-0.5\t>{}",
        "status": 1,
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """CPC2 and PLEK are there, LncFinder is not."""
    folder, tools = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("tools")
    for name, options in TOOLS.items():
        (tools / name).write_text(STAND_IN.format(python=sys.executable, **options))
        (tools / name).chmod(stat.S_IRWXU)
    (folder / "overlay.yaml").write_text(
        "studies: [lncrna]\n"
        "lncrna:\n  splits: [gene]\n  methods: [gc, start-codon, cpc2-original, plek-original, absent]\n"
        f"plugins: [{folder}]\n"
    )
    (folder / "methods").mkdir()
    (folder / "methods/absent.yaml").write_text(
        "title: LncFinder (absent)\nkind: baseline\nbaseline: lncfinder\nmode: original\n"
        "original: {command: no-such-Rscript}\n"
    )
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}{os.pathsep}{path}"
    try:
        targets = ["lncrna", "calibrate_counts", "results/lncrna/toy_gene/comparison.tsv"]
        snakemake(folder, *targets, "--configfile", str(folder / "overlay.yaml"))
    finally:
        os.environ["PATH"] = path
    return folder


def scored(run, method):
    return read_predictions(run / f"results/lncrna/toy_gene/{method}/seed1/predictions.parquet")


def test_cpc2_output_reaches_the_predictions(run):
    table, line = scored(run, "cpc2-original"), scored(run, "start-codon")
    assert list(table["id"]) == list(line["id"])
    assert set(table["score"].round(6)) == {0.1, 0.8}
    assert set(table.loc[table["score"] < 0.5, "predicted"]) == {0}
    # The stand-in decides as the reference line "begins with ATG" does.
    assert (table["predicted"] == line["predicted"]).all()


def test_plek_status_is_not_an_error_and_short_transcripts_stay(run):
    table = scored(run, "plek-original")
    fit = json.loads((run / "results/lncrna/toy_gene/plek-original/seed1/fit.json").read_text())
    assert fit["left_out"] == (table["score"] == 0).sum() > 0
    assert len(table) == len(scored(run, "gc"))


def test_absent_tool_is_a_row_that_says_so(run):
    table = pd.read_csv(run / "results/tables/lncrna_table3.tsv", sep="\t")
    rows = table[table["method"] == "LncFinder (absent)"]
    assert set(rows["status"]) == {"not run"} and len(rows) == 7
    (note,) = set(rows["note"])
    assert (
        note == "not run: the R package LncFinder is not installed (conda env: envs/lncfinder.yaml)"
    )
    ran = table[table["method"] == "CPC2 (original)"]
    assert ran["measured"].notna().all()
    comparison = pd.read_csv(run / "results/lncrna/toy_gene/comparison.tsv", sep="\t")
    assert {"absent"}.isdisjoint(comparison["method"]) and "plek-original" in set(
        comparison["method"]
    )


def test_tool_installed_later_is_run(run):
    """Without the stand-ins on PATH what was found has changed, so their jobs are due; no other is."""
    arguments = ["lncrna_table3", "--configfile", str(run / "overlay.yaml"), "--dry-run", "--quiet"]
    counts = job_counts(snakemake(run, *arguments, "rules").stdout)
    assert counts["original_cpc2"] == counts["original_plek"] == 1
    assert {"original_lncfinder", "original_input", "baseline"}.isdisjoint(counts)


def test_counts_beside_the_paper(run):
    table = pd.read_csv(run / "results/calibration/lncrna_counts.tsv", sep="\t")
    assert len(table) == 96 and set(table["release"]) == {110}
    card = json.loads((run / "results/lncrna/toy_gene/card.json").read_text())
    reading = "lncRNA genes; all regions; ACGT only; any symbol; repeats kept"
    row = table[(table["reading"] == reading) & (table["class"] == "lncRNA")].iloc[0]
    assert row["count"] == card["classes_before_sampling"]["lncRNA"]["n"]
    assert row["published"] == 59419 and row["difference"] == row["count"] - 59419
    (path,) = (run / "resources/downloads").rglob("*.ncrna.fa.gz")
    assert row["count"] < sum(1 for _ in read_fasta(path))


def test_a_release_that_is_missing_costs_no_other(tmp_path):
    """Offline, of a mouse of our own: release 108 is in the mirror, 107 comes later and nothing is counted again."""
    names = {"species": "mus_musculus", "assembly": "GRCm39"}
    sizes = {"coding_genes": 60, "lncrna_genes": 70, "small_rnas": 30}
    write_toy_species(tmp_path / "my-mirror", seed=1, release=108, **names, **sizes)
    (tmp_path / "overlay.yaml").write_text(
        "studies: [lncrna]\noffline: true\nmirrors: [my-mirror]\n"
        "lncrna: {species: [mouse], calibrate: {releases: [107, 108]}}\n"
    )
    arguments = ["calibrate_counts", "--configfile", str(tmp_path / "overlay.yaml")]
    done = snakemake(tmp_path, *arguments, check=False)
    assert done.returncode == 1
    assert "my-mirror/ftp.ensembl.org/pub/release-107/fasta/mus_musculus" in done.stdout
    counted = sorted(path.name for path in (tmp_path / "results/calibration").iterdir())
    assert counted == ["mouse.108.lncRNA.tsv", "mouse.108.mRNA.tsv"]

    write_toy_species(tmp_path / "my-mirror", seed=2, release=107, **names, **sizes)
    due = job_counts(snakemake(tmp_path, *arguments, "--dry-run", "--quiet", "rules").stdout)
    assert due == {"download": 2, "calibrate_release": 2, "calibrate_counts": 1}
    snakemake(tmp_path, *arguments)
    table = pd.read_csv(tmp_path / "results/calibration/lncrna_counts.tsv", sep="\t")
    assert set(table["release"]) == {107, 108} and set(table["species"]) == {"mouse"}
    assert set(table["published"]) == {22583}
