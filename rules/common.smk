"""What all rules ask: RUN, the run as the library works it out from the configuration; no rules.

REQUIRED INPUTS: config/demo.yaml or the files of --configfile, config/{species,models,methods}/*.yaml, resources/sources.tsv
OUTPUTS: the names ROOT, SOURCE, RUN, LONG and FIRST, and functions of the library that several of these files use

This file is parsed again in every cluster job: it imports the standard library, PyYAML and jsonschema (through
nucleotune.config) only. No torch, no pandas.
"""

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

from nucleotune.bounds import share_bounds
from nucleotune.config import load_run, named_source
from nucleotune.errors import InputError
from nucleotune.plan import any_of, trainings
from nucleotune.plan.run import Run, without
from nucleotune.plan.targets import end_of
from nucleotune.scripting import share_library
from nucleotune.stages import code_digest, stage_number
from nucleotune.studies.registry import STUDIES

share_library(ROOT)

# What messages call the configuration.
SOURCE = named_source(workflow.configfiles, workflow.config_settings.config)
try:
    RUN = Run.of(load_run(config, source=SOURCE), STUDIES)
except InputError as error:
    raise WorkflowError(str(error)) from None
share_bounds(RUN.config["download"])
for note in RUN.notes:
    logger.warning(note)

# Priorities: of long jobs, since one that is begun last is left alone at the end; and of those that long jobs wait for.
LONG, FIRST = 1, 2


wildcard_constraints:
    study=any_of(RUN.studies),
    dataset=any_of(name for sets in RUN.datasets.values() for name in sets),
    method=any_of(RUN.methods),
    seed=r"\d+",


def training_need(key):
    """Resource function of a training: what its method file, or else its model file, says of `key`."""
    return lambda wildcards, attempt: trainings.need(RUN, wildcards.method, key, attempt)


def gpu_of(method):
    """One GPU for jobs that use one, where the method is trained on any number of them; else none."""
    return 0 if method in RUN.baselines else min(1, trainings.need(RUN, method, "gpu"))


def one_gpu(wildcards):
    """Resource function: `gpu_of`."""
    return gpu_of(wildcards.method)


def checkpoint_of(wildcards):
    """Input function: the checkpoint that a method starts from, if any."""
    return trainings.checkpoint(RUN, wildcards.method) or []


def members(wildcards):
    """Data sets whose trainings share a job."""
    return trainings.members(RUN, wildcards.study, wildcards.method, wildcards.job)
