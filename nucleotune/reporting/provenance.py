"""Where the numbers of a report come from: configuration, versions, input files and weights."""

import datetime
import importlib.metadata
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nucleotune import __version__
from nucleotune.files import read_json
from nucleotune.stages import ROOT

VERSIONS = ("snakemake", "torch", "transformers", "peft", "scikit-learn", "numpy", "pandas")


def describe_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Configuration, date, versions and machine; `run` holds config, species, models and methods."""
    resolved = {key: run[key] for key in ("config", "species", "models", "methods")}
    names = {"nucleotune": __version__}
    return {
        "config": yaml.safe_dump(resolved, sort_keys=False, width=100),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": names | {name: importlib.metadata.version(name) for name in VERSIONS},
        "commit": _commit(),
        "cores": os.cpu_count() or 1,
    }


def _commit() -> str | None:
    """Commit of the workflow, marked when files differ from it; None outside a git checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def describe_inputs(
    cards: Mapping[str, Mapping[str, Any]], sources: Sequence[str]
) -> list[dict[str, Any]]:
    """Files that the data sets come from, each once: fetched or own ones (`sources`), then what was made of them.

    Returns {"file", "bytes", "sha256", "origin"}; no card holds the sum of the user's own genome, which is None.
    """
    own = {file["path"]: file for card in cards.values() for file in card["inputs"]}
    rows = []
    for path in sources:
        meta = Path(f"{path}.meta.json")
        if meta.exists():
            found = read_json(meta)
            origin = "simulated" if found["from"] == "simulation" else found["url"]
            rows.append((path, found["size"], found["sha256"], origin))
        elif path in own:
            rows.append((path, own[path]["bytes"], own[path]["sha256"], "local file"))
        elif Path(path).exists():
            rows.append((path, Path(path).stat().st_size, None, "local file"))
    rows += [
        (path, file["bytes"], file["sha256"], "made of the files above")
        for path, file in own.items()
        if path not in sources
    ]
    return [dict(zip(("file", "bytes", "sha256", "origin"), row, strict=True)) for row in rows]


def describe_models(
    models: Mapping[str, Mapping[str, Any]], checkpoints: Sequence[str]
) -> list[dict[str, Any]]:
    """Where each model's weights come from, and under which licence."""
    records = {Path(path).name: read_json(Path(path) / "checkpoint.json") for path in checkpoints}
    result = []
    for name, model in models.items():
        weights = "random, none are published"
        if name in records:
            one = records[name]
            revision = one["commit"] or one["revision"]
            weights = f"{one['hub']}, revision {revision}" if one["hub"] else one["path"]
        licence = (
            f"{model['licence']}, non-commercial" if model["non_commercial"] else model["licence"]
        )
        result.append(
            {
                "title": model["title"],
                "weights": weights,
                "licence": licence,
                "note": model["note"],
            }
        )
    return result
