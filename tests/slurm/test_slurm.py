"""The workflow on a real SLURM (cluster.py): where jobs go, what they are granted, and what they survive."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cluster import Cluster, obstacle, search_path, wait_until
from conftest import ROOT, snakemake

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

MODEL = {
    "title": "Brief",
    "family": "bert",
    "tokenizer": {"kind": "kmer", "k": 3},
    "max_tokens": 160,
    "architecture": {
        "vocab_size": 69,
        "hidden_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 160,
    },
    "resources": {"threads": 1, "mem_mb": 2000, "runtime": 10, "gpu": 1},
}
#: Half a second an epoch; the state is saved about as often.
METHOD = {
    "kind": "language_model",
    "model": "brief",
    "train_splits": ["pretrain", "train"],
    "training": {
        "epochs": 16,
        "batch_size": 8,
        "learning_rate": 2e-3,
        "patience": 16,
        "save_minutes": 0.005,
    },
}
#: The same training under several names: one runs in peace, to each of the others something happens.
INTERRUPTED = ("timed-out", "cancelled", "requeued", "out-of-memory")
TRAININGS = ("unbroken", *INTERRUPTED, "stopped")


def predictions(method: str) -> str:
    return f"results/lncrna/small_gene/{method}/seed1/predictions.parquet"


def state(method: str) -> str:
    return f"results/training-state/lncrna.small_gene.{method}.seed1/state.pt"


@pytest.fixture(scope="module", autouse=True)
def gpus_in_name_only():
    """Jobs ask SLURM for GPUs, and compute on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUCLEOTUNE_DEVICE", "cpu")
        yield


@pytest.fixture(scope="module")
def cluster():
    if reason := obstacle():
        pytest.skip(f"no SLURM here: {reason}")
    cluster = Cluster(Path(f"/tmp/nucleotune-{os.getpid()}"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def overlay(tmp_path_factory):
    """Configuration of the study, with a small simulated species and a short training as plugins."""
    folder = tmp_path_factory.mktemp("overlay")
    # What the training takes at its peak lies between the first attempt's memory and the second's.
    hungry = MODEL | {"resources": MODEL["resources"] | {"mem_mb": 350}}
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
        "models/brief.yaml": MODEL,
        "models/hungry.yaml": hungry,
        **{f"methods/{name}.yaml": METHOD | {"title": name} for name in TRAININGS},
    }
    files["methods/out-of-memory.yaml"] |= {"model": "hungry"}
    lncrna = {"species": ["small"], "splits": ["gene"]}
    run = {"studies": ["lncrna"], "plugins": [str(folder)], "offline": True}
    files["study.yaml"] = run | {"lncrna": lncrna | {"methods": ["unbroken", "length"]}}
    files["trainings.yaml"] = run | {"lncrna": lncrna | {"methods": list(TRAININGS)}}
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(value))
    return folder


class Workflow:
    """Snakemake on the login node, with one of the profiles that come with the project.

    With `requeue` as profiles/README.md says for sites where jobs are preempted.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        config: Path,
        *targets: str,
        profile: str = "slurm",
        requeue: bool = False,
    ):
        self.log = folder / f"{config.stem}.{profile}.out"
        text = (ROOT / "profiles" / profile / "profile.yaml").read_text()
        assert "slurm-no-requeue: true" in text
        if requeue:
            text = text.replace("slurm-no-requeue: true", "slurm-requeue: true")
        own = folder / "profiles" / profile / "profile.yaml"
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(text)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "snakemake", *targets),
                *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)),
                *("--workflow-profile", str(own.parent)),
                *("--configfile", str(config)),
                *("--slurm-init-seconds-before-status-checks", "6"),
            ],
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=cluster.environment() | {"PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )

    def __enter__(self) -> "Workflow":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:  # a test has failed
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def interrupt(self) -> None:
        """What a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, meanwhile: Callable[[], None] = lambda: None, seconds: float = 480) -> int:
        """Its exit status; `meanwhile` is called again and again until it ends."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                pytest.fail(f"the workflow does not end:\n{self.output()}")
            meanwhile()
            time.sleep(0.1)
        return self.process.returncode

    def output(self) -> str:
        return self.log.read_text()[-6000:]


def jobs(cluster: Cluster, method: str = "") -> list[dict[str, str]]:
    """What SLURM knows of the workflow's jobs (of one training), oldest first."""
    lines = cluster.command("scontrol", "show", "job", "--details", "--oneliner").splitlines()
    found = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
    wanted = [job for job in found if f"_{method}_" in job.get("Comment", "") or not method]
    return sorted(wanted, key=lambda job: int(job["JobId"]))


def rule(job: dict[str, str]) -> str:
    return re.match(r"rule_(\w+?)_wildcards_", job["Comment"])[1]


@pytest.fixture(scope="module")
def both(cluster, overlay, tmp_path_factory):
    """Folders of the whole study by way of SLURM, and at the same time on this machine alone; SLURM's jobs."""
    folder, local = tmp_path_factory.mktemp("study"), tmp_path_factory.mktemp("local")
    with Workflow(cluster, folder, overlay / "study.yaml") as workflow:
        snakemake(local, "--configfile", str(overlay / "study.yaml"))
        assert workflow.wait() == 0, workflow.output()
    return folder, local, jobs(cluster)


@pytest.fixture(scope="module")
def study(both) -> Path:
    return both[0]


@pytest.fixture(scope="module")
def unbroken(both) -> bytes:
    """The predictions of the training that nothing happened to."""
    return (both[1] / predictions("unbroken")).read_bytes()


def test_study_by_slurm_equals_the_local_one(both):
    folder, local, _ = both
    names = [f"results/tables/lncrna_table{n}.tsv" for n in (1, 2, 3, 4, 6)]
    names += ["results/lncrna/small_gene/comparison.tsv", predictions("unbroken")]
    for name in names:
        assert (folder / name).read_bytes() == (local / name).read_bytes(), name
    for name in ("results/figures/lncrna_figure3.svg", "results/report.html"):
        assert (folder / name).stat().st_size > 10_000


def test_jobs_go_where_the_profile_says(both):
    """Computing is submitted, GPU work to the GPU partition; fetching, tables and the report stay on the login node."""
    submitted = both[2]
    assert {job["JobState"] for job in submitted} == {"COMPLETED"}
    counts = Counter(map(rule, submitted))
    once = ("lncrna_examples", "relatives", "finetune", "baseline", "compare")
    assert counts == {**dict.fromkeys(once, 1), "evaluate": 2}
    for job in submitted:
        gpu = rule(job) == "finetune"
        assert (job["Partition"], job["NodeList"]) == (("gpu", "g1") if gpu else ("cpu", "c1"))
        assert job["JOB_GRES"] == ("gpu:1" if gpu else "(null)"), "granted, not only asked for"


def exceed_time(cluster: Cluster, job: str) -> None:
    """Let a job hang until it has had its time, which is cut: SLURM looks at the limits twice a minute."""
    cluster.command("scancel", "--signal=STOP", job)
    cluster.command("scontrol", "update", f"job={job}", "EndTime=now+1")


def requeue(cluster: Cluster, job: str) -> None:
    """Send a job back to the queue, as SLURM does when a node is lost, until it waits to start again."""
    cluster.command("scontrol", "requeue", job)
    assert wait_until(lambda: cluster.command("squeue", "-hj", job, "-o%T") == "PENDING\n", 20)
    start_soon(cluster, job)


def start_soon(cluster: Cluster, job: str) -> None:
    """Spare a job that is back in the queue the wait of two minutes, but not all of it.

    A start within the second in which the node was told to end the job fails: "Job credential revoked".
    """
    cluster.command("scontrol", "update", f"job={job}", "StartTime=now+3")


@pytest.fixture(scope="module")
def interrupted(cluster, overlay, study):
    """Four trainings side by side, each interrupted in its way as soon as its state is saved, until all have ended."""
    to_do = {
        "timed-out": exceed_time,
        "cancelled": lambda cluster, job: cluster.command("scancel", job),
        "requeued": requeue,
    }
    gpus = []

    def strike() -> None:
        for method in [name for name in to_do if (study / state(name)).exists()]:
            job = jobs(cluster, method)[-1]
            gpus.append(job["GRES"])
            to_do.pop(method)(cluster, job["JobId"])

    targets = map(predictions, INTERRUPTED)
    config = overlay / "trainings.yaml"
    with Workflow(cluster, study, config, *targets, requeue=True) as workflow:
        assert workflow.wait(meanwhile=strike) == 0, workflow.output()
    assert not to_do, "a training ended before its interruption"
    return gpus


@pytest.mark.parametrize(
    "method, states",
    {
        "timed-out": ["TIMEOUT", "COMPLETED"],
        "cancelled": ["CANCELLED", "COMPLETED"],
        "requeued": ["COMPLETED"],
    }.items(),
)
def test_interrupted_training_goes_on_to_the_same_bytes(
    cluster, study, interrupted, unbroken, method, states
):
    attempts = jobs(cluster, method)
    assert [job["JobState"] for job in attempts] == states
    assert attempts[-1]["Restarts"] == ("1" if method == "requeued" else "0")
    summary = json.loads((study / predictions(method)).with_name("training.json").read_text())
    assert summary["resumed"] and summary["resumed_at_step"] > 0
    assert (study / predictions(method)).read_bytes() == unbroken
    assert not (study / state(method)).exists()


def test_training_out_of_memory_is_repeated_with_more(cluster, study, interrupted, unbroken):
    first, *_, last = jobs(cluster, "out-of-memory")
    assert (first["JobState"], first["MinMemoryNode"]) == ("FAILED", "350M")
    assert last["JobState"] == "COMPLETED" and last["MinMemoryNode"] in ("700M", "1050M")
    assert "exceeded memory limit" in Path(first["StdOut"]).read_text()
    assert (study / predictions("out-of-memory")).read_bytes() == unbroken


def test_trainings_side_by_side_have_different_gpus(interrupted):
    assert all(re.fullmatch(r"gpu:1\(IDX:\d\)", gpu) for gpu in interrupted)
    assert len(set(interrupted)) == 3


def test_gres_profile_preemption_and_ctrl_c(cluster, overlay, study):
    """A training is granted a GPU, gives it up to a job of higher rank, gets it back, and goes with its workflow."""
    target, config = predictions("stopped"), overlay / "trainings.yaml"

    def training() -> dict[str, str]:
        return jobs(cluster, "stopped")[-1]

    def becomes(state: str) -> bool:
        return wait_until(lambda: training()["JobState"] == state, 60)

    with Workflow(cluster, study, config, target, profile="slurm-gres", requeue=True) as workflow:
        assert wait_until((study / state("stopped")).exists, 240), workflow.output()
        granted = training()
        assert (granted["Partition"], granted["GRES"]) == ("gpu", "gpu:1(IDX:0)")
        assert granted["TresPerNode"] == "gres:gpu:1", "asked by --gres, not by --gpus"

        urgent = ("sbatch", "--partition=urgent", "--gpus=4", "--output=/dev/null", "--wrap=true")
        cluster.command(*urgent)
        assert becomes("PENDING"), "a preempted job goes back to the queue"
        start_soon(cluster, granted["JobId"])
        assert becomes("RUNNING")

        workflow.interrupt()
        assert workflow.wait(seconds=60) != 0
    assert wait_until(lambda: not cluster.command("squeue", "-h"), 20), "the queue is empty"
    assert training()["JobState"] == "CANCELLED"
    assert (study / state("stopped")).exists() and not (study / target).exists()


def test_cluster_with_accounting():
    """What cluster.py offers beside: slurmdbd, and with it sacct."""
    lacking = [n for n in ("slurmdbd", "mariadbd") if not shutil.which(n, path=search_path())]
    if reason := obstacle() or ", ".join(lacking):
        pytest.skip(f"no SLURM with accounting here: {reason}")
    cluster = Cluster(Path(f"/tmp/nucleotune-{os.getpid()}a"), accounting=True)
    try:
        cluster.start()
        granted = cluster.command("srun", "-pgpu", "--gpus=2", "printenv", "CUDA_VISIBLE_DEVICES")
        assert granted == "0,1\n"
        account = ("sacct", "--noheader", "--format=AllocTRES%80")
        assert wait_until(lambda: "gres/gpu=2" in cluster.command(*account), 30)
    finally:
        cluster.stop()
