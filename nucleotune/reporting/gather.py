"""What the report shows, read from the files of a finished run."""

import datetime
import importlib.metadata
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from markdown_it import MarkdownIt

from nucleotune import __version__
from nucleotune.config import ROOT
from nucleotune.contracts import read_metrics
from nucleotune.files import read_json
from nucleotune.reporting import lncrna
from nucleotune.reporting.figures import method_styles, training_curves, waterfall
from nucleotune.reporting.page import summarise_benchmarks

VERSIONS = ("snakemake", "torch", "transformers", "peft", "scikit-learn", "numpy", "pandas")

ASKED = (
    "Does a fine-tuned language model tell lncRNAs from mRNAs better than the classical methods it is said to"
    " beat (LoRA-BERT paper)? All methods below were trained on the same rows and judged on the same test rows."
)


def gather(inputs: Mapping[str, Sequence[str]], run: Mapping[str, Any]) -> dict[str, Any]:
    """Context of `page.render_report`.

    inputs: paths by kind: tables (HTML), figures (SVG), cards, comparisons, metrics, training (TSV
    and JSON), fits (JSON of the baselines), checkpoints (directories), deviations (Markdown).
    run: config, species, methods, models, datasets, described (methods), pools (titles),
    benchmarks (directory).
    """
    datasets, methods = run["datasets"], run["described"]
    titles = {method["name"]: method["title"] for method in methods}
    dataset_titles = {**run["pools"], **{one["name"]: one["title"] for one in datasets}}
    metrics = read_metrics(inputs["metrics"])
    cards = {Path(path).parent.name: read_json(path) for path in inputs["cards"]}
    comparisons = {
        Path(path).parent.name: pd.read_csv(path, sep="\t") for path in inputs["comparisons"]
    }
    shown = [method["title"] for method in methods]
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    trained = {name: method["title"] for name, method in run["methods"].items()}
    return {
        "title": "nucleotune: lncRNA or mRNA?",
        "asked": ASKED,
        "headlines": lncrna.headlines(metrics, comparisons, datasets, methods),
        "run": _run(run),
        "inputs": _inputs(cards),
        "models": _models(run["models"], inputs["checkpoints"]),
        "datasets": [
            {**dataset, "leakage": card["leakage"], "waterfall": _svg(waterfall, card)}
            for dataset in datasets
            for card in [cards[dataset["name"]]]
        ],
        "tables": [Path(path).read_text(encoding="utf-8") for path in inputs["tables"]],
        "comparisons": [
            {"dataset": dataset_titles[name], "table": table} for name, table in comparisons.items()
        ],
        "method_titles": titles,
        "figures": [
            {**lncrna.FIGURES[Path(path).stem], "svg": Path(path).read_text(encoding="utf-8")}
            for path in inputs["figures"]
        ],
        "training": _training(inputs["training"], dataset_titles, trained, shown, lines),
        "gates": _gates(inputs["training"], dataset_titles, trained),
        "fits": _fits(inputs["fits"], dataset_titles, trained),
        "benchmarks": _benchmarks(Path(run["benchmarks"])),
        "deviations": _markdown(inputs["deviations"][0]),
    }


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
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


def _inputs(cards: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Input files of all data sets, each once, with the address they came from."""
    files = {file["path"]: file for card in cards.values() for file in card["inputs"]}
    return [
        {
            "file": path,
            "url": read_json(meta)["url"] if (meta := Path(f"{path}.meta.json")).exists() else None,
            "bytes": file["bytes"],
            "sha256": file["sha256"],
        }
        for path, file in files.items()
    ]


def _models(
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


def _training_runs(paths: Sequence[str], suffix: str) -> list[tuple[str, str, int, Path]]:
    """(data set, method, seed, path) of results/<study>/<dataset>/<method>/seed<seed>/<file>."""
    runs = [Path(path) for path in paths if path.endswith(suffix)]
    return [(*path.parts[-4:-2], int(path.parts[-2].removeprefix("seed")), path) for path in runs]


def _training(
    paths: Sequence[str],
    dataset_titles: Mapping[str, str],
    method_titles: Mapping[str, str],
    shown: Sequence[str],
    reference: Sequence[str],
) -> str | None:
    histories: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for dataset, method, _, path in _training_runs(paths, ".tsv"):
        panel = histories.setdefault(dataset_titles[dataset], {})
        panel.setdefault(method_titles[method], []).append(pd.read_csv(path, sep="\t"))
    if not histories:
        return None
    # The methods of the other figures first, so that each keeps its colour here.
    names = dict.fromkeys([*shown, *(name for panel in histories.values() for name in panel)])
    styles = method_styles(names, reference=reference)
    return _svg(lambda value, path: training_curves(value, path, styles=styles), histories)


def _gates(
    paths: Sequence[str], dataset_titles: Mapping[str, str], method_titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "dataset": dataset_titles[dataset],
            "method": method_titles[method],
            "seed": seed,
            **read_json(path),
        }
        for dataset, method, seed, path in _training_runs(paths, ".json")
    ]


def _fits(
    paths: Sequence[str], dataset_titles: Mapping[str, str], method_titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """How each baseline was fitted: rows used of those at hand, and what was chosen."""
    result = []
    for dataset, method, seed, path in _training_runs(paths, ".json"):
        fit = read_json(path)
        chosen = [f"{key} {fit[key]}" for key in ("ngram_range", "C", "gamma") if key in fit]
        chosen += [fit["remark"]] if "remark" in fit else []
        result.append(
            {
                "dataset": dataset_titles[dataset],
                "method": method_titles[method],
                "seed": seed,
                "rows_used": fit["rows_used"],
                "rows_available": sum(fit["train_rows"].values()),
                "chosen": ", ".join(chosen),
            }
        )
    return result


def _benchmarks(folder: Path) -> list[dict[str, Any]]:
    return summarise_benchmarks((path.parent.name, path) for path in sorted(folder.glob("*/*.tsv")))


def _markdown(path: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(Path(path).read_text(encoding="utf-8"))


def _svg(draw: Any, value: Any) -> str:
    """The SVG text of a figure function that writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        draw(value, path)
        return path.read_text(encoding="utf-8")
