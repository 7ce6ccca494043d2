"""What is asked of what methods read of their sequences, worked out from the configuration alone."""

from collections.abc import Iterable
from typing import Any

from nucleotune.plan.run import Run

#: Keys of a language model's method that say what its model reads.
KEYS = ("title", "kind", "model", "max_tokens", "view", "truncation")
KEYS += ("long", "window_overlap", "window_pooling")


def readers(run: Run, study: str, datasets: Iterable[str]) -> dict[str, Any]:
    """Parameters of a rule that counts what methods read of some data sets of a study, see `studies.reading`.

    methods      data set -> name -> language model as far as it decides what is read; of a classical method `longest`
                 (nt), None where it reads all of a sequence
    models       name -> model file as far as results depend on it
    checkpoints  name -> directory, of those with published weights
    """
    methods = {
        dataset: {name: _reader(run, name) for name in run.assigned[study][dataset]}
        for dataset in datasets
    }
    models = {
        one["model"] for found in methods.values() for one in found.values() if "model" in one
    }
    return {
        "datasets": list(methods),
        "methods": methods,
        "models": {name: run.computed("models", name) for name in sorted(models)},
        "checkpoints": run.checkpoint_paths(study),
    }


def _reader(run: Run, name: str) -> dict[str, Any]:
    method = run.computed("methods", name)
    if method["kind"] == "language_model":
        return {key: method[key] for key in KEYS if key in method}
    # The one setting of a classical method that cuts sequences.
    return {"longest": method.get(method["baseline"], {}).get("max_length")}
