"""The text of `snakemake plan`: jobs, trainings, hours and storage of a configuration, and what the numbers rest on."""

from collections import Counter
from collections.abc import Callable, Sequence

from nucleotune.estimate import Estimate, Expected

#: Kind of storage -> where it is.
PLACES = {
    "downloads": "resources/downloads",
    "published models": "resources/checkpoints",
    "examples": "results/<study>/<dataset>/examples.parquet",
    "trained models": "results/.../seed<seed>/model",
    "predictions": "results/.../predictions.parquet",
    "logs, metrics, tables": "logs, results",
}


def render_plan(estimate: Estimate, free: int) -> str:
    """The whole text. free: bytes free on the disk of the working directory."""
    config = estimate.run["config"]
    parts = [
        "What this configuration would run; nothing has been started.\n"
        f"Studies: {', '.join(config['studies'])}; seeds: {', '.join(map(str, config['seeds']))}",
        _jobs(estimate.jobs),
        _trainings(estimate),
        _hours(estimate),
        _storage(estimate, free),
        _grounds(estimate),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _jobs(jobs: Sequence[Expected]) -> str:
    every = Counter(one.job.rule for one in jobs)
    pending = Counter(one.job.rule for one in jobs if one.job.pending)
    rows = [(rule, f"{pending[rule]:,}", f"{n:,}") for rule, n in sorted(every.items())]
    rows.append(("total", f"{pending.total():,}", f"{every.total():,}"))
    return _table(("Jobs", "to run", "all"), rows)


def _trainings(estimate: Estimate) -> str:
    if not estimate.trainings:
        return "Trainings: none"
    groups: dict[tuple[str, str], list[Expected]] = {}
    for one in estimate.trainings:
        groups.setdefault((one.study, one.method), []).append(one)
    rows, late = [], []
    for (study, method), runs in groups.items():
        model = runs[0].model or "-"
        longest = max(runs, key=lambda one: one.hours)
        needs, file = estimate.run["methods"][method].get("resources"), f"methods/{method}.yaml"
        if not needs:
            needs, file = estimate.run["models"][model]["resources"], f"models/{model}.yaml"
        limit = needs["runtime"] / 60
        pending = [one for one in runs if one.job.pending]
        rows.append(
            (
                *(study, method, model or "-", f"{len(pending):,}", f"{len(runs):,}"),
                *(_h(sum(one.gpu_hours for one in pending)), _h(longest.hours), _h(limit)),
                longest.dataset,
            )
        )
        if longest.hours > limit:
            late.append(
                f"! {method} on {longest.dataset}: {_h(longest.hours)} h expected, {_h(limit)} h requested; raise"
                f" resources.runtime in {file} (a training that is cut off resumes when it is rerun)"
            )
    head = ("Study", "method", "model", "to run", "all", "GPU-h to run", "longest h", "limit h")
    table = _table((*head, "longest on"), rows, left=(0, 1, 2, 8))
    longest = max(estimate.jobs, key=lambda one: one.hours)
    job = " ".join(filter(None, (longest.job.rule, longest.method, longest.dataset)))
    return "\n".join([table, *late, f"Longest single job: {_h(longest.hours)} h ({job})"])


def _hours(estimate: Estimate) -> str:
    def grouped(name: Callable[[Expected], str]) -> dict[str, list[Expected]]:
        groups: dict[str, list[Expected]] = {}
        for one in estimate.jobs:
            groups.setdefault(name(one), []).append(one)
        return groups

    def kind(one: Expected) -> str:
        if one.model:
            return f"  model {one.model}"
        return "  classical methods" if one.job.rule == "baseline" else "  all other jobs"

    studies = grouped(
        lambda one: f"study {one.study}" if one.study else "downloads, tables, report"
    )
    kinds = grouped(kind)
    last = ["  classical methods", "  all other jobs"]
    rows = [
        *(_hours_row(name, jobs) for name, jobs in sorted(studies.items(), reverse=True)),
        _hours_row("total, of which", estimate.jobs),
        *(_hours_row(name, kinds[name]) for name in sorted(kinds.keys() - last)),
        *(_hours_row(name, kinds[name]) for name in last if name in kinds),
    ]
    table = _table(("Hours", "GPU to run", "GPU all", "CPU to run", "CPU all"), rows)
    return (
        f"{table}\nCPU: threads x hours, including those of GPU jobs. All epochs are counted; early stopping ends many"
        " trainings sooner."
    )


def _hours_row(name: str, jobs: Sequence[Expected]) -> tuple[str, ...]:
    pending = [one for one in jobs if one.job.pending]
    return (
        name,
        *(_h(sum(one.gpu_hours for one in some)) for some in (pending, jobs)),
        *(_h(sum(one.cpu_hours for one in some)) for some in (pending, jobs)),
    )


def _storage(estimate: Estimate, free: int) -> str:
    pending, every = Counter(), Counter()
    for one in estimate.jobs:
        for kind, amount in one.stored.items():
            every[kind] += amount
            pending[kind] += amount if one.job.pending else 0
    rows = [
        (kind, _b(pending[kind]), _b(every[kind]), place)
        for kind, place in PLACES.items()
        if every[kind]
    ]
    rows.append(("total", _b(pending.total()), _b(every.total()), ""))
    table = _table(("Storage", "to come", "all", "where"), rows, left=(0, 3))
    lines = [table]
    if state := estimate.state_bytes():
        lines.append(
            f"While it runs, up to {_b(state)} more for each running training (results/training-state)."
        )
    short = pending.total() > free
    lines.append(
        f"Free on this disk: {_b(free)}{'; ! less than will be needed' if short else ''} ({estimate.folder})"
    )
    return "\n".join(lines)


def _grounds(estimate: Estimate) -> str:
    lines = [
        "Basis of these numbers (resources/costs.tsv; docs/planning.md explains how to correct it)"
    ]
    used = estimate.costs.used.values()
    rated = {
        row.name for row in used if row.what in ("training", "profile") and row.source == "measured"
    }
    on_gpu = [one for one in estimate.trainings if one.gpus]
    assumed = [one for one in on_gpu if not rated & {one.method, one.model}]
    if assumed:
        lines.append(
            f"- GPU-hours: {len(assumed)} of {len(on_gpu)} trainings are ESTIMATED from their operations, not"
            " measured on a GPU; the share of the peak is assumed, so they may be off by a factor of two or three."
        )
    lines += _data_grounds(estimate)
    rows = []
    for row in used:
        value = f"{row.value:,.10g}" if row.value < 1e9 else f"{row.value:.4g}"
        rows.append((f"  {row.what}", row.name, value, row.unit, row.source, row.basis))
    head = ("  what", "name", "value", "unit", "source", "basis")
    return "\n".join([*lines, "- Rows used:", _table(head, rows, left=(0, 1, 3, 4, 5))])


def _data_grounds(estimate: Estimate) -> list[str]:
    lines = []
    for known, words in (
        ("counted", "counted in existing examples"),
        ("expected", "expected, from the table"),
        ("unknown", "UNKNOWN SIZE: species without a row in the table"),
    ):
        names = [
            (dataset, size) for (_, dataset), size in estimate.sizes.items() if size.known == known
        ]
        if names:
            shown = [f"{dataset} {size.total:,.0f}" for dataset, size in names[:6]]
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            counted = ", counted as" if known == "unknown" else ":"
            lines.append(f"- Examples {words}{counted} {', '.join(shown)}{more}")
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, ["-" * width for width in widths], *rows)
    )


def _h(hours: float) -> str:
    """Hours to two or three figures; `-` for none."""
    if hours == 0:
        return "-"
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.1f}" if hours >= 1 else f"{hours:.2f}"


def _b(size: float) -> str:
    """Bytes in a unit that leaves one to three digits."""
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"
