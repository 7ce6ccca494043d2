"""Which models are explained, and what is made of it; no rules.

REQUIRED INPUTS: the names of rules/common.smk
OUTPUTS: the functions below, for rules/attribution.smk and the tables of each study
"""


def known_motifs(wildcards):
    """Input function: the user's MEME file that patterns are compared with, if any."""
    own = SETTINGS[wildcards.study]["attribution"]["motifs"]
    return str(Path(SETTINGS["data_dir"]) / own) if own else []


def shipped_motifs(wildcards):
    """The MEME file of this checkout that patterns are compared with, if any: path in it, and sha256.

    No input, whose path would be another one in a checkout that was moved.
    """
    path = STUDIES[wildcards.study].motifs
    if known_motifs(wildcards) or path is None:
        return None
    return {"path": path, "sha256": file_digest(ROOT / path)}
