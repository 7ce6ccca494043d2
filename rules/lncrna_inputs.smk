"""What the rules of the lncRNA study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the function below, for rules/lncrna.smk
"""


def class_paths(label):
    """Input function: FASTA paths of one class of the data set's species."""

    def paths(wildcards):
        species = RUN["species"][DATASETS["lncrna"][wildcards.dataset].species[0]]
        return [
            path for path, _ in plan.class_files(species, label, REGISTRY, SETTINGS["data_dir"])
        ]

    return paths
