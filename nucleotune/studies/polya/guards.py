"""Whether 3' ends are where transcripts of this genome end: on the strand of the genes, at places rich in A.

Counts of another assembly, of swapped strands or with positions off by one fit the contigs as well as the right ones.
What tells them apart is in the genome: most ends after stop codons are on the gene's strand, and cleavage is at an A
(or the tail's first A's cannot be told from the genome's).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.evaluation.profile_metrics import MIN_READS
from nucleotune.genome.counts import count_in_windows

log = logging.getLogger(__name__)

#: Fewer places with reads than this are too few to judge.
LEAST_PLACES = 1000

#: Shifts (nt downstream of the given positions) at which the share of A is looked at.
SHIFTS = range(-2, 3)

#: Reads of a place that count for its base: a few places with very many would decide alone.
MOST_READS = 20

#: Share of A at the richest shift, by that of the windows as a whole, that right positions reach. Yeast: 1.9 (3'READS).
LEAST_RICH = 1.2


def judge_ends(
    placed: pd.DataFrame, windows: pd.DataFrame, counts: np.ndarray, source: str | Path
) -> dict[str, Any]:
    """Reads of both strands inside windows, and the share of A at and around 3' ends.

    Args:
        placed: 3' ends on contigs of the genome.
        windows: of genes, with seqname, start, end, strand and sequence.
        counts: of `placed` in them, (n, tracks, L).
        source: of the ends, for messages.

    Returns:
        `sense` and `antisense` (reads), `share_of_a` (shift -> share, of reads up to MOST_READS a place), `overall`
        (share of A in the windows), `shift` (that with the highest share; not 0 is logged), `judged` (False where
        LEAST_PLACES was not reached).

    Raises:
        InputError: more reads on the other strand than on the genes', or ends that are not at A-rich positions.
    """
    other = windows.assign(strand=windows["strand"].astype("str").map({"+": "-", "-": "+"}))
    sense, antisense = int(counts.sum()), int(count_in_windows(placed, other)[0].sum())
    letters = np.array([list(sequence) for sequence in windows["sequence"]])
    reads, length = np.minimum(counts.sum(1), MOST_READS), letters.shape[1]
    is_a = letters == "A"
    shares = {}
    for shift in SHIFTS:
        there = slice(max(0, shift), min(length, length + shift))
        here = slice(max(0, -shift), min(length, length - shift))
        weights = reads[:, here]
        shares[shift] = float(weights[is_a[:, there]].sum() / max(weights.sum(), 1))
    best = max(shares, key=lambda shift: (shares[shift], -abs(shift)))
    overall, places = float(is_a.mean()), int((reads > 0).sum())
    if places >= LEAST_PLACES:
        if antisense > sense:
            raise InputError(
                f"{source}: of the reads after stop codons, {sense:,} are on the strand of the gene and"
                f" {antisense:,} on the other: are the strands swapped (`path` and `minus`)?"
            )
        if shares[best] < LEAST_RICH * overall:
            raise InputError(
                f"{source}: the share of A at 3' ends and up to {max(SHIFTS)} nt around them is at most"
                f" {shares[best]:.0%}, and {overall:.0%} in the sequences overall, but cleavage is at A-rich"
                " positions: are these the positions of 3' ends, on the genome's assembly?"
            )
        if best:
            log.warning(
                "%s: most A's are %+d nt from the given positions (%.0f %%, there %.0f %%): are they off by one? Key"
                " `first` of format `table` is the coordinate of a contig's first base",
                *(source, best, 100 * shares[best], 100 * shares[0]),
            )
    return {
        "sense": sense,
        "antisense": antisense,
        "share_of_a": {str(shift): share for shift, share in shares.items()},
        "overall": overall,
        "shift": best,
        "judged": places >= LEAST_PLACES,
    }


def check_depth(
    split: pd.Series, counts: np.ndarray, tracks: tuple[str, ...], source: str | Path
) -> None:
    """Every track has a gene whose profile can be judged in each split, else InputError: before any training."""
    for part in ("train", "valid", "test"):
        totals = counts[(split == part).to_numpy()].sum(axis=-1)
        for number, track in enumerate(tracks):
            if not (totals[:, number] > MIN_READS).any():
                raise InputError(
                    f"{source}: track {track!r} has no gene with more than {MIN_READS} reads in split {part!r} (at"
                    f" most {totals[:, number].max(initial=0)} in {len(totals)} genes): leave it out"
                    " (`tracks` of polya.ends) or hold out other chromosomes (polya.chromosomes)"
                )


def covered_orfs(
    intact: pd.DataFrame, genes: pd.DataFrame, files: Mapping[str, str | Path], most_wrong: float
) -> dict[str, Any]:
    """How many transcripts that are said to cover an ORF do so, of those whose gene the annotation has.

    Raises InputError where more than `most_wrong` do not, or no gene is known.
    """
    both = intact.merge(genes, left_on="gene", right_on="id", suffixes=("", "_orf"))
    if both.empty:
        raise InputError(
            f"{files['ends']} and {files['annotation']}: none of {len(intact)} transcripts belongs to a gene of"
            f" the annotation: {', '.join(intact['gene'].head(3))}, there {', '.join(genes['id'].head(3))}."
            " Give an annotation with the same gene names"
        )
    covers = (both["start"] <= both["start_orf"]) & (both["end_orf"] <= both["end"])
    for column in ("seqname", "strand"):
        covers &= both[column].astype("str") == both[f"{column}_orf"].astype("str")
    share = float(covers.mean())
    if 1 - share > most_wrong:
        raise InputError(
            f"{files['ends']} and {files['annotation']}: of {len(both)} transcripts said to cover an intact"
            f" ORF, only {share:.1%} do; the exceptions include one of {both.loc[~covers, 'gene'].iloc[0]}. Are"
            " they on the same assembly?"
        )
    return {"transcripts": len(intact), "of_known_genes": len(both), "share": share}
