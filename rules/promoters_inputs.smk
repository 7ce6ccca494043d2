"""What the rules of the promoter study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/promoters*.smk
"""


def datasets_of_task(task):
    """Data sets of one task of the promoter study."""
    return [name for name, one in DATASETS["promoters"].items() if one.task == task]


def attention_runs():
    """Trainings whose attention Figure 2 shows: (data set, method), k-mer models on Task 3 with promoters of 300 nt."""
    return [
        (name, method)
        for name, one in DATASETS["promoters"].items()
        if one.task == "task3" and one.length == 300
        for method in SETTINGS["promoters"]["methods"]
        if method in LANGUAGE_MODELS
        and RUN["models"][RUN["methods"][method]["model"]]["tokenizer"]["kind"] == "kmer"
    ]


def attention_titles():
    """What Figure 2 and its table call each of `attention_runs`."""
    return [
        f"{RUN['methods'][method]['title']}, {DATASETS['promoters'][dataset].species[0]}, "
        f"{DATASETS['promoters'][dataset].split} split"
        for dataset, method in attention_runs()
    ]


def examples_of(dataset):
    """Arguments of `settings_read` and `species_read`: settings, data set, species file."""
    one = DATASETS["promoters"][dataset]
    return SETTINGS["promoters"], one, RUN["species"][one.species[0]]


def same_genes():
    """Data set of Task 4 -> one of Task 3 with the same species, whose genes are the same at all lengths and splits."""
    found = {}
    for name in datasets_of_task("task3"):
        found.setdefault(DATASETS["promoters"][name].species, name)
    return {
        name: found[DATASETS["promoters"][name].species]
        for name in datasets_of_task("task4")
        if DATASETS["promoters"][name].species in found
    }
