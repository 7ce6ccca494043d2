"""The report: HTML pages that hold everything they show, one per study and one that leads to them."""

import base64
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from nucleotune.errors import InputError
from nucleotune.evaluation.titles import ALL_METRICS, LESS_IS_BETTER
from nucleotune.frames import read_tsv
from nucleotune.reporting.answer import verdict
from nucleotune.reporting.facts import share
from nucleotune.reporting.tables import environment

logger = logging.getLogger(__name__)

#: What the page shows of a training, and under which heading; a dot leads into a nested object.
GATES = {
    "dataset": "Data set",
    "method": "Method",
    "seed": "Seed",
    "unknown_share": "Unknown tokens",
    "truncated.share": "Truncated sequences",
    "truncated.side": "Truncated at",
    "padding_share": "Padding",
    "parameters.total": "Parameters",
    "parameters.trainable": "Trained parameters",
    "steps": "Steps",
    "best_step": "Best step",
    "stopped_early": "Stopped early",
    "collapsed": "Collapsed",
    "examples_per_second": "Examples/s",
    "seconds": "Training time",
    "device": "Device",
    "gpu.name": "GPU",
    "precision": "Precision",
    "resumed": "Resumed",
}


def render_study(context: Mapping[str, Any]) -> str:
    """The page of a study; everything but the marked fragments is escaped.

    `context` holds, all needed, lists possibly empty:

    title         str
    asked         str, what the study asked, one or two sentences
    answer        str, the answer in one sentence (`answer.answer`), and what pre-training is worth, if that was asked
                  (`pretraining.pretraining`)
    headlines     list of dicts as `headlines.headlines` returns them
    not_run       list of {"method", "reason", "datasets"}: titles, and why the method is missing
    run           {"config" (YAML), "date"}: str; "versions": {package: version};
                  "commit": str or None; "cores": int
    inputs        list of {"file", "origin" (an address or where else from), "bytes", "sha256"}
    models        list of {"title", "weights" (where from), "licence", "note"}
    rows          str, what examples are ("transcripts")
    datasets      list of {"title", "note", "leaks", "tables", "waterfall"}: leaks and tables as
                  `facts.leaks` and `facts.tables` return them, waterfall SVG text
    further       how many data sets are not among these, for want of room
    tables        list of HTML fragments written by `tables.write_table`, taken as they are
    compared      str, what the comparisons are
    comparisons   list of {"dataset": title, "table": DataFrame of comparison.tsv}
    method_titles {method name: title}, for the comparisons
    figures       list of {"title", "caption", "svg"}: svg is the figure's text
    training      list of SVG texts of training curves
    gates         list of dicts, the content of training.json and "dataset", "method", "seed"
    fits          list of {"dataset", "method", "seed", "rows_used", "rows_available", "chosen"}, of
                  the baselines; chosen is a sentence on settings
    benchmarks    list of dicts as `summarise_benchmarks` returns them
    deviations    HTML, taken as it is; empty where the study has no paper
    """
    values = dict(context)
    values["tables"] = [Markup(fragment) for fragment in context["tables"]]
    values["deviations"] = Markup(context["deviations"])
    values["gate_headings"] = list(GATES.values())
    values["gates"] = [_gate_row(gate) for gate in context["gates"]]
    values["comparisons"] = [
        {
            "dataset": one["dataset"],
            "metrics": _compared(one["table"]),
            "rows": _titled(one["table"], context["method_titles"]),
        }
        for one in context["comparisons"]
    ]
    return environment.get_template("study.html.j2").render(values)


def render_overview(context: Mapping[str, Any]) -> str:
    """The page that leads to those of the studies; everything is escaped.

    `context` holds studies, a list of {"study" (name), "title", "asked", "headlines", "not_run"}, and run, models and
    benchmarks as of `render_study`.
    """
    return environment.get_template("overview.html.j2").render(context)


def summarise_benchmarks(files: Iterable[tuple[str, str | Path]]) -> list[dict[str, Any]]:
    """Run time and memory per rule, longest first.

    `files` are pairs of rule name and Snakemake benchmark TSV. Returns {"rule", "jobs", "total_s",
    "longest_s", "peak_mb"}; `peak_mb` is None when no job lived long enough to be measured. Of a
    job run several times the mean time and the highest memory count. A file that is empty or damaged, as a full disk
    leaves it, is passed over with a warning: no result rests on it.
    """
    jobs = defaultdict(list)
    for rule, path in files:
        try:
            table = read_tsv(path, na_values=["", "-", "NA"])[["s", "max_rss"]]
        except (InputError, KeyError) as error:
            logger.warning("benchmark left out: %s", error)
            continue
        seconds = pd.to_numeric(table["s"], errors="coerce").mean()
        jobs[rule].append((seconds, pd.to_numeric(table["max_rss"], errors="coerce").max()))
    summaries = []
    for rule, measured in jobs.items():
        seconds, memory = (pd.Series(values, dtype=float) for values in zip(*measured, strict=True))
        summaries.append(
            {
                "rule": rule,
                "jobs": len(measured),
                "total_s": float(seconds.sum()),
                "longest_s": float(seconds.max()),
                "peak_mb": None if memory.isna().all() else float(memory.max()),
            }
        )
    return sorted(summaries, key=lambda summary: (-summary["total_s"], summary["rule"]))


def _compared(comparison: pd.DataFrame) -> list[dict[str, str]]:
    """Metrics of a comparison: title, and the columns of difference, interval and p; the main one comes first."""
    names = [c.removeprefix("delta_") for c in comparison if c.startswith("delta_")]
    prefixes = ["", *(f"{name}_" for name in names[1:])]
    columns = ("ci_low", "ci_high", "p")
    return [
        {
            "title": ALL_METRICS.get(name, name),
            "delta": f"delta_{name}",
            **{column: prefix + column for column in columns},
        }
        for name, prefix in zip(names, prefixes, strict=True)
    ]


def _titled(comparison: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    named = {column: comparison[column].map(titles) for column in ("method", "against")}
    return comparison.assign(**named).to_dict("records")


def _gate_row(gate: Mapping[str, Any]) -> list[str]:
    """One training in the order of GATES; what its training.json does not hold is a dash."""
    row = []
    for address in GATES:
        value: Any = gate
        for key in address.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        row.append(_gate(address, value))
    return row


def _image(svg: str) -> str:
    """An SVG as a data address, so that no name inside clashes with one in another figure."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _megabytes(value: float | None) -> str:
    if value is None:
        return "too short to measure"
    return f"{value / 1024:.1f} GB" if value >= 1024 else f"{value:.0f} MB"


def _verdict(headline: Mapping[str, Any]) -> str:
    main = headline.get("main", "auroc")
    difference = headline[f"delta_{main}"] * (-1 if main in LESS_IS_BETTER else 1)
    return verdict(difference, headline["p_holm"], headline["collapsed"])


def _p(value: float) -> str:
    if value != value:
        return "\u2013"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _gate(address: str, value: Any) -> str:
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or address == "seed":
        return str(value)
    if address.endswith("share"):
        return share(value)
    if address == "seconds":
        return _duration(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


environment.filters.update(
    image=_image,
    duration=_duration,
    megabytes=_megabytes,
    p=_p,
    verdict=_verdict,
)
