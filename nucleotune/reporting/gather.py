"""What the report shows, read from the files of a finished run."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from nucleotune.contracts import read_metrics
from nucleotune.files import read_json
from nucleotune.frames import read_tsv
from nucleotune.reporting.answer import answer
from nucleotune.reporting.deviations import deviations
from nucleotune.reporting.facts import read_cards, tables
from nucleotune.reporting.figures import method_styles, training_curves, waterfall
from nucleotune.reporting.leaks import leaks, noted
from nucleotune.reporting.page import summarise_benchmarks
from nucleotune.reporting.pretraining import pretraining
from nucleotune.reporting.provenance import describe_inputs, describe_models, describe_run
from nucleotune.reporting.sampled import sampled
from nucleotune.reporting.texts import read_texts

#: Data sets that a page describes one by one; of more, each has its files under results/.
MOST = 12

#: Data sets side by side in a figure of training curves.
PANELS = 3


def gather_study(
    study: str,
    inputs: Mapping[str, Sequence[str]],
    run: Mapping[str, Any],
    described: Mapping[str, Any],
    *,
    sources: Sequence[str],
    jobs: Mapping[str, Sequence[str]],
    benchmarks: str,
) -> dict[str, Any]:
    """Context of `page.render_study`.

    inputs: paths by kind: tables (HTML), figures (SVG), cards, relatives (JSON), facts (further
    ones of cards, by data set), comparisons, metrics, training (TSV and JSON), fits (JSON of the baselines),
    checkpoints (directories), deviations (Markdown).
    run: config, species, methods, models of the study. described: what its rule file says of
    datasets, methods, and pools (titles). sources: files that the data come from. jobs: names of
    the benchmark files of the study's jobs, and of trainings without their own job (shared);
    benchmarks: their directory.
    """
    texts, methods = read_texts(study), described["methods"]
    titled = texts.page_titles(described["datasets"])
    datasets = [{**one, "title": titled[one["name"]]} for one in described["datasets"]]
    titles = {method["name"]: method["title"] for method in methods}
    dataset_titles = {**described["pools"], **titled}
    # Data sets that tables and figures tell of together, such as shares of one's training rows.
    aside = {one["name"] for one in datasets if one.get("aside")}
    apart = [one for one in datasets if one["name"] not in aside]
    metrics = read_metrics(inputs["metrics"])
    cards = read_cards(inputs["cards"], inputs["relatives"])
    for path in inputs["facts"]:
        cards = {name: card | read_json(path).get(name, {}) for name, card in cards.items()}
    comparisons = {Path(path).parent.name: read_tsv(path) for path in inputs["comparisons"]}
    shown = [method["title"] for method in methods]
    lines = [method["title"] for method in methods if method["kind"] == "reference"]
    trained = {name: method["title"] for name, method in run["methods"].items()}
    headlines = texts.headlines(metrics, comparisons, datasets, methods, run["config"]["bootstrap"])
    said = answer([one.pop("contest") for one in headlines])
    # What has no steps has no curve.
    probes = [name for name, one in run["methods"].items() if one.get("adaptation") == "probe"]
    return {
        "study": study,
        "title": texts.title,
        "asked": texts.asked,
        "answer": f"{said} {pretraining(comparisons, apart, methods)}".strip(),
        "headlines": headlines,
        "not_run": _not_run(metrics, dataset_titles, titles),
        "run": describe_run(run),
        "inputs": describe_inputs(cards, sources),
        "models": describe_models(run["models"], inputs["checkpoints"]),
        "rows": texts.rows,
        "datasets": [
            _dataset(one, cards[one["name"]], metrics.get(one["name"], {}), texts.rows, titles)
            for one in noted(apart[:MOST], cards)
        ],
        "further": max(0, len(apart) - MOST),
        "tables": [Path(path).read_text(encoding="utf-8") for path in inputs["tables"]],
        "comparisons": [
            {"dataset": dataset_titles[name], "table": table}
            for name, table in [pair for pair in comparisons.items() if pair[0] not in aside][:MOST]
        ],
        "compared": texts.compared,
        "method_titles": titles,
        "figures": [
            {**texts.figures[Path(path).stem], "svg": Path(path).read_text(encoding="utf-8")}
            for path in inputs["figures"]
        ],
        "training": _training(
            [
                path
                for path in _of_first(inputs["training"], datasets)
                if Path(path).parts[-3] not in probes
            ],
            *(dataset_titles, trained, shown, lines),
        ),
        "gates": _gates(inputs["training"], dataset_titles, trained),
        "fits": _fits(_of_first(inputs["fits"], datasets), dataset_titles, trained),
        "benchmarks": _benchmarks(benchmarks, [jobs]),
        "deviations": deviations(Path(inputs["deviations"][0]).read_text(encoding="utf-8"), study),
    }


def gather_overview(
    findings: Sequence[str],
    checkpoints: Sequence[str],
    run: Mapping[str, Any],
    *,
    jobs: Sequence[Mapping[str, Sequence[str]]],
    benchmarks: str,
) -> dict[str, Any]:
    """Context of `page.render_overview`.

    findings: one file per study, the first keys of `gather_study`'s context. run, jobs, benchmarks:
    as there, of the whole run, jobs one per study.
    """
    return {
        "studies": [read_json(path) for path in findings],
        "run": describe_run(run),
        "models": describe_models(run["models"], checkpoints),
        "benchmarks": _benchmarks(benchmarks, jobs),
    }


def _dataset(
    described: Mapping[str, Any],
    card: Mapping[str, Any],
    measured: Mapping[str, Mapping[str, Any]],
    rows: str,
    titles: Mapping[str, str],
) -> dict[str, Any]:
    said = [f"Not all were used: {text}." for text in sampled(card)]
    return {
        "title": described["title"],
        "note": described["note"],
        "leaks": [*said, *leaks(card, rows, measured.values())],
        "tables": tables(card, titles, beside_paper=described["published_as"] is not None),
        "waterfall": _svg(partial(waterfall, rows=rows), card),
    }


def _not_run(
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]],
    dataset_titles: Mapping[str, str],
    method_titles: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Methods that could not run, each reason once with the data sets that it holds for."""
    found: dict[tuple[str, str], list[str]] = {}
    for dataset, methods in metrics.items():
        for method, content in methods.items():
            if "not_run" in content:
                places = found.setdefault((method_titles[method], content["not_run"]), [])
                places.append(dataset_titles[dataset])
    return [
        {"method": method, "reason": reason, "datasets": places}
        for (method, reason), places in found.items()
    ]


def _of_first(paths: Sequence[str], datasets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Files of the data sets that are shown one by one, and of pools."""
    left_out = {one["name"] for one in datasets[MOST:]}
    return [path for path in paths if Path(path).parts[-4] not in left_out]


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
) -> list[str]:
    """Training curves, PANELS data sets a figure."""
    histories: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for dataset, method, _, path in _training_runs(paths, ".tsv"):
        panel = histories.setdefault(dataset_titles[dataset], {})
        panel.setdefault(method_titles[method], []).append(read_tsv(path))
    # The methods of the other figures first, so that each keeps its colour here.
    names = dict.fromkeys([*shown, *(name for panel in histories.values() for name in panel)])
    draw = partial(training_curves, styles=method_styles(names, reference=reference))
    panels = list(histories.items())
    parts = [dict(panels[i : i + PANELS]) for i in range(0, len(panels), PANELS)]
    return [_svg(draw, part) for part in parts]


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
    """How each baseline was fitted: rows used of those available, and what was chosen."""
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


def _benchmarks(
    folder: str, studies: Sequence[Mapping[str, Sequence[str]]]
) -> list[dict[str, Any]]:
    """Run time and memory of the jobs named, without files that another configuration left behind."""
    names = {name for jobs in studies for name in jobs["names"]}
    shared = {name for jobs in studies for name in jobs["shared"]}
    found = [(path.parent.name, path) for path in sorted(Path(folder).glob("*/*.tsv"))]
    return summarise_benchmarks(
        (rule, path)
        for rule, path in found
        if {path.stem, f"{rule}/{path.stem}"} & names
        and not (rule == "finetune" and path.stem in shared)
    )


def _svg(draw: Any, value: Any) -> str:
    """The SVG text of a figure function that writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        draw(value, path)
        return path.read_text(encoding="utf-8")
