"""nucleotune: from public sequence files to the papers' tables, figures and models, as one DAG.

Data flow: sources -> examples -> methods -> predictions -> metrics -> tables and figures -> report.
Each stage is one file under rules/; a rule, its script under scripts/ and its log share one name.
"""

from snakemake.utils import min_version

min_version("9.22")


# A user's configuration starts from the documented defaults (docs/configuration.md), not from the demo.
if not workflow.configfiles:

    configfile: workflow.source_path("config/demo.yaml")

elif not config:
    # A module without `config:` is given none; that of the command line is meant.
    config.update(workflow.config_settings.overwrite_config)


include: "rules/common.smk"
include: "rules/terminal.smk"
include: "rules/simulate.smk"
include: "rules/sources.smk"
include: "rules/checkpoints.smk"


if RUN.genomes:

    include: "rules/genome.smk"


for study in RUN.studies:

    include: f"rules/{study}.smk"


if any(RUN.attributed.values()):

    include: "rules/attribution.smk"


include: "rules/finetune.smk"
include: "rules/baselines.smk"
include: "rules/original.smk"
include: "rules/relatives.smk"
include: "rules/evaluate.smk"
include: "rules/products.smk"
include: "rules/report.smk"
include: "rules/plan.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        [end_of(RUN, study) for study in RUN.studies],
        RUN.place("report.html"),


# Targets of the other studies, so that asking for one names the key and not a missing rule.
rule not_of_this_run:
    input:
        not_of_this_run,
    output:
        "{target}",
    wildcard_constraints:
        target=rf"({any_of(name for name in STUDIES if name not in RUN.studies)})(_[a-z0-9]+)?",


note_lost_files()


onstart:
    require_offline_files()


onsuccess:
    print_what_is_left()
    print_answers()
