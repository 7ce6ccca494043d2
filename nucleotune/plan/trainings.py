"""What trainings ask of a run: which methods are trained, what they start from and need, which of them share a job."""

from collections.abc import Container, Iterable, Mapping

from nucleotune.plan.run import SEED_OF, Run
from nucleotune.studies.lncrna.plan import pool_name

#: The longest that a job asks for because it has several trainings (minutes); partitions refuse much more, and one that
#: is cut off goes on where it was, by a retry or a rerun.
DAY = 24 * 60


def trained_methods(run: Run) -> list[str]:
    """Methods that rule `finetune` trains: all but classical ones."""
    return [name for name, method in run.methods.items() if method["kind"] != "baseline"]


def need(run: Run, method: str, key: str, attempt: int = 1) -> int:
    """What the method's file, or else its model's file, says of the resource `key`.

    Memory and time grow with each attempt.
    """
    settings = run.methods[method]
    needs = settings.get("resources") or run.models[settings["model"]]["resources"]
    return needs[key] * (attempt if key in ("mem_mb", "runtime") else 1)


def runtime_of_several(run: Run, method: str, trainings: int, attempt: int = 1) -> int:
    """Time limit of a job with `trainings` one after the other (minutes): of all, but at most a day or that of one."""
    one = need(run, method, "runtime", attempt)
    return max(one, min(one * trainings, DAY))


def members(run: Run, study: str, method: str, group: Iterable[str]) -> list[str]:
    """Data sets of a `group` of `shared_jobs` whose trainings share a job: those that the method is used on."""
    return [dataset for dataset in group if method in run.assigned[study][dataset]]


def shared_job(
    jobs: Mapping[str, Iterable[str]], study: str, dataset: str, method: str, seed: int | str
) -> str:
    """Directory of the job, one of the study's `shared_jobs`, that the training of a data set shares with others."""
    (job,) = [number for number, names in jobs.items() if dataset in names]
    return f"results/shared-jobs/{study}.{method}.seed{seed}.job{job}"


def start_model(run: Run, study: str, dataset: str, method: str, seed: int | str) -> str | None:
    """The model directory a method starts from on a data set: trained on the pool of the data set's split."""
    start = run.methods[method].get("start_from")
    if start is None:
        return None
    pool = pool_name(run.datasets[study][dataset].split)
    return SEED_OF.format(study=study, dataset=pool, method=start, seed=seed) + "/model"


def checkpoint(run: Run, method: str, published: Container[str]) -> str | None:
    """The checkpoint directory a method starts from; None for random weights or where it starts from another method.

    published: models with weights to be fetched.
    """
    settings = run.methods[method]
    if settings.get("start_from") is None and settings["model"] in published:
        return f"resources/checkpoints/{settings['model']}"
    return None


def trained_runs(run: Run, study: str) -> list[str]:
    """Directories of all trainings behind a study's tables, first stages included."""
    runs = []
    for shown in run.shown[study]:
        for method in [m for m in run.assigned[study][shown] if m not in run.baselines]:
            dataset = shown
            while method is not None:
                names = {"study": study, "dataset": dataset, "method": method}
                runs += [SEED_OF.format(**names, seed=seed) for seed in run.seeds]
                method = run.methods[method].get("start_from")
                dataset = pool_name(run.datasets[study][shown].split)
    return list(dict.fromkeys(runs))
