"""What the rules of the promoter study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/promoters*.smk
"""


def examples_of(dataset):
    """Arguments of `settings_read` and `species_read`: settings, data set, species file."""
    one = DATASETS["promoters"][dataset]
    return SETTINGS["promoters"], one, RUN["species"][one.species[0]]


def same_genes():
    """Data set of Task 4 -> one of Task 3 with the same species, whose genes are the same at all lengths and splits."""
    found = {}
    for name in datasets_of_task(PLANNED, "task3"):
        found.setdefault(DATASETS["promoters"][name].species, name)
    return {
        name: found[DATASETS["promoters"][name].species]
        for name in datasets_of_task(PLANNED, "task4")
        if DATASETS["promoters"][name].species in found
    }
