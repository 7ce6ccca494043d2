"""Published models, from the files of their repositories to a row of Table 3, through the workflow.

Once `fetch` has run, all that is left runs without a network, as compute nodes often are.

The files have the real names, key names, vocabularies and oddities, but tiny dimensions: nucleotune.models.standins.
"""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, snakemake
from forks import PYTHON

from nucleotune.models.standins import standin_mirror, tiny
from nucleotune.plugins import load_model

pytestmark = pytest.mark.slow

ADAPTATIONS = {
    "dnabert-3": "frozen",
    "dnabert-2": "lora",
    "nt-500m-human": "lora",
    "specieslm-downstream": "full",
}
RESOURCES = {"threads": 1, "mem_mb": 2000, "runtime": 10, "gpu": 0}


#: A new network namespace has no interface that is up, not even loopback.
NO_NETWORK = ("unshare", "--map-root-user", "--net")


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else yaml.safe_dump(value))


def method(model, adaptation="full"):
    rate = 0.02 if adaptation == "frozen" else 0.005
    return {
        "title": model,
        "kind": "language_model",
        "model": model,
        "adaptation": adaptation,
        "train_splits": ["pretrain", "train"],
        "training": {
            "epochs": 8,
            "batch_size": 8,
            "learning_rate": rate,
            "patience": 8,
            "on_collapse": "keep",
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A mirror of the hub with stand-ins, and a user's own encoder in a directory."""
    folder = tmp_path_factory.mktemp("models")
    models = {}
    for name, adaptation in ADAPTATIONS.items():
        model = {**tiny(load_model(name, [ROOT / "config"])), "resources": RESOURCES}
        model["max_tokens"] = min(model["max_tokens"], 160)
        models[name] = model
        write(folder / f"models/{name}.yaml", model)
        write(folder / f"methods/{name}.yaml", method(name, adaptation))
    standin_mirror(models, folder / "mirror")
    dnabert = folder / "mirror/huggingface.co" / models["dnabert-3"]["checkpoint"]["hub"]
    write(
        folder / "models/my-encoder.yaml",
        {
            "title": "My encoder",
            "family": "bert",
            "checkpoint": {
                "path": str(dnabert / "resolve/main"),
                "files": ["config.json", "pytorch_model.bin", "vocab.txt"],
            },
            "tokenizer": {"kind": "kmer", "k": 3},
            "max_tokens": 128,
            "resources": RESOURCES,
        },
    )
    write(folder / "methods/my-encoder.yaml", method("my-encoder"))
    # Two classes far apart in composition: what is tested is the way of the weights, not what is learned.
    rng = np.random.default_rng(0)
    for name, gc in (("coding", 0.85), ("noncoding", 0.15)):
        p = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
        records = (
            "".join(rng.choice(list("ACGT"), rng.integers(120, 200), p=p)) for _ in range(100)
        )
        write(folder / f"{name}.fa", "".join(f">{name}{i}\n{s}\n" for i, s in enumerate(records)))
    files = {name: {"files": [{"path": f"{name}.fa"}]} for name in ("coding", "noncoding")}
    write(folder / "species/easy.yaml", {"title": "Easy", **files})
    return folder


def overlay(folder, name, **changes):
    run = {
        "studies": ["lncrna"],
        "plugins": [str(folder)],
        "offline": True,
        "mirrors": [str(folder / "mirror")],
        "data_dir": str(folder),
        "lncrna": {
            "species": ["easy"],
            "splits": ["paper"],
            "methods": [*ADAPTATIONS, "my-encoder", "gc"],
        },
    }
    write(folder / name, {**run, **changes})
    return ["--configfile", str(folder / name)]


def without_network(folder, *arguments):
    """Run the workflow where no connection can be made, as far as this machine lets tests do that; its output."""
    apart = NO_NETWORK if works(*NO_NETWORK, "true") else ()
    connect = "import socket; socket.create_connection(('127.0.0.1', {}), timeout=1)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        connected = (sys.executable, "-c", connect.format(server.getsockname()[1]))
        assert works(*connected) and (not apart or not works(*apart, *connected))
    done = subprocess.run(
        [
            *(*apart, sys.executable, "-m", "snakemake", "--cores", "2"),
            *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), *arguments),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_every_family_from_its_published_files_to_the_report(folder, tmp_path):
    given = overlay(folder, "run.yaml", offline=False)
    snakemake(tmp_path, "fetch", *given)
    output = without_network(tmp_path, *given)
    assert "rule download" not in output and "Fetching" not in output
    table = pd.read_csv(tmp_path / "results/tables/lncrna_table3.tsv", sep="\t")
    measured = table[table["measured"].notna() & (table["metric"] == "auroc")]
    assert {*ADAPTATIONS, "my-encoder"} <= set(measured["method"])

    for name, adaptation in ADAPTATIONS.items():
        record = json.loads(
            (tmp_path / f"resources/checkpoints/{name}/checkpoint.json").read_text()
        )
        assert record["hub"] and record["revision"]
        run = tmp_path / f"results/lncrna/easy_paper/{name}/seed1"
        summary = json.loads((run / "training.json").read_text())
        assert summary["unknown_share"] == 0
        assert summary["load"]["new"], "a classifier that no published file holds is reported"
        trainable, total = (summary["parameters"][key] for key in ("trainable", "total"))
        assert (trainable == total) == (adaptation == "full")
        assert (run / "model/adapter").is_dir() == (adaptation == "lora")
    page = (tmp_path / "results/reports/lncrna.html").read_text()
    assert "CC-BY-NC-SA-4.0, non-commercial" in page and "zhihan1996/DNABERT-2-117M" in page

    # The model directory alone predicts, with the checkpoints gone.
    own = tmp_path / "own.fa"
    own.write_text(">mine\n" + "ATGGCCAAGCTG" * 20 + "\n")
    for name in ADAPTATIONS:
        model = tmp_path / f"results/lncrna/easy_paper/{name}/seed1/model"
        moved = model.rename(tmp_path / f"moved-{name}")
        done = subprocess.run(
            [os.environ[PYTHON], "-m", "nucleotune", "predict", str(moved), str(own)],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[1].startswith("mine\t0.")


def test_non_commercial_models_can_be_left_out(folder, tmp_path):
    done = snakemake(
        tmp_path, "--dry-run", *overlay(folder, "commercial.yaml", non_commercial=False)
    )
    assert "method nt-500m-human is left out" in done.stdout
    assert "Training nt-500m-human" not in done.stdout
    assert "Training dnabert-2" in done.stdout


def test_missing_weights_are_listed_before_any_job(folder, tmp_path):
    done = snakemake(tmp_path, *overlay(folder, "nowhere.yaml", mirrors=["nowhere"]), check=False)
    assert done.returncode == 1
    path = "huggingface.co/zhihan1996/DNA_bert_3/resolve/main/pytorch_model.bin"
    assert f"from https://{path}" in done.stdout and f"to nowhere/{path}" in done.stdout
    assert not (tmp_path / "results").exists()
