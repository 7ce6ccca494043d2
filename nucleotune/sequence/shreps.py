"""Shape representatives: the best structures of an RNA that differ in shape.

Giegerich et al., "Abstract shapes of RNA", Nucleic Acids Research 2004;32:4843; Steffen et al., "RNAshapes",
Bioinformatics 2006;22:500. ViennaRNA computes here what RNAshapes 2.1.6 does: energies of Turner 1999, single dangling
ends, no lonely pairs.
"""

from collections.abc import Sequence
from functools import cache

import RNA

from nucleotune.errors import InputError
from nucleotune.sequence.structure import fold_each

#: Longest sequence, in nt: the suboptimal structures to look through grow exponentially with the length.
MAX_LENGTH = 150

#: Share of the least free energy that a structure may lie above it.
_RANGE = 0.10

# Of structures of one shape and energy the first is taken, read from the 5' end with ")" before "." before "("; shapes
# of one energy are ranked by their structures, "(" before ")" before ".". RNAshapes mostly chooses so.
_TIE_ORDER = str.maketrans(").(", "012")


def shape_representatives(
    sequences: Sequence[str], *, abstraction: int = 3, n_best: int = 3, threads: int = 1
) -> list[list[str]]:
    """Return for each sequence (upper-case ACGTN) at most `n_best` structures in dot-bracket notation, the best first.

    Of all structures within 10 % of the least free energy, each shape is represented by its best; the representatives
    of the `n_best` best shapes are returned. The first is a structure of least free energy. `abstraction` is the level
    of the shapes, 1 (nesting of all loops and unpaired stretches) to 5 (nesting of helices alone).

    The result holds plain lists and strings, to be kept as JSON. `threads` processes work in parallel; the result does
    not depend on them. Raises InputError for a sequence longer than MAX_LENGTH nt.
    """
    longest = max(map(len, sequences), default=0)
    if longest > MAX_LENGTH:
        raise InputError(
            f"shape representatives are computed for sequences of at most {MAX_LENGTH} nt, found one with"
            f" {longest} nt; "
            "cut the sequences to a shorter window"
        )
    return fold_each(_representatives, sequences, abstraction, n_best, threads=threads)


def _representatives(sequence: str, abstraction: int, n_best: int) -> list[str]:
    if not sequence:
        return [""]
    rna = sequence.replace("T", "U")
    single, both = (_fold_compound(rna, dangles) for dangles in (1, 2))
    # In hundredths of a kcal/mol, the unit ViennaRNA computes in.
    mfe, mfe_both = (round(100 * fold.mfe()[1]) for fold in (single, both))
    highest = mfe + int(-mfe * _RANGE + 1e-9)
    best: dict[str, tuple[int, str, str]] = {}
    # Structures are listed by the energy with dangling ends on both sides of every helix, never above that with single
    # ones, which is returned: so none is missed, and some are too high.
    for found in single.subopt(highest - mfe_both):
        energy, structure = round(100 * found.energy), found.structure
        if energy > highest:
            continue
        shape = RNA.abstract_shapes(structure, abstraction) if "(" in structure else ""
        candidate = energy, structure.translate(_TIE_ORDER), structure
        if shape not in best or candidate < best[shape]:
            best[shape] = candidate
    ranked = sorted((energy, structure) for energy, _, structure in best.values())
    return [structure for _, structure in ranked[:n_best]]


def _fold_compound(rna: str, dangles: int) -> RNA.fold_compound:
    """What folds `rna` with the settings of RNAshapes 2.1.6, apart from `dangles`, 1 there."""
    model, parameters = _model(dangles)
    fold = RNA.fold_compound(rna, model)
    fold.params_subst(parameters)
    return fold


@cache
def _model(dangles: int) -> tuple[RNA.md, RNA.param]:
    """Settings and energies; ViennaRNA's own set of energies, one per process, is Turner 2004 before and after."""
    model = RNA.md()
    model.dangles = dangles
    model.noLP = 1
    model.uniq_ML = 1
    RNA.params_load_RNA_Turner1999()
    parameters = RNA.param(model)
    RNA.params_load_RNA_Turner2004()
    return model, parameters
