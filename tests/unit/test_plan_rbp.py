"""What the RBP study consists of, from its configuration and sheets."""

from types import SimpleNamespace

from nucleotune import plan
from nucleotune.config import load_run
from nucleotune.plan.run import Run
from nucleotune.plugins import load_collection
from nucleotune.stages import ROOT
from nucleotune.studies.rbp.plan import described_rbps, listed_rbps, rbp_datasets
from nucleotune.studies.registry import STUDIES


def shared(rbps):
    run = SimpleNamespace(
        config={"rbp": {"collections": ["rbpsuite"], "rbps": rbps}},
        collections={"rbpsuite": load_collection("rbpsuite", [ROOT / "config"])},
    )
    names = list(rbp_datasets(run))
    return names, plan.shared_jobs(names, 10, listed_rbps(run))


def test_leaving_one_out_changes_its_own_shared_job_alone():
    names, jobs = shared(None)
    assert len(names) == 154 and [len(job) for job in jobs.values()] == [10] * 15 + [4]
    without = [name.removeprefix("rbpsuite_") for name in names if name != names[13]]
    left, fewer = shared(without)
    assert len(left) == 153
    assert jobs.keys() == fewer.keys()
    assert [n for n in jobs if jobs[n] != fewer[n]] == ["1"]
    assert set(jobs["1"]) - set(fewer["1"]) == {names[13]}
    # A job of which none is left is none.
    assert list(shared([without[0], without[-1]])[1]) == ["0", "15"]


def test_datasets_of_whole_loci_are_not_the_papers():
    config = {"studies": ["rbp"], "rbp": {"collections": ["toy-peaks"], "methods": ["gc"]}}
    run = Run.of(load_run(config), STUDIES)
    assert run.collections["toy-peaks"]["split"] == "locus"
    run.collections["toy-peaks"]["comparable"] = True
    described = described_rbps(run.datasets["rbp"], run.collections)
    assert not any(one["comparable"] for one in described)
    assert all(one["note"].endswith("; no place in two parts") for one in described)
