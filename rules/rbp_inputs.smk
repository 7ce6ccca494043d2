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


def analysis_input(wildcards, kind):
    """Regions or structures of a data set, where they are analysed."""
    wanted = analysed(PLANNED, DATASETS["rbp"][wildcards.dataset], kind)
    return f"results/rbp/{wildcards.dataset}/{kind}.parquet" if wanted else []


def rbp_checkpoint():
    """The checkpoint that the analysed model started from: the model before fine-tuning."""
    method = SETTINGS["rbp"]["attention"]["method"]
    return f"resources/checkpoints/{RUN['methods'][method]['model']}" if method else []
