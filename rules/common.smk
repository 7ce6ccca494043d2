"""Configuration and names shared by all stages; no rules.

REQUIRED INPUTS: config/demo.yaml or the files of --configfile, config/{species,models,methods}/*.yaml, resources/sources.tsv
OUTPUTS: the names ROOT, RUN, SETTINGS, REGISTRY, REVISIONS, CHECKPOINTS, DATASETS, DATA_FILES, DOWNLOADS, CALIBRATION,
    GENOMES, METHODS, SHOWN, ATTRIBUTED, SOURCES, LONG, PLANNED, PRODUCTS and the functions below.

This file is parsed again in every cluster job: it imports the standard library, PyYAML and jsonschema (through
nucleotune.config) only. No torch, no pandas.
"""

import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Where this file lies, also when another workflow uses this one as a module.
ROOT = Path(workflow.current_basedir).parent
if not (ROOT / "nucleotune").is_dir():
    raise WorkflowError(
        f"{ROOT}: no library here; as a module this workflow is used from a checkout on this machine"
    )
# A prefix would change the paths of rules, but not those that scripts and parameters hold.
if workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier.modifies_prefixes:
    raise WorkflowError(
        "this workflow takes no 'prefix' or 'replace_prefix'; give the module a run of its own in another --directory"
    )
sys.path.insert(0, str(ROOT))

from nucleotune import plan
from nucleotune.bounds import share_bounds
from nucleotune.config import load_run, set_in
from nucleotune.plan.asked import asked_methods
from nucleotune.errors import InputError
from nucleotune.files import file_digest, read_json
from nucleotune.plan.run import Run, without
from nucleotune.reporting.sampled import at_the_end
from nucleotune.scripting import share_library
from nucleotune.simulate.paths import simulated_collection_paths, simulated_paths
from nucleotune.sources.hub import locked_commit, read_revisions
from nucleotune.sources.mirror import describe_missing, missing
from nucleotune.sources.registry import read_registry
from nucleotune.studies.lncrna.plan import (
    CLASSES,
    calibration_files,
    class_files,
    lncfinder_model,
    pool_name,
)
from nucleotune.studies.promoters.products import attention_runs, datasets_of_task
from nucleotune.studies.promoters.protocol import settings_read, species_read
from nucleotune.studies.rbp.plan import (
    analysed,
    attended,
    rbp_rows,
    region_files,
)
from nucleotune.stages import code_digest, stage_number
from nucleotune.studies.registry import STUDIES, genome_files

share_library(ROOT)


def config_source():
    """What messages call the configuration: its files."""
    folder = Path.cwd()
    paths = [Path(path) for path in workflow.configfiles]
    names = [p.relative_to(folder) if p.is_relative_to(folder) else p for p in paths]
    # The demo's path is that of a copy in Snakemake's cache.
    names = ["config/demo.yaml" if p.match("config/demo.yaml") else p for p in names]
    names += ["--config"] if workflow.config_settings.config else []
    return ", ".join(map(str, names)) or "configuration"


def study_species(study):
    """Species of a study that this run is about."""
    return RUN["config"][study].get("species", []) if study in RUN["config"]["studies"] else []


try:
    RUN = load_run(config, source=config_source())
    SETTINGS = RUN["config"]
    share_bounds(SETTINGS["download"])
    REGISTRY = read_registry(ROOT / "resources/sources.tsv")
    REVISIONS = read_revisions(plan.MODELS_LOCK)
    PLANNED = Run.of(RUN, STUDIES)
    DATASETS, METHODS = PLANNED.datasets, PLANNED.assigned
    SHOWN, ATTRIBUTED = PLANNED.shown, PLANNED.attributed
    DATA_FILES = {
        study: {name: STUDIES[study].files(RUN, REGISTRY, one) for name, one in sets.items()}
        for study, sets in DATASETS.items()
    }
    USED_MODELS = plan.used_models(METHODS, RUN["methods"])
    CHECKPOINTS = {
        name: plan.checkpoint_files(
            name,
            model,
            revisions=REVISIONS,
            data_dir=SETTINGS["data_dir"],
            mirrors=SETTINGS["mirrors"],
        )
        for name, model in RUN["models"].items()
        if model["checkpoint"] and name in USED_MODELS
    }
    DOWNLOADS = plan.downloads(
        [
            *(files for sets in DATA_FILES.values() for files in sets.values()),
            *(region_files(RUN, name) for name in RUN["collections"]),
            *CHECKPOINTS.values(),
        ]
    )
    CALIBRATION = calibration_files(RUN, REGISTRY)
    GENOMES = genome_files(RUN, REGISTRY)
except InputError as error:
    raise WorkflowError(str(error)) from None

# What rule download can fetch; `fetch` and the studies ask for DOWNLOADS alone.
SOURCES = dict(CALIBRATION.values()) | DOWNLOADS

for name in RUN["left_out"]:
    logger.warning(f"method {name} is left out: its model's licence is non-commercial")

for note in RUN["notes"]:
    logger.warning(note)

# Priority of jobs that may take long and that many others wait for: begun last, one alone would be left at the end.
LONG = 1

SHARED = {
    study: plan.shared_jobs(
        names,
        SETTINGS[study]["per_job"],
        STUDIES[study].listed and STUDIES[study].listed(RUN),
    )
    for study, names in SHOWN.items()
}
BASELINES, LANGUAGE_MODELS = PLANNED.baselines, PLANNED.language_models
ORIGINALS = [name for name in BASELINES if RUN["methods"][name]["mode"] == "original"]


def any_of(names):
    """A wildcard's constraint: one of some names as they are written, or nothing at all if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    study=any_of(DATASETS),
    dataset=any_of(name for sets in DATASETS.values() for name in sets),
    method=any_of(RUN["methods"]),
    seed=r"\d+",


# What plans of studies and rules ask of the run.
of_run, every, computed = PLANNED.place, PLANNED.every, PLANNED.computed
PRODUCTS = {study: STUDIES[study].products(PLANNED) for study in DATASETS}


def shown_products(study, *endings):
    """Files of a study's tables and figures, of some kinds alone."""
    return [
        path
        for product in PRODUCTS[study]
        for ending, path in product.outputs(of_run).items()
        if product.shown and (not endings or ending in endings)
    ]


def end_of(study):
    """What a study ends with: its tables, figures and page, and all that they are made from (`intermediates`)."""
    return [
        *shown_products(study),
        *intermediates(study),
        of_run(f"reports/{study}.html"),
    ]
