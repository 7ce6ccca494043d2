"""What the rules of the RBP study ask of its configuration and sheets; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/rbp*.smk
"""


def rbp_collection(wildcards):
    """The collection file of a data set of the RBP study."""
    return RUN["collections"][DATASETS["rbp"][wildcards.dataset].collection]


def rbp_paths(wildcards):
    """Input function: files that an RBP's examples are built from, genome and annotation in the form they are read in."""
    collection = DATASETS["rbp"][wildcards.dataset].collection
    files = DATA_FILES["rbp"][wildcards.dataset]
    return {name: read_form(collection, name, path) for name, (path, _) in files.items()}


def region_paths(wildcards):
    """Input function: what the transcript regions of an RBP's sequences are read from."""
    collection = DATASETS["rbp"][wildcards.dataset].collection
    files = region_files(RUN, collection)
    return {name: read_form(collection, name, path) for name, (path, _) in files.items()}


def attended():
    """Data sets of the RBP study whose models' attention is analysed."""
    return [
        name
        for name, one in DATASETS["rbp"].items()
        if analysed(RUN, one, "regions") or analysed(RUN, one, "structures")
    ]


def analysis_input(wildcards, kind):
    """Regions or structures of a data set, where they are analysed."""
    wanted = analysed(RUN, DATASETS["rbp"][wildcards.dataset], kind)
    return f"results/rbp/{wildcards.dataset}/{kind}.parquet" if wanted else []


def rbp_checkpoint():
    """The checkpoint that the analysed model started from: the model before fine-tuning."""
    method = SETTINGS["rbp"]["attention"]["method"]
    return f"resources/checkpoints/{RUN['methods'][method]['model']}" if method else []


def rbp_model_titles():
    """Titles of the analysed model after and before fine-tuning, and of the one trained from random weights."""
    attention = SETTINGS["rbp"]["attention"]
    if attention["method"] is None:
        return {}
    method = RUN["methods"][attention["method"]]
    titles = {"after": method["title"], "before": RUN["models"][method["model"]]["title"]}
    if attention["random_method"]:
        titles["scratch"] = RUN["methods"][attention["random_method"]]["title"]
    return titles
