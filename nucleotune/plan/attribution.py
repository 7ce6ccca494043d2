"""Which trained models are explained, worked out from the configuration alone; standard library only."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nucleotune.errors import InputError


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
        InputError: a method keeps no network, reads a part of the sequences or tokens that a substitution changes in
            number, or is one on tokens and not all sequences are mutated.
    """
    for study in config["studies"]:
        settings = config[study].get("attribution", {"methods": []})
        for name in settings["methods"]:
            method, where = methods[name], f"{source}: {study}.attribution.methods: {name!r}"
            if method["kind"] == "baseline":
                raise InputError(
                    f"{where} is a baseline, which keeps no model to explain; expected methods of kind"
                    " 'language_model' or 'profile_model'"
                )
            if method.get("network") == "average":
                raise InputError(f"{where} does not look at the sequence: nothing to explain")
            if method.get("view", "transcript") != "transcript":
                raise InputError(
                    f"{where} reads a part of each sequence (view {method['view']!r}); only those that read all of it"
                    " can be explained"
                )
            if method["model"] is None:
                continue
            if models[method["model"]]["tokenizer"]["kind"] == "file":
                raise InputError(
                    f"{where}: the tokenizer of model {method['model']!r} cuts sequences of one length into different"
                    " numbers of tokens; only models of k-mers or single nucleotides can be explained"
                )
            if settings["mutagenesis"] < settings["max_sequences"]:
                raise InputError(
                    f"{where} reads tokens: its motifs are made of the effects of substitutions, so"
                    f" {study}.attribution.mutagenesis ({settings['mutagenesis']}) must be at least max_sequences"
                    f" ({settings['max_sequences']})"
                )


def attributed_runs(
    config: Mapping[str, Any],
    study: str,
    shown: Iterable[str],
    methods: Mapping[str, Iterable[str]],
    head: Callable[[str], tuple[str, ...]] = lambda dataset: ("classes",),
) -> list[tuple[str, str]]:
    """Pairs (data set, method) that are explained, data sets in the order of the tables.

    Args:
        config: validated configuration.
        study: a study of the run; one without a block `attribution` has none.
        shown: its data sets.
        methods: data set -> its methods.
        head: of a data set, kind and names of what its models predict, see `run.Run.head`.

    Raises InputError if the configuration names a data set that the run does not have, or one of a kind of labels whose
    models cannot be explained.
    """
    settings, shown = config[study].get("attribution", {"methods": []}), list(shown)
    if not settings["methods"]:
        return []
    wanted = shown if settings["datasets"] is None else settings["datasets"]
    for name in wanted:
        if name not in shown:
            raise InputError(
                f"{study}.attribution.datasets: no data set {name!r} in this run; known: {', '.join(shown)}"
            )
    pairs = [
        (dataset, method)
        for dataset in shown
        if dataset in wanted
        for method in settings["methods"]
        if method in methods[dataset]
    ]
    for dataset, method in pairs:
        task, *names = head(dataset)
        if task != "profiles" and (task != "classes" or names):
            what = f"{len(names)} classes" if task == "classes" else task
            raise InputError(
                f"{study}.attribution: {method!r} predicts {what} on data set {dataset!r}; only models of two classes"
                f" or of profiles can be explained: name others in {study}.attribution.datasets"
            )
    return pairs
