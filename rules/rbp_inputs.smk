"""What the rules of the RBP study ask of its configuration and sheets; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/rbp*.smk
"""


def rbp_collection(wildcards):
    """The collection file of a data set of the RBP study."""
    return RUN["collections"][DATASETS["rbp"][wildcards.dataset].collection]


def region_paths(wildcards):
    """Input function: what the transcript regions of an RBP's sequences are read from."""
    owner = DATASETS["rbp"][wildcards.dataset].owner
    files = region_files(RUN, owner)
    return {name: read_form(owner, name, path) for name, (path, _) in files.items()}


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


def rbp_example(datasets, key, kind):
    """What Figure 3 or 5 shows as example: titles in place of names; None lets the figure choose."""
    asked = SETTINGS["rbp"]["attention"][key]
    rbp = asked["rbp"] if key == "example" and asked else asked
    for one in datasets:
        if asked and one["rbp"] == rbp and analysed(RUN, DATASETS["rbp"][one["name"]], kind):
            return [one["title"], asked["region"]] if key == "example" else one["title"]
    return None
