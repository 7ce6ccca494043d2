"""What the rules of the poly(A) study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/polya*.smk
"""

from types import SimpleNamespace

from nucleotune.search_space import EXAMPLE, read_search, settings_digest


def profile_settings(wildcards):
    """A profile method as far as its training depends on it."""
    return computed("methods", wildcards.method)


def found_by_search():
    """What target `tune` has found so far: data set -> method -> content of best.json. No table asks for a search.

    Searches of other settings are left out here, those of other examples by table 3.
    """
    found = {}
    for method, space in SETTINGS["polya"]["tune"]["space"].items():
        rests_on = SimpleNamespace(method=method)
        settings = settings_digest(
            profile_settings(rests_on), encoder_of(rests_on), space, SETTINGS["seeds"][0]
        )
        for dataset in DATASETS["polya"]:
            best = read_search(f"results/polya/{dataset}/{method}/tune/best.json", settings)
            if best is not None:
                found.setdefault(dataset, {})[method] = best
    return found


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
