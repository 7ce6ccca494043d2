"""What the report's pages are told of a study, beside the files that they show; standard library only."""

from pathlib import Path
from typing import Any

from nucleotune.plan.run import Run, without


def part_of(run: Run, study: str) -> dict[str, Any]:
    """The configuration as far as it concerns a study: `config`, and the files of its species, methods and models."""
    others = [name for name in run.studies if name != study]
    stages = [Path(path).parts[-2] for path in run.trained_runs(study)]
    methods = [name for names in run.assigned[study].values() for name in names] + stages
    return {
        "config": without(run.config, *others) | {"studies": [study]},
        "species": {name: run.species[name] for name in run.species_of(study)},
        "methods": {name: run.methods[name] for name in dict.fromkeys(methods)},
        "models": {name: run.models[name] for name in run.models_of(study)},
    }


def sources_of(run: Run, study: str) -> list[str]:
    """Files that the data sets of a study are built from, as they were fetched or given."""
    found = (path for files in run.files[study].values() for path, _ in files.values())
    return list(dict.fromkeys(found))


def measured_jobs(run: Run, study: str) -> dict[str, list[str]]:
    """Names (`shared`: of trainings that have no job of their own) of the benchmark files that a study's jobs write.

    Without ending and, where the study is in the name, without folder. A file of another name is of another study, or
    left over from another configuration.
    """
    shared = [name for names in run.shared[study].values() for name in names]
    trained = [".".join(Path(path).parts[1:]) for path in run.trained_runs(study)]
    names = [
        f"{rule}/{name}"
        for rule in run.studies[study].species_rules
        for name in run.species_of(study)
    ]
    names += [f"checkpoint/{name}" for name in run.models_of(study)] + trained
    for dataset in run.shown[study]:
        names += [f"{study}_examples/{dataset}", f"{study}.{dataset}"]
        for method in run.assigned[study][dataset]:
            name = f"{study}.{dataset}.{method}"
            names += [name, *(f"{name}.seed{seed}" for seed in run.seeds)]
    names += [
        f"{study}.{method}.seed{seed}.job{job}"
        for job in run.shared[study]
        for method in run.language_models
        for seed in run.seeds
    ]
    return {
        "names": list(dict.fromkeys(names)),
        "shared": [name for name in trained if name.split(".")[1] in shared],
    }
