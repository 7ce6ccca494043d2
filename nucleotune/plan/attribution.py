"""Which trained models are explained, worked out from the configuration alone; standard library only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nucleotune.errors import InputError, did_you_mean
from nucleotune.names import as_directories

#: Baselines whose score no substitution changes.
_BLIND = ("majority", "length", "biotype")


class Explanation(NamedTuple):
    """What is explained: the model of a method on a data set, and `part`, which of its outputs (`targets_of`)."""

    dataset: str
    method: str
    part: str


def check_attribution(
    config: Mapping[str, Any],
    methods: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, Mapping[str, Any]],
    source: str,
) -> None:
    """Check that the methods named for attribution can be explained, before they are trained.

    Args:
        config: validated configuration.
        methods: name -> validated file.
        models: likewise.
        source: of the configuration, for messages.

    Raises:
        InputError: a method keeps no model, does not look at the sequence or reads a part of it alone, or is explained
            by substitutions, or its motifs are, and not all sequences are mutated.
    """
    for study in config["studies"]:
        settings = config[study].get("attribution", {"methods": []})
        for name in settings["methods"]:
            method, where = methods[name], f"{source}: {study}.attribution.methods: {name!r}"
            if method.get("mode") == "original":
                raise InputError(
                    f"{where} is a tool as it is installed (mode: original), which keeps no model to explain"
                )
            if method.get("network") == "average" or method.get("baseline") in _BLIND:
                raise InputError(f"{where} does not look at the sequence: nothing to explain")
            if method.get("view", "transcript") != "transcript":
                raise InputError(
                    f"{where} reads a part of each sequence (view {method['view']!r}); only those that read all of it"
                    " can be explained"
                )
            by_gradients = method["kind"] == "profile_model" and method["model"] is None
            if not by_gradients and settings["mutagenesis"] < settings["max_sequences"]:
                raise InputError(
                    f"{where}: its motifs are made of the effects of substitutions, so"
                    f" {study}.attribution.mutagenesis ({settings['mutagenesis']}) must be at least max_sequences"
                    f" ({settings['max_sequences']})"
                )


def targets_of(task: str, names: Sequence[str], settings: Mapping[str, Any]) -> dict[str, str]:
    """What is explained of a data set's models: `part`, which follows `attribution` in paths -> name of the target.

    Of two classes the second; of more classes, of labels and numbers each, as far as `settings["targets"]` names it.
    Where a data set has several, each has a directory ("/donor"). Of profiles what `settings["target"]` says.
    """
    if task == "profiles":
        return {"": settings["target"]}
    if len(names) == (2 if task == "classes" else 1):
        found = {"": names[-1]}
    else:
        found = {f"/{directory}": name for directory, name in as_directories(names).items()}
    wanted = settings["targets"]
    return {part: name for part, name in found.items() if wanted is None or name in wanted}


def attributed_runs(
    config: Mapping[str, Any],
    study: str,
    shown: Iterable[str],
    aside: Iterable[str],
    methods: Mapping[str, Iterable[str]],
    kind: Callable[[str], tuple[str, Sequence[str]]],
) -> list[Explanation]:
    """All that is explained, data sets in the order of the tables.

    Args:
        config: validated configuration.
        study: a study of the run; one without a block `attribution` has none.
        shown: its data sets.
        aside: those of them that are explained only where the configuration names them.
        methods: data set -> its methods.
        kind: of a data set, kind of its labels and names of its classes, labels or numbers.

    Raises InputError if the configuration names a data set or a target that the run does not have.
    """
    settings, shown = config[study].get("attribution", {"methods": []}), list(shown)
    if not settings["methods"]:
        return []
    wanted = settings["datasets"]
    if wanted is None:
        wanted = [name for name in shown if name not in aside]
    for name in wanted:
        if name not in shown:
            raise InputError(
                f"{study}.attribution.datasets: no data set {name!r} in this run; known: {', '.join(shown)}"
            )
    datasets = [name for name in shown if name in wanted]
    every = settings | {"targets": None}
    known = {name for dataset in datasets for name in targets_of(*kind(dataset), every).values()}
    for name in settings.get("targets") or ():
        if name not in known:
            hint = did_you_mean(name, sorted(known), f"expected {', '.join(sorted(known))}")
            raise InputError(
                f"{study}.attribution.targets: no {name!r} on data sets {', '.join(datasets)}; {hint}"
            )
    return [
        Explanation(dataset, method, part)
        for dataset in datasets
        for method in settings["methods"]
        if method in methods[dataset]
        for part in targets_of(*kind(dataset), settings)
    ]
