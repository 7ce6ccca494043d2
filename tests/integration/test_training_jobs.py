"""Trainings that share a job, and a training in several processes, as a user asks for them by configuration."""

import json
import shutil

import pytest
from conftest import job_counts, snakemake

pytestmark = pytest.mark.slow

MODEL = (
    "title: {name}\nfamily: bert\ntokenizer: {{kind: kmer, k: 3}}\nmax_tokens: 160\n"
    "architecture: {{vocab_size: 69, hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 2,"
    " intermediate_size: 64, max_position_embeddings: 160}}\n"
    "resources: {{threads: 2, mem_mb: 2000, runtime: 10, gpu: {gpu}}}\n"
)
METHOD = (
    "title: {name}\nkind: language_model\nmodel: {name}\ntrain_splits: [pretrain, train]\n"
    "training: {{epochs: 15, batch_size: 8, learning_rate: 2.0e-3, patience: 15}}\n"
)
SPECIES = (
    "title: Small\nensembl: {release: 110, species: small, assembly: S1}\n"
    "noncoding: {gene_biotypes: [lncRNA]}\n"
    "simulate: {seed: 2, transcripts: {coding_genes: 60, lncrna_genes: 60, small_rnas: 12}}\n"
)


@pytest.fixture
def overlay(tmp_path):
    files = {"species/small.yaml": SPECIES}
    for name, gpu in {"single": 0, "double": 2}.items():
        files[f"models/{name}.yaml"] = MODEL.format(name=name, gpu=gpu)
        files[f"methods/{name}.yaml"] = METHOD.format(name=name)
    files["run.yaml"] = (
        f"studies: [lncrna]\nplugins: [{tmp_path}]\noffline: true\n"
        "lncrna: {species: [small], splits: [paper, gene], methods: [single, double, length]}\n"
    )
    files["shared.yaml"] = "lncrna: {per_job: 2}\n"
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return ["--configfile", str(tmp_path / "run.yaml")]


def test_shared_job_gives_each_training_its_own_place(tmp_path, overlay):
    folder, shared = tmp_path / "run", [*overlay, str(tmp_path / "shared.yaml")]
    folder.mkdir()
    results = [f"results/lncrna/small_{split}/single/seed1" for split in ("paper", "gene")]
    targets = [f"{path}/predictions.parquet" for path in results]
    snakemake(folder, *targets, *shared)
    for path in results:
        found = {file.name for file in (folder / path).iterdir()}
        assert found == {"predictions.parquet", "model", "training.tsv", "training.json"}
    done = snakemake(folder, *targets, "--dry-run", *shared)
    assert "Nothing to be done" in done.stdout

    shutil.rmtree(folder / results[1])
    done = snakemake(folder, *targets, "--dry-run", "--quiet", "rules", *shared)
    assert job_counts(done.stdout) == {"take_finetuned": 1}


def test_training_in_two_processes(tmp_path, overlay, monkeypatch):
    """The model file asks for two GPUs; none is an error, unless two processes are to share the work on the CPU."""
    folder = tmp_path / "run"
    folder.mkdir()
    run = "results/lncrna/small_gene/double/seed1"
    done = snakemake(folder, f"{run}/predictions.parquet", *overlay, check=False)
    assert done.returncode and "the job asks for a GPU, but torch" in done.stdout
    assert "NUCLEOTUNE_DEVICE=cpu" in done.stdout
    monkeypatch.setenv("NUCLEOTUNE_DEVICE", "cpu")
    snakemake(folder, f"{run}/predictions.parquet", *overlay)
    summary = json.loads((folder / run / "training.json").read_text())
    assert summary["processes"] == 2 and summary["threads"] == 1
    log = (folder / "logs/finetune/lncrna.small_gene.double.seed1.log").read_text()
    assert "validation loss" in log
