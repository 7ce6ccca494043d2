"""Which trained models are explained, worked out from the configuration alone; standard library only."""

from collections.abc import Iterable, Mapping
from typing import Any

from nucleotune.errors import InputError


def attributed_runs(
    config: Mapping[str, Any],
    study: str,
    shown: Iterable[str],
    methods: Mapping[str, Iterable[str]],
) -> list[tuple[str, str]]:
    """Pairs (data set, method) that are explained, data sets in the order of the tables.

    Args:
        config: validated configuration.
        study: a study of the run; one without a block `attribution` has none.
        shown: its data sets.
        methods: data set -> its methods.

    Raises InputError if the configuration names a data set that the run does not have.
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
    return [
        (dataset, method)
        for dataset in shown
        if dataset in wanted
        for method in settings["methods"]
        if method in methods[dataset]
    ]
