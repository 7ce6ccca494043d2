"""Which models are explained, and what is made of it; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/attribution.smk and the tables of each study
"""


def attribution_files(study, name):
    """A file of every explained model of a study, in the order of ATTRIBUTED; the first seed is explained."""
    return [
        f"results/{study}/{dataset}/{method}/seed{SETTINGS['seeds'][0]}/attribution/{name}"
        for dataset, method in ATTRIBUTED[study]
    ]


def attribution_targets(study):
    """Tables and figures of a study's explained models."""
    if not ATTRIBUTED[study]:
        return []
    tables, figures = [f"{study}_attribution", f"{study}_motifs"], [f"{study}_motifs"]
    if study == "polya":
        tables, figures = [*tables, "polya_order"], ["polya_figure7", "polya_figure8"]
    return [
        *expand(of_run("tables/{name}.{kind}"), name=tables, kind=["tsv", "html"]),
        *expand(of_run("figures/{name}.{kind}"), name=figures, kind=["svg", "png"]),
    ]


def known_motifs(wildcards):
    """Input function: the user's MEME file that patterns are compared with, if any."""
    own = SETTINGS[wildcards.study]["attribution"]["motifs"]
    return str(Path(SETTINGS["data_dir"]) / own) if own else []


def shipped_motifs(wildcards):
    """The MEME file of this checkout that patterns are compared with, if any: path in it, and sha256.

    No input, whose path would be another one in a checkout that was moved.
    """
    if known_motifs(wildcards) or wildcards.study != "polya":
        return None
    path = "resources/motifs/polya.meme"
    return {"path": path, "sha256": file_digest(ROOT / path)}
