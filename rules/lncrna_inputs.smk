"""What the rules of the lncRNA study ask of its configuration; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/lncrna.smk
"""


def class_paths(label):
    """Input function: FASTA paths of one class of the data set's species."""

    def paths(wildcards):
        species = RUN["species"][DATASETS["lncrna"][wildcards.dataset].species[0]]
        return [path for path, _ in class_files(species, label, REGISTRY, SETTINGS["data_dir"])]

    return paths


def pooled(wildcards, file):
    """A file of each data set that a pool is made of."""
    pool = DATASETS["lncrna"][wildcards.dataset]
    return [f"results/lncrna/{species}_{pool.split}/{file}" for species in pool.species]
