"""What the report's pages are told of a study, beside the files that they show; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/report.smk
"""


def study_run(study):
    """The configuration as far as it concerns a study: `config`, and the files of its species, methods and models."""
    others = [name for name in DATASETS if name != study]
    stages = [Path(run).parts[-2] for run in trained_runs(study)]
    methods = [name for names in METHODS[study].values() for name in names] + stages
    return {
        "config": without(SETTINGS, *others) | {"studies": [study]},
        "species": {name: RUN["species"][name] for name in study_species(study)},
        "methods": {name: RUN["methods"][name] for name in dict.fromkeys(methods)},
        "models": {name: RUN["models"][name] for name in study_models(study)},
    }


def study_sources(study):
    """Files that the data sets of a study are built from, as they were fetched or given."""
    files = [files.values() for files in DATA_FILES[study].values()]
    return list(dict.fromkeys(path for part in files for path, _ in part))


def print_answers():
    """Print the answer of each study that this run was asked for, and where its page is."""
    asked = {job.wildcards.study for job in workflow.dag.jobs if job.rule.name == "study_report"}
    for study in filter(asked.__contains__, SETTINGS["studies"]):
        page = of_run(f"reports/{study}.html")
        found = read_json(Path(page).with_suffix(".json"))
        print(f"{study}: {found.get('answer', '')} See {page}", flush=True)


def print_what_is_left():
    """At the end of a run: rows that sampling left out, and tables of studies that are no longer in the run."""
    cards = {
        f"results/{study}/{dataset}/card.json"
        for study, names in SHOWN.items()
        for dataset in names
    }
    used = {str(path) for job in workflow.dag.jobs for path in (*job.input, *job.output)}
    for line in at_the_end(sorted(path for path in cards & used if Path(path).is_file())):
        logger.warning(line)
    written = any(job.rule.name in ("study_report", "report") for job in workflow.dag.jobs)
    for study in STUDIES if written else ():
        old = list(Path(of_run("tables")).glob(f"{study}_*.tsv"))
        if study not in DATASETS and old:
            logger.warning(
                f"{len(old)} tables of study {study!r} in {of_run('tables')} are of an earlier run: this one"
                f" has {', '.join(DATASETS)}"
            )


def measured_jobs(study):
    """Names (`shared`: of trainings that have no job of their own) of the benchmark files that a study's jobs write.

    Without ending and, where the study is in the name, without folder. A file of another name is of another study, or
    left over from another configuration.
    """
    shared = [name for names in SHARED[study].values() for name in names]
    trained = [".".join(Path(run).parts[1:]) for run in trained_runs(study)]
    names = [
        f"{rule}/{name}" for rule in STUDIES[study].species_rules for name in study_species(study)
    ]
    names += [f"checkpoint/{name}" for name in study_models(study)] + trained
    for dataset in SHOWN[study]:
        names += [f"{study}_examples/{dataset}", f"{study}.{dataset}"]
        for method in METHODS[study][dataset]:
            name = f"{study}.{dataset}.{method}"
            names += [name, *(f"{name}.seed{seed}" for seed in SETTINGS["seeds"])]
    names += [
        f"{study}.{method}.seed{seed}.job{job}"
        for job in SHARED[study]
        for method in LANGUAGE_MODELS
        for seed in SETTINGS["seeds"]
    ]
    return {
        "names": list(dict.fromkeys(names)),
        "shared": [name for name in trained if name.split(".")[1] in shared],
    }
