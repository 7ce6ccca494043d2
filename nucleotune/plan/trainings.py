"""What trainings ask of a run: which methods are trained, what they start from and need, which of them share a job."""

from collections.abc import Iterable

from nucleotune.plan import pool_name
from nucleotune.plan.run import SEED_OF, Run

#: The longest that a job asks for because it has several trainings (minutes); partitions refuse much more, and one that
#: is cut off goes on where it was, by a retry or a rerun.
DAY = 24 * 60


def need(run: Run, method: str, key: str, attempt: int = 1) -> int:
    """What the method's file, or else its model's file, says of the resource `key`; 0 of GPUs of a baseline.

    Memory and time grow with each attempt.
    """
    settings = run.methods[method]
    needs = settings.get("resources") or run.models[settings["model"]]["resources"]
    return needs.get(key, 0) * (attempt if key in ("mem_mb", "runtime") else 1)


def runtime_of_several(run: Run, method: str, trainings: int, attempt: int = 1) -> int:
    """Time limit of a job with `trainings` one after the other (minutes): of all, but at most a day or that of one."""
    one = need(run, method, "runtime", attempt)
    return max(one, min(one * trainings, DAY))


def members(run: Run, study: str, method: str, job: str) -> list[str]:
    """Data sets whose trainings share a job: those of its group that the method is used on."""
    return [name for name in run.shared[study][job] if method in run.assigned[study][name]]


def shared_job(run: Run, study: str, dataset: str, method: str, seed: int | str) -> str:
    """Directory of the job that the training of a data set shares with others."""
    (job,) = [number for number, names in run.shared[study].items() if dataset in names]
    return f"results/shared-jobs/{study}.{method}.seed{seed}.job{job}"


def start_model(run: Run, study: str, dataset: str, method: str, seed: int | str) -> str | None:
    """The model directory a method starts from on a data set: trained on the pool of the data set's split."""
    start = run.methods[method].get("start_from")
    if start is None:
        return None
    pool = pool_name(run.datasets[study][dataset].split)
    return SEED_OF.format(study=study, dataset=pool, method=start, seed=seed) + "/model"


def start_models(
    run: Run, study: str, datasets: Iterable[str], method: str, seed: int | str
) -> list[str]:
    """`start_model` of several data sets; none where the method starts from no other."""
    found = [start_model(run, study, dataset, method, seed) for dataset in datasets]
    return [path for path in found if path]


def checkpoint(run: Run, method: str) -> str | None:
    """The checkpoint directory a method starts from; None for random weights or where it starts from another method."""
    settings = run.methods[method]
    if settings.get("start_from") is None and settings["model"] in run.checkpoints:
        return f"resources/checkpoints/{settings['model']}"
    return None
