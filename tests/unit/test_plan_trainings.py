"""What trainings ask of a run: what they start from and need, and which share a job."""

import pytest

from nucleotune.config import load_run
from nucleotune.plan import trainings
from nucleotune.plan.run import Run
from nucleotune.stages import ROOT
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml


@pytest.fixture(scope="module")
def demo():
    return Run.of(load_run(read_yaml(ROOT / "config/demo.yaml")), STUDIES)


def test_all_but_classical_methods_are_trained(demo):
    trained = demo.trained
    assert {"lora-bert-tiny", "bpnet-tiny", "average-profile"} <= set(trained)
    assert set(trained) | set(demo.baselines) == set(demo.methods)
    assert not set(trained) & set(demo.baselines)


def test_needs_are_those_of_the_method_or_else_of_its_model(demo):
    model = demo.models[demo.methods["lora-bert-tiny"]["model"]]["resources"]
    profile = demo.methods["bpnet-tiny"]["resources"]
    for method, own in (("lora-bert-tiny", model), ("bpnet-tiny", profile)):
        for key, value in own.items():
            grown = 3 if key in ("mem_mb", "runtime") else 1
            assert trainings.need(demo, method, key) == value
            assert trainings.need(demo, method, key, attempt=3) == value * grown


def test_time_of_several_trainings_is_at_most_a_day_or_that_of_one(demo, monkeypatch):
    needs = demo.methods["bpnet-tiny"]["resources"]
    for one, several, expected in ((30, 4, 120), (600, 4, 24 * 60), (3000, 4, 3000)):
        monkeypatch.setitem(needs, "runtime", one)
        assert trainings.runtime_of_several(demo, "bpnet-tiny", several) == expected


def test_jobs_are_shared_by_data_sets_that_the_method_is_used_on(demo):
    jobs, methods = demo.shared["promoters"], demo.assigned["promoters"]
    (job, group), *_ = jobs.items()
    for method in ("dnabert-6-tiny", "dnabert-6-tiny-left"):
        members = trainings.members(demo, "promoters", method, job)
        assert members == [name for name in group if method in methods[name]]
    shared = trainings.shared_job(demo, "promoters", group[-1], method, 2)
    assert shared == f"results/shared-jobs/promoters.{method}.seed2.job{job}"


def test_what_trainings_start_from(demo):
    dataset = demo.shown["lncrna"][0]
    first = demo.methods["lora-bert-tiny"]["start_from"]
    pool = f"pooled_{demo.datasets['lncrna'][dataset].split}"
    start = trainings.start_model(demo, "lncrna", dataset, "lora-bert-tiny", 1)
    assert start == f"results/lncrna/{pool}/{first}/seed1/model"
    assert trainings.start_model(demo, "lncrna", pool, first, 1) is None
    yeast = demo.shown["polya"][0]
    assert trainings.start_model(demo, "polya", yeast, "bpnet-tiny", 1) is None

    published = "dnabert-6-tiny"
    model = demo.methods[published]["model"]
    assert trainings.checkpoint(demo, published) == f"resources/checkpoints/{model}"
    assert trainings.checkpoint(demo, "bpnet-tiny") is None, "no encoder"
    assert trainings.checkpoint(demo, "lora-bert-tiny") is None, "from another method"
