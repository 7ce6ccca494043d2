"""What a model is shown of a transcript: all of it, or its longest open reading frame."""

from collections.abc import Sequence

from nucleotune.sequence.orf import longest_orfs

#: Names of the views, as method files have them.
VIEWS = ("transcript", "orf")


def show(sequences: Sequence[str], view: str) -> list[str]:
    """The sequences as a model of this view reads them, in order.

    `transcript`: as they are. `orf`: from each its longest ORF (`sequence.orf`), stop codon included, or the whole
    sequence where there is no ATG: then there is nothing else to judge by (LoRA-BERT, section 2.4).
    """
    if view == "transcript":
        return list(sequences)
    orfs = longest_orfs(sequences)
    return [
        sequence[orf.start : orf.end] if orf.end else sequence
        for sequence, orf in zip(sequences, orfs, strict=True)
    ]
