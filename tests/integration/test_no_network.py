"""Once `fetch` has run, all that is left runs on machines without a network, as compute nodes often are."""

import socket
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, snakemake

from nucleotune.models.standins import standin_mirror, tiny
from nucleotune.plugins import load_model

pytestmark = pytest.mark.slow

#: A new network namespace has no interface that is up, not even loopback.
NO_NETWORK = ("unshare", "--map-root-user", "--net")


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def overlay(tmp_path):
    """A study with a method of each kind: a published model (its files have the real form), and a baseline."""
    model = tiny(load_model("dnabert-3", [ROOT / "config"]))
    model |= {
        "max_tokens": 128,
        "resources": {"threads": 1, "mem_mb": 2000, "runtime": 10, "gpu": 0},
    }
    standin_mirror({"dnabert-3": model}, tmp_path / "mirror")
    files = {
        "species/small.yaml": {
            "title": "Small",
            "ensembl": {"release": 110, "species": "small", "assembly": "S1"},
            "noncoding": {"gene_biotypes": ["lncRNA"]},
            "simulate": {
                "seed": 2,
                "transcripts": {"coding_genes": 60, "lncrna_genes": 60, "small_rnas": 12},
            },
        },
        "models/dnabert-3.yaml": model,
        "methods/published.yaml": {
            "title": "Published",
            "kind": "language_model",
            "model": "dnabert-3",
            "train_splits": ["pretrain", "train"],
            "training": {"epochs": 16, "batch_size": 8, "learning_rate": 2e-3, "patience": 16},
        },
        "run.yaml": {
            "studies": ["lncrna"],
            "plugins": [str(tmp_path)],
            "mirrors": [str(tmp_path / "mirror")],
            "lncrna": {"species": ["small"], "splits": ["gene"], "methods": ["published", "gc"]},
        },
    }
    for name, value in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(value))
    return ["--configfile", str(tmp_path / "run.yaml")]


@pytest.mark.skipif(not works(*NO_NETWORK, "true"), reason="unshare --net is not permitted here")
def test_everything_but_fetch_runs_without_a_network(tmp_path, overlay):
    connect = "import socket; socket.create_connection(('127.0.0.1', {}), timeout=1)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert works(sys.executable, "-c", connect.format(port))
        assert not works(*NO_NETWORK, sys.executable, "-c", connect.format(port))

    folder = tmp_path / "run"
    folder.mkdir()
    snakemake(folder, "fetch", *overlay)
    done = subprocess.run(
        [
            *(*NO_NETWORK, sys.executable, "-m", "snakemake", "--cores", "2"),
            *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), *overlay),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "rule download" not in done.stdout and "Fetching" not in done.stdout
    assert (folder / "results/report.html").exists()
