"""What the terminal says before and after the jobs, and of a target that the run does not have.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: none; the functions below
"""

from nucleotune.config import set_in
from nucleotune.files import read_json
from nucleotune.plan.targets import lost
from nucleotune.reporting.sampled import at_the_end
from nucleotune.sources.mirror import describe_missing


def not_of_this_run(wildcards):
    """Input function of a target such as `polya` of a study that the run does not have: says so."""
    study = next(name for name in STUDIES if wildcards.target.startswith(name))
    raise WorkflowError(
        f"target {wildcards.target!r}: study {study!r} is not of this run, which has {', '.join(RUN.studies)}; add it to"
        f" 'studies' ({SOURCE})"
    )


def note_lost_files():
    """Name files that are missing though others that were made from them are there."""
    for study in RUN.studies if workflow.is_main_process else ():
        files = lost(RUN, study)
        if files:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            logger.warning(
                f"{files[0]}{more}: missing, though files made from it are there: `snakemake {study}` makes it again and"
                f" all that rests on it; a table asked for by its own name stays as it is"
            )


def require_offline_files():
    """With `offline: true`: name every file that is in no mirror, with its URL and place, before the first job.

    A run that downloads nothing (`plan`, `lock_models`) needs none of them.
    """
    fetching = any(job.rule.name == "download" for job in workflow.dag.needrun_jobs())
    lacking = RUN.lacking() if fetching else []
    if lacking:
        place = set_in("offline", workflow.configfiles, workflow.config_settings.config)
        raise WorkflowError(describe_missing(lacking, RUN.config["mirrors"], place))


def print_answers():
    """Print the answer of each study that this run was asked for, and where its page is."""
    asked = {job.wildcards.study for job in workflow.dag.jobs if job.rule.name == "study_report"}
    for study in filter(asked.__contains__, RUN.studies):
        page = RUN.place(f"reports/{study}.html")
        found = read_json(Path(page).with_suffix(".json"))
        print(f"{study}: {found.get('answer', '')} See {page}", flush=True)


def print_what_is_left():
    """At the end of a run: rows that sampling left out, and tables of studies that are no longer in the run."""
    cards = {path for study in RUN.studies for path in RUN.cards(study)}
    used = {str(path) for job in workflow.dag.jobs for path in (*job.input, *job.output)}
    for line in at_the_end(sorted(path for path in cards & used if Path(path).is_file())):
        logger.warning(line)
    written = any(job.rule.name in ("study_report", "report") for job in workflow.dag.jobs)
    tables = RUN.place("tables")
    for study in STUDIES if written else ():
        old = list(Path(tables).glob(f"{study}_*.tsv"))
        if study not in RUN.studies and old:
            logger.warning(
                f"{len(old)} tables of study {study!r} in {tables} are of an earlier run: this one"
                f" has {', '.join(RUN.studies)}"
            )
