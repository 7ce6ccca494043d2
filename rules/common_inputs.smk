"""What rules of all stages ask for: input functions and the parts of the configuration that a result depends on.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: none; the functions below
"""


def simulated_mirror(path):
    """Directory of the simulated mirror that holds the download `path`, or None for a file of the real world."""
    for name, species in RUN["species"].items():
        if path in [f"{plan.DOWNLOADS}/{relative}" for relative in simulated_paths(species)]:
            return f"resources/simulated/{name}"
    for name, collection in RUN["collections"].items():
        if path in [f"{plan.DOWNLOADS}/{one}" for one in simulated_collection_paths(collection)]:
            return f"resources/simulated-collections/{name}"
    for name, files in CHECKPOINTS.items():
        if RUN["models"][name]["simulate"] and path in [place for place, _ in files.values()]:
            return f"resources/simulated-models/{name}"
    return None


def require_offline_files():
    """With `offline: true`: name every file that is in no mirror, with its URL and place, before the first job.

    A run that downloads nothing (`plan`, `lock_models`) needs none of them.
    """
    if not SETTINGS["offline"] or not any(
        job.rule.name == "download" for job in workflow.dag.needrun_jobs()
    ):
        return
    needed = {path: source for path, source in DOWNLOADS.items() if not simulated_mirror(path)}
    lacking = missing(needed, SETTINGS["mirrors"])
    if lacking:
        place = set_in("offline", workflow.configfiles, workflow.config_settings.config)
        raise WorkflowError(describe_missing(lacking, SETTINGS["mirrors"], place))


def not_of_this_run(wildcards):
    """Input function of a target such as `polya` of a study that the run does not have: says so."""
    study = next(name for name in STUDIES if wildcards.target.startswith(name))
    raise WorkflowError(
        f"target {wildcards.target!r}: study {study!r} is not of this run, which has {', '.join(DATASETS)}; add it to"
        f" 'studies' ({config_source()})"
    )


def study_models(study):
    """Language models of all methods of a study."""
    names = dict.fromkeys(method for methods in METHODS[study].values() for method in methods)
    models = dict.fromkeys(RUN["methods"][name].get("model") for name in names)
    return [name for name in models if name is not None]


def folded(wildcards):
    """Input function: the structures of a data set, folded once, for the baselines that read them."""
    if STUDIES[wildcards.study].folded(RUN["methods"][wildcards.method]):
        return f"results/{wildcards.study}/{wildcards.dataset}/structures.parquet"
    return []


def source_paths(study):
    """Input function: files that a data set is built from, genome and annotation in the form they are read in."""

    def paths(wildcards):
        owner = DATASETS[study][wildcards.dataset].owner
        files = DATA_FILES[study][wildcards.dataset]
        return {name: read_form(owner, name, path) for name, (path, _) in files.items()}

    return paths


def read_form(owner, name, path):
    """Where the file `name` of a species or collection is read: a genome unpacked, an annotation as Parquet."""
    made = {
        "genome": f"resources/genomes/{owner}.fa",
        "annotation": f"resources/annotation/{owner}.parquet",
    }
    return made.get(name, path)


def labels_of(study, dataset):
    """What labels 0 and 1 of a data set mean."""
    return list(STUDIES[study].labels(DATASETS[study][dataset]))
