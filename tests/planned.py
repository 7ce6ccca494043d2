"""What a run would do, asked of the library: milliseconds, where Snakemake takes seconds."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from nucleotune.config import load_run
from nucleotune.plan.run import Run
from nucleotune.plan.targets import end_of
from nucleotune.stages import ROOT
from nucleotune.studies.rbp.plan import analysed, region_paths
from nucleotune.studies.registry import STUDIES
from nucleotune.yaml_files import read_yaml

#: File -> the rule that makes it, for files that are made by one rule whatever the run.
MADE_BY = {
    r"resources/genomes/.*": "genome",
    r"resources/annotation/.*": "annotation",
    r"resources/checkpoints/.*": "checkpoint",
    r"results/shared-jobs/.*": "finetune_shared",
    r".*/relatives.json": "relatives",
    r".*/metrics.json": "evaluate",
    r".*/comparison.tsv": "compare",
    r".*/attribution/(.*/)?motifs.tsv": "modisco",
    r".*/structures.parquet": "rbp_structures",
    r".*/regions.parquet": "rbp_regions",
    r".*/attention/summary.tsv": "rbp_attention",
    r".*/attention.tsv": "attention_profile",
    r".*/facts/promoters.json": "promoters_reading",
    r".*/facts/task.json": "task_reading",
    r".*/reports/.*": "study_report",
}

#: Rules that write simulated files -> the end of their directory's name.
SIMULATED = {"": "", "_collection": "-collections", "_model": "-models", "_task": "-tasks"}


def run_of(*configs: str | Path | Mapping[str, Any], **keys: Any) -> Run:
    """The run of a configuration, or of several laid over each other: texts, files, names of those under config/.

    keys: laid over them, as those of the command line.
    """
    config: dict[str, Any] = {}
    for one in (*configs, keys):
        if isinstance(one, str):
            one = (
                ROOT / f"config/{one}.yaml" if re.fullmatch(r"[\w-]+", one) else yaml.safe_load(one)
            )
        update_config(config, read_yaml(one) if isinstance(one, Path) else one)
    return Run.of(load_run(config), STUDIES)


def jobs(run: Run) -> dict[str, int]:
    """Jobs of target `all` by rule, from the files that it ends with."""
    counts = Counter({"download": len(run.downloads), "overview": 1})
    mirrors = {run.simulated[path] for path in run.downloads if path in run.simulated}
    for rule, kind in SIMULATED.items():
        written = [path for path in mirrors if path.startswith(f"resources/simulated{kind}/")]
        counts[f"simulate{rule}"] = len(written)
    made = {path: study for study in run.studies for path in end_of(run, study)}
    if "rbp" in run.studies:
        made |= {
            path: "rbp"
            for name, one in run.datasets["rbp"].items()
            if analysed(run, one, "regions")
            for path in region_paths(run, name).values()
        }
    counts.update(_rule(run, study, path) for path, study in made.items())
    for study in run.studies:
        counts.update(product.name for product in run.products[study] if product.shown)
        for names in (run.assigned[study][name] for name in run.shown[study]):
            tools = [run.methods[name]["baseline"] for name in names if name in run.originals]
            counts.update(["original_input"] * bool(tools) + [f"original_{one}" for one in tools])
    return {rule: n for rule, n in counts.items() if rule and n}


def _rule(run: Run, study: str, path: str) -> str | None:
    """The rule that makes a file; None where that is counted by another of its files, or by its product."""
    for pattern, rule in MADE_BY.items():
        if re.fullmatch(pattern, path):
            return rule
    parts = path.split("/")
    if parts[-1] == "examples.parquet":
        return f"{study}_pool" if run.datasets[study][parts[2]].pooled else f"{study}_examples"
    if parts[-1] == "contributions.npz":
        return "attribute_baseline" if parts[3] in run.baselines else "attribute"
    if parts[-1] == "predictions.parquet":
        dataset, method = parts[2:4]
        if method in run.baselines:
            return "original" if method in run.originals else "baseline"
        shared = [name for names in run.shared[study].values() for name in names]
        return "take_finetuned" if dataset in shared else "finetune"
    return None
