"""Secondary structure of least free energy, folded by ViennaRNA.

Lorenz et al., "ViennaRNA Package 2.0", Algorithms for Molecular Biology 2011;6:26.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import RNA
from joblib import Parallel, delayed

from nucleotune.progress import Progress

Folded = TypeVar("Folded")


class Fold(NamedTuple):
    """Structure in dot-bracket notation, one sign a nucleotide, and its free energy in kcal/mol."""

    dot_bracket: str
    mfe: float


class EnergyModel(NamedTuple):
    """Nearest-neighbour energies at 37 C and how a structure is scored with them.

    parameters       turner1999 or turner2004
    dangles          how bases next to a helix count: 2 on both sides of every helix, 1 each for one helix at most
    no_lonely_pairs  True leaves out structures with helices of a single pair
    """

    parameters: str
    dangles: int
    no_lonely_pairs: bool


#: What RNAfold does by default.
RNAFOLD = EnergyModel("turner2004", dangles=2, no_lonely_pairs=False)

#: As RNAshapes 2.1.6 does, nearly: of 40 random sequences of 101 nt, 35 fold into the same structure.
RNASHAPES = EnergyModel("turner1999", dangles=1, no_lonely_pairs=True)


def fold_sequences(
    sequences: Sequence[str],
    *,
    model: EnergyModel = RNAFOLD,
    max_fold: int | None = None,
    threads: int = 1,
) -> list[Fold]:
    """Fold every sequence (upper-case ACGTN) into its structure of least free energy under `model`.

    Time grows with the cube of the length. A sequence longer than `max_fold` nt is cut into the fewest pieces of equal
    length (give or take one) that are not longer; their structures are joined and their energies added. That is a
    structure of the whole sequence without pairs between pieces, so the energy is, dangling ends apart, an upper bound.
    None folds all of it at once.

    `threads` processes work in parallel; the result does not depend on them. Progress is logged.
    """
    return fold_each(_fold, sequences, model, max_fold, threads=threads)


def fold_each(
    fold: Callable[..., Folded], sequences: Sequence[str], *arguments: object, threads: int
) -> list[Folded]:
    """Return `fold(sequence, *arguments)` of every sequence, computed by `threads` processes; progress is logged."""
    progress = Progress("folding", sum(map(len, sequences)), "nt")
    folds = []
    jobs = (delayed(fold)(sequence, *arguments) for sequence in sequences)
    for folded in Parallel(n_jobs=threads, return_as="generator")(jobs):
        progress.advance(len(sequences[len(folds)]))
        folds.append(folded)
    return folds


def _fold(sequence: str, model: EnergyModel, max_fold: int | None) -> Fold:
    if not sequence:
        return Fold("", 0.0)
    n = len(sequence)
    pieces = 1 if max_fold is None else -(-n // max_fold)
    # In U, because ViennaRNA does not take T for U everywhere: some energies would differ.
    rna = sequence.replace("T", "U")
    cuts = [n * i // pieces for i in range(pieces + 1)]
    folded = [_fold_piece(rna[cuts[i] : cuts[i + 1]], model) for i in range(pieces)]
    # ViennaRNA computes in whole hundredths of a kcal/mol and returns them as float32.
    return Fold("".join(db for db, _ in folded), round(sum(round(mfe, 2) for _, mfe in folded), 2))


def _fold_piece(rna: str, model: EnergyModel) -> tuple[str, float]:
    details, energies = _load(model)
    compound = RNA.fold_compound(rna, details)
    compound.params_subst(energies)
    return compound.mfe()


@cache
def _load(model: EnergyModel) -> tuple[RNA.md, RNA.param]:
    """Settings and energies of `model`, for this process.

    ViennaRNA reads energies into a global table, which is set back to its default: no other fold changes.
    """
    details = RNA.md()
    details.dangles = model.dangles
    details.noLP = int(model.no_lonely_pairs)
    _PARAMETERS[model.parameters]()
    try:
        return details, RNA.param(details)
    finally:
        RNA.params_load_RNA_Turner2004()


_PARAMETERS = {
    "turner1999": RNA.params_load_RNA_Turner1999,
    "turner2004": RNA.params_load_RNA_Turner2004,
}
