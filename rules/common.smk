"""Configuration and names shared by all stages; no rules.

REQUIRED INPUTS: config.yaml and overlays, config/{species,models,methods}/*.yaml, resources/sources.tsv
OUTPUTS: the names RUN, SETTINGS, REGISTRY, DATASETS, DOWNLOADS, STAGE, TARGETS and the functions below.

This file is parsed again in every cluster job: it imports the standard library, PyYAML and jsonschema (through
nucleotune.config) only. No torch, no pandas.
"""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The library travels with the Snakefile, into every environment that a rule may run in.
sys.path.insert(0, workflow.basedir)
os.environ["PYTHONPATH"] = os.pathsep.join(
    dict.fromkeys([workflow.basedir, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
)
os.environ["HF_HUB_OFFLINE"] = "1"  # compute jobs never reach for the network

from nucleotune import plan
from nucleotune.config import load_run
from nucleotune.errors import InputError
from nucleotune.simulate.paths import toy_paths
from nucleotune.sources.mirror import describe_missing, missing
from nucleotune.sources.registry import read_registry

try:
    RUN = load_run(config, source="config.yaml and overlays")
    REGISTRY = read_registry(Path(workflow.basedir) / "resources/sources.tsv")
    DOWNLOADS = plan.downloads(RUN["species"], REGISTRY, RUN["config"]["data_dir"])
except InputError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = RUN["config"]

# Raised by hand when the library changes a stage's results: Snakemake sees this number, not the code behind it.
STAGE = {"simulate": 1, "lncrna_examples": 1, "finetune": 1, "baseline": 1, "evaluate": 1, "report": 1}

DATASETS = {"lncrna": plan.lncrna_datasets(SETTINGS)}
SHOWN = {study: [d.name for d in sets.values() if not d.pooled] for study, sets in DATASETS.items()}
METHODS = {"lncrna": SETTINGS["lncrna"]["methods"]}
BASELINES = [name for name, method in RUN["methods"].items() if method["kind"] == "baseline"]
LANGUAGE_MODELS = [name for name, method in RUN["methods"].items() if method["kind"] == "language_model"]
TARGETS = {}  # study -> its final files; each study's rule file adds its own
PUBLISHED = f"{workflow.basedir}/resources/published"


wildcard_constraints:
    study="|".join(DATASETS),
    dataset="|".join(name for sets in DATASETS.values() for name in sets),
    method="|".join(RUN["methods"]),
    seed=r"\d+",


def study_targets():
    """Final files of the studies named in the configuration."""
    return [path for study in SETTINGS["studies"] for path in TARGETS[study]]


def run_of(wildcards):
    """Directory of one training run."""
    return "results/{0.study}/{0.dataset}/{0.method}/seed{0.seed}".format(wildcards)


def every(pattern, study, methods=None):
    """Fill {dataset}, {method} and {seed} of `pattern` with all that a study shows."""
    return expand(
        pattern,
        study=study,
        dataset=SHOWN[study],
        method=METHODS[study] if methods is None else methods,
        seed=SETTINGS["seeds"],
    )
