"""What the rules of the poly(A) study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/polya*.smk
"""


def found_by_search():
    """What target `tune` has found so far: data set -> method -> content of best.json. No table asks for a search."""
    found = {}
    for dataset in DATASETS["polya"]:
        for method in METHODS["polya"][dataset]:
            path = Path(f"results/polya/{dataset}/{method}/tune/best.json")
            if path.is_file():
                found.setdefault(dataset, {})[method] = json.loads(path.read_text())
    return found
