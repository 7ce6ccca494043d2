"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts

ASKED = (
    "Does a nucleotide language model predict the labels of these sequences better than the classical methods do, on"
    " the same rows and with an interval?"
)

TEXTS = Texts(
    title="Tasks of your own",
    asked=ASKED,
    figures={"task_motifs": attribution_texts.LOGOS},
    motifs=attribution_texts.MOTIF_TABLE,
)

#: How the rows were divided, in words, by `split.by`.
SPLITS = {
    "given": "the parts are those of the files",
    "random": "rows are divided at random, so that relatives of a test row may be in training",
    "group": "no group has rows in two parts",
    "chromosome": "no chromosome has rows in two parts",
    "similarity": "no cluster of related sequences has rows in two parts",
}


def split_sentence(card: dict) -> str:
    """How the rows of a data set were divided, from its card."""
    split = card["split"]
    text = SPLITS[split["by"]]
    if split["by"] == "similarity":
        text += (
            f" ({split['groups']:,} clusters at {split['identity']:.0%} identity over {split['coverage']:.0%} of the"
            f" shorter sequence, the largest with {split['largest']:,} rows)"
        )
    return text


def related_sentence(card: dict, rows: str = "sequences") -> str:
    """How many test rows have relatives in training, from the key `related` of a data card."""
    found = card["related"]
    if found["reason"] is not None:
        return f"Relatives of test {rows} in training were not counted: {found['reason']}."
    shares = [f"{share:.1%} at {least} %" for least, share in found["shares_at"].items()]
    return (
        f"Share of the test {rows} with a relative in training, by the identity of the best alignment that covers"
        f" {found['coverage']:.0%} of the test row: {', '.join(shares)} identity (below 70 % relatives are found in"
        " part only)."
    )
