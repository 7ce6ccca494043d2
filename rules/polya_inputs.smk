"""What the rules of the poly(A) study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/polya*.smk
"""

from nucleotune.search_space import EXAMPLE


def profile_settings(wildcards):
    """A profile method as far as its training depends on it."""
    return computed("methods", wildcards.method)


def searched(wildcards):
    """Input function: what searches of all methods in `polya.tune.space` find."""
    if not SETTINGS["polya"]["tune"]["space"]:
        raise WorkflowError(
            "polya.tune.space is empty: name methods of polya.methods, their keys and values, such as"
            f" {EXAMPLE}"
        )
    return expand(
        "results/polya/{dataset}/{method}/tune/best.json",
        dataset=DATASETS["polya"],
        method=SETTINGS["polya"]["tune"]["space"],
    )
