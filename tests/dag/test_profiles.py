"""Jobs that want a GPU are sent to one, for a time that a partition grants."""

import re

import pytest
import yaml
from conftest import ROOT, snakemake

RUN = """\
studies: [lncrna, promoters, rbp, polya, task]
offline: false
lncrna: {species: [human, mouse], splits: [paper, gene], methods: [lora-bert-orf, length], per_job: 4}
promoters: {species: [human-110], tasks: [task3], lengths: [300], splits: [random], methods: [promoters-dnabert-3, gc]}
task:
  tasks: [toy-classes, other-classes]
  methods: [dnabert-3, gc]
  cross: true
  attribution: {methods: [dnabert-3, gc]}
rbp:
  collections: [rbpsuite]
  rbps: [AARS]
  methods: [bert-rbp-3, gc]
  attention: {method: bert-rbp-3, structure_rbps: [AARS]}
polya:
  species: [yeast]
  methods: [specieslm-lora, average-profile]
  attribution: {methods: [specieslm-lora], max_sequences: 100, mutagenesis: 100}
  tune: {trials: 30, space: {specieslm-lora: {training.learning_rate: {low: 1.0e-5, high: 1.0e-3, log: true}}}}
"""

#: The workflow without its messages, in whose place Snakemake shows what jobs ask for.
PLAIN = f"""\
include: "{ROOT}/Snakefile"


for one in workflow.rules:
    one.message = None
"""


def rules_with_gpu():
    """Names of the rules that have a resource `gpu`, read from the rule files."""
    names = set()
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        for name, body in re.findall(r"^\s*rule (\w+):\n(.*?)(?=^\s*rule |\Z)", text, re.S | re.M):
            if re.search(r"^\s+gpu=", body, re.M):
                names.add(name)
    return names


@pytest.mark.parametrize("profile", ["slurm", "slurm-gres"])
def test_every_rule_that_can_ask_for_a_gpu_has_its_place_in_the_profile(profile):
    path = ROOT / "profiles" / profile / "profile.yaml"
    places = yaml.safe_load(path.read_text())["set-resources"]
    assert set(places) == rules_with_gpu()
    keys = {"slurm_partition", "gpu", "gres"} if profile == "slurm-gres" else {"slurm_partition"}
    for name, resources in places.items():
        assert set(resources) == keys, name
        # Both together are refused by sites that grant GPUs by gres alone.
        assert profile == "slurm" or (resources["gpu"], resources["gres"]) == (0, "gpu:1"), name


def test_gpu_jobs_go_to_gpus_for_a_day_at_most(tmp_path):
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "Snakefile").write_text(PLAIN)
    (tmp_path / "tasks").mkdir()
    task = (ROOT / "config/tasks/toy-classes.yaml").read_text()
    (tmp_path / "tasks/other-classes.yaml").write_text(task.replace("Toy", "Other"))
    (tmp_path / "rbpsuite").mkdir()
    (tmp_path / "rbpsuite/sequences.txt").touch()
    overlay = ["--configfile", str(tmp_path / "run.yaml"), "--config", f"data_dir={tmp_path}"]
    overlay.append(f"plugins=['{tmp_path}']")
    profile = ["--workflow-profile", str(ROOT / "profiles/slurm-gres"), "--dry-run"]
    plain = ["--snakefile", str(tmp_path / "Snakefile")]
    done = snakemake(tmp_path, "all", "tune", *plain, *overlay, *profile)
    jobs = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)", done.stdout, re.M)
    asked = {name: dict(pair.split("=") for pair in text.split(", ")) for name, text in jobs}
    assert rules_with_gpu() | {"attribute_baseline", "cross_tests_baseline"} <= set(asked)
    for name, resources in asked.items():
        on_gpu = name in rules_with_gpu()
        assert resources.get("gres") == ("gpu:1" if on_gpu else None), name
        assert resources.get("slurm_partition") == ("gpu" if on_gpu else None), name
        assert int(resources["runtime"]) <= 24 * 60, name
    # Four trainings of 12 hours, and 30 trials.
    assert asked["finetune_shared"]["runtime"] == asked["tune_profile"]["runtime"] == "1440"
