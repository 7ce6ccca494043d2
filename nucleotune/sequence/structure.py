"""Secondary structure of least free energy, folded by ViennaRNA.

Lorenz et al., "ViennaRNA Package 2.0", Algorithms for Molecular Biology 2011;6:26.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import RNA
from joblib import Parallel, delayed

log = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 15.0

Folded = TypeVar("Folded")


class Fold(NamedTuple):
    """Structure in dot-bracket notation, one sign a nucleotide, and its free energy in kcal/mol."""

    dot_bracket: str
    mfe: float


def fold_sequences(
    sequences: Sequence[str], *, max_fold: int | None = None, threads: int = 1
) -> list[Fold]:
    """Fold every sequence (upper-case ACGTN) as RNAfold does by default: 37 C, Turner 2004, dangles on both sides.

    Time grows with the cube of the length. A sequence longer than `max_fold` nt is cut into the fewest pieces of equal
    length (give or take one) that are not longer; their structures are joined and their energies added. That is a
    structure of the whole sequence without pairs between pieces, so the energy is, dangling ends apart, an upper bound.
    None folds all of it at once.

    `threads` processes work in parallel; the result does not depend on them. Progress is logged.
    """
    return fold_each(_fold, sequences, max_fold, threads=threads)


def fold_each(
    fold: Callable[..., Folded], sequences: Sequence[str], *arguments: object, threads: int
) -> list[Folded]:
    """Return `fold(sequence, *arguments)` of every sequence, computed by `threads` processes; progress is logged."""
    started = reported = time.perf_counter()
    nucleotides = sum(map(len, sequences))
    folds, done = [], 0
    jobs = (delayed(fold)(sequence, *arguments) for sequence in sequences)
    for folded in Parallel(n_jobs=threads, return_as="generator")(jobs):
        done += len(sequences[len(folds)])
        folds.append(folded)
        now = time.perf_counter()
        if now - reported > _LOG_EVERY_SECONDS or len(folds) == len(sequences):
            rate, reported = done / (now - started), now
            log.info(
                "folded %d of %d sequences, %.0f nt/s, %.0f s to go",
                *(len(folds), len(sequences), rate, (nucleotides - done) / max(rate, 1e-9)),
            )
    return folds


def _fold(sequence: str, max_fold: int | None) -> Fold:
    if not sequence:
        return Fold("", 0.0)
    n = len(sequence)
    pieces = 1 if max_fold is None else -(-n // max_fold)
    # In U, because ViennaRNA does not take T for U everywhere: some energies would differ.
    rna = sequence.replace("T", "U")
    cuts = [n * i // pieces for i in range(pieces + 1)]
    folded = [RNA.fold(rna[cuts[i] : cuts[i + 1]]) for i in range(pieces)]
    # ViennaRNA computes in whole hundredths of a kcal/mol and returns them as float32.
    return Fold("".join(db for db, _ in folded), round(sum(round(mfe, 2) for _, mfe in folded), 2))
