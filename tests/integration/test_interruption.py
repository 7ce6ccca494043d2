"""A training that is killed goes on where it was, and nobody can tell from its results."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT, snakemake

pytestmark = pytest.mark.slow

RUN = "results/lncrna/small_gene/quick/seed1"
STATE = "results/training-state/lncrna.small_gene.quick.seed1/state.pt"


@pytest.fixture
def overlay(tmp_path):
    """A small simulated species and a short training, as a user would plug them in."""
    files = {
        "species/small.yaml": "title: Small\nensembl: {release: 110, species: small, assembly: S1}\n"
        "noncoding: {gene_biotypes: [lncRNA]}\n"
        "simulate: {seed: 2, transcripts: {coding_genes: 60, lncrna_genes: 60, small_rnas: 12}}\n",
        "models/quick.yaml": "title: Quick\nfamily: bert\ntokenizer: {kind: kmer, k: 3}\n"
        "max_tokens: 160\narchitecture: {vocab_size: 69, hidden_size: 64, num_hidden_layers: 1,"
        " num_attention_heads: 2, intermediate_size: 64, max_position_embeddings: 160}\n"
        "resources: {threads: 1, mem_mb: 2000, runtime: 10, gpu: 0}\n",
        "methods/quick.yaml": "title: Quick\nkind: language_model\nmodel: quick\n"
        "train_splits: [pretrain, train]\n"
        "training: {epochs: 30, batch_size: 8, learning_rate: 2.0e-3, patience: 30, save_minutes: 0.002}\n",
        "run.yaml": f"studies: [lncrna]\nplugins: [{tmp_path}]\noffline: true\n"
        "lncrna: {species: [small], splits: [gene], methods: [quick, length]}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return ["--configfile", str(tmp_path / "run.yaml")]


def test_killed_workflow_resumes_and_ends_with_the_same_bytes(tmp_path, overlay):
    target = f"{RUN}/predictions.parquet"
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    unbroken.mkdir()
    broken.mkdir()
    snakemake(unbroken, target, *overlay)

    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    running = subprocess.Popen(
        [*command, "--directory", str(broken), "--cores", "2", target, *overlay],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not (broken / STATE).exists():
        assert running.poll() is None and time.monotonic() < deadline, "no state was saved"
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not (broken / target).exists()

    snakemake(broken, "--unlock", *overlay)
    snakemake(broken, target, *overlay)
    summary = json.loads((broken / RUN / "training.json").read_text())
    assert summary["resumed"] and summary["resumed_at_step"] > 0
    assert (broken / target).read_bytes() == (unbroken / target).read_bytes()
    assert not (broken / STATE).exists()
