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
