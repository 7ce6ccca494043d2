"""LncFinder: ORF, word distances, spectrum and, if asked for, secondary structure, for a support vector machine.

Han et al., "LncFinder: an integrated platform for long non-coding RNA identification utilizing sequence intrinsic
composition, structural information and physicochemical property", Briefings in Bioinformatics 2019;20:2009. The
features equal those of the authors' R package 1.1.6; word frequencies of the classes and the SVM are learnt from the
study's own transcripts. Label 1 is lncRNA, 0 is mRNA.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nucleotune.baselines import svm
from nucleotune.baselines.base import Baseline, margin
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.lncfinder_distance import NO_LETTER, count_words, log_distances
from nucleotune.errors import InputError
from nucleotune.sequence import eiip
from nucleotune.sequence.kmers import join_letters
from nucleotune.sequence.orf import find_orfs_within
from nucleotune.sequence.structure import Fold, fold_sequences

log = logging.getLogger(__name__)

#: Names of the columns of `features`.
FEATURES = (
    *("orf_length", "orf_coverage"),
    *("hexamer_lncrna", "hexamer_mrna", "hexamer_ratio"),
    *eiip.FEATURES,
)

#: Names of the columns of `structure_features`.
STRUCTURE_FEATURES = (
    *("unpaired_lncrna", "unpaired_mrna", "unpaired_ratio"),
    *("paired_lncrna", "paired_mrna", "paired_ratio"),
    *("mfe", "paired_after_unpaired"),
)

# Words of the ORF, or of the whole transcript where the ORF has fewer than three.
_HEXAMERS = {"alphabet": 4, "k": 6, "step": 3}
_LEAST_HEXAMERS = 3
# "acguD" of the tool: the paired base, or D where unpaired; "acguACGU": the base, unpaired or paired.
_UNPAIRED = {"alphabet": 5, "k": 4, "step": 1}
_PAIRED = {"alphabet": 8, "k": 3, "step": 1}

_SHORTEST_ORF = 12

_CODES = np.full(256, NO_LETTER, dtype=np.uint8)
_CODES[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)
_DOT = ord(".")


class StructureReference(NamedTuple):
    """Frequencies of words with structure in lncRNAs and mRNAs, rows in that order: (2, 625) and (2, 512)."""

    unpaired: np.ndarray
    paired: np.ndarray


def features(sequences: Sequence[str], hexamers: np.ndarray) -> np.ndarray:
    """Return the features without structure, float64 (n, 11), of transcripts in upper-case ACGTN.

    `hexamers`: frequencies in lncRNAs and mRNAs, see `hexamer_frequencies`. Columns: length of the longest ORF in
    nucleotides, its stop included, and over that of the transcript; logarithm-distance of the ORF's hexamers, read in
    frame, to those of lncRNAs and mRNAs, and the first over the second (0 where that is 0); `eiip.eiip_features`.
    Where the ORF has fewer than three hexamers, those of the whole transcript count, every third from its begin on.
    """
    letters, begins, ends = _buffer(sequences)
    orfs = find_orfs_within(letters, begins, ends)
    codes = _CODES[letters]
    distances, found = log_distances(
        codes, begins + orfs.start, begins + orfs.end, hexamers, **_HEXAMERS
    )
    few = found < _LEAST_HEXAMERS
    distances[few], _ = log_distances(codes, begins[few], ends[few], hexamers, **_HEXAMERS)
    lengths = orfs.end - orfs.start
    return np.column_stack(
        [
            lengths,
            lengths / np.maximum(ends - begins, 1),
            _with_ratio(distances),
            eiip.eiip_features(sequences),
        ]
    )


def structure_features(
    sequences: Sequence[str], folds: Sequence[Fold], reference: StructureReference
) -> np.ndarray:
    """Return the features of structure, float64 (n, 8), of transcripts and their folds.

    Columns: logarithm-distance to lncRNAs and mRNAs and their ratio of 4-mers in which an unpaired base is only "D";
    the same of 3-mers in which an unpaired base differs from a paired one; free energy in kcal/mol; share, of all
    pairs of neighbours, of an unpaired base before a paired one.
    """
    letters, begins, ends = _buffer(sequences)
    paired = _paired(folds)
    by_unpaired, by_paired = (
        log_distances(codes, begins, ends, frequencies, **words)[0]
        for codes, frequencies, words in zip(
            _structure_codes(letters, paired), reference, (_UNPAIRED, _PAIRED), strict=True
        )
    )
    opens = np.zeros(len(letters) + 1, dtype=np.int64)
    # Number of unpaired bases with a paired one behind, up to each position of the buffer.
    np.cumsum(~paired[:-1] & paired[1:], out=opens[1 : max(len(letters), 1)])
    neighbours = np.maximum(ends - begins - 1, 1)
    share = (opens[np.maximum(ends - 1, begins)] - opens[begins]) / neighbours
    mfe = [fold.mfe for fold in folds]
    return np.column_stack([_with_ratio(by_unpaired), _with_ratio(by_paired), mfe, share])


def hexamer_frequencies(sequences: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Return the frequencies of the 4,096 hexamers in lncRNAs and mRNAs, float64 (2, 4096), in the order A, C, G, T.

    lncRNAs (label 1) are counted whole, from their first base on; mRNAs (label 0) in their longest ORF, in frame, if it
    has 12 nt or more: sequences of label 0 may be transcripts or coding sequences. Raises InputError where a class has
    no hexamer.
    """
    letters, begins, ends = _buffer(sequences)
    codes = _CODES[letters]
    orfs = find_orfs_within(letters, begins, ends)
    coding = (labels == 0) & (orfs.end - orfs.start >= _SHORTEST_ORF)
    whole = labels == 1
    return _frequencies(
        count_words(codes, begins[whole], ends[whole], **_HEXAMERS),
        count_words(codes, (begins + orfs.start)[coding], (begins + orfs.end)[coding], **_HEXAMERS),
    )


def structure_frequencies(
    sequences: Sequence[str], folds: Sequence[Fold], labels: np.ndarray
) -> StructureReference:
    """Return the frequencies of words with structure in whole lncRNAs (label 1) and mRNAs (label 0).

    Raises InputError where a class has no word.
    """
    letters, begins, ends = _buffer(sequences)
    tables = []
    for codes, words in zip(
        _structure_codes(letters, _paired(folds)), (_UNPAIRED, _PAIRED), strict=True
    ):
        lncrna, mrna = (
            count_words(codes, begins[labels == label], ends[labels == label], **words)
            for label in (1, 0)
        )
        tables.append(_frequencies(lncrna, mrna))
    return StructureReference(*tables)


def fit(
    sequences: Sequence[str],
    labels: np.ndarray,
    options: Mapping[str, Any],
    seed: int,
    *,
    structure: bool,
) -> tuple[Fitted, dict[str, Any]]:
    """Learn word frequencies and an SVM from `sequences` and `labels` (n,); return the fitted method, and info.

    `options`: c_grid, gamma_grid, folds and max_train as in `svm.fit_svm`; with `structure` also max_fold and threads
    as in `fold_sequences`. Hexamers are counted in all sequences, words with structure in those that the SVM is
    trained on, because folding is slow. Features are scaled to mean 0 and sample standard deviation 1, as in R.

    The score is the SVM's margin, above 0 for label 1. Info is that of `svm.fit_svm` with `seconds`.
    """
    started = time.perf_counter()
    hexamers = hexamer_frequencies(sequences, labels)
    rows = svm.balanced_rows(labels, options["max_train"], np.random.default_rng(seed))
    used, used_labels = [sequences[row] for row in rows], labels[rows]
    x = features(used, hexamers)
    arrays = {"hexamers": hexamers}
    if structure:
        folds = fold_sequences(used, max_fold=options["max_fold"], threads=options["threads"])
        reference = structure_frequencies(used, folds, used_labels)
        arrays |= reference._asdict()
        x = np.column_stack([x, structure_features(used, folds, reference)])
    computed = time.perf_counter()
    log.info("%d x %d features in %.1f s", *x.shape, computed - started)
    model, info = svm.fit_svm(
        x,
        used_labels,
        scale=None,
        c_grid=options["c_grid"],
        gamma_grid=options["gamma_grid"],
        folds=options["folds"],
        max_train=len(x),
        seed=seed,
    )
    info["rows_available"] = len(labels)
    info["seconds"] = {"features": computed - started, "fit": time.perf_counter() - computed}
    settings = {"gamma": info["gamma"], "max_fold": options["max_fold"] if structure else None}
    learnt = Learnt({**arrays, **svm.svm_arrays(model)}, settings)
    return Fitted(learnt, restore(learnt, options.get("threads", 1))), info


def restore(learnt: Learnt, threads: int) -> Score:
    """The margin, above 0 for label 1, as a function of sequences; `threads` processes fold them."""
    arrays, settings = learnt
    model = svm.restore_svm(arrays, scale=None, gamma=settings["gamma"])

    def score(batch: Sequence[str]) -> np.ndarray:
        table = features(batch, arrays["hexamers"])
        if "paired" in arrays:
            folds = fold_sequences(batch, max_fold=settings["max_fold"], threads=threads)
            reference = StructureReference(arrays["unpaired"], arrays["paired"])
            table = np.column_stack([table, structure_features(batch, folds, reference)])
        return model.decision_function(table)

    return score


def _buffer(sequences: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All letters end to end, and where each sequence begins and ends among them."""
    letters, lengths = join_letters(sequences)
    ends = np.cumsum(lengths)
    return letters, ends - lengths, ends


def _with_ratio(distances: np.ndarray) -> np.ndarray:
    lncrna, mrna = distances.T
    ratio = np.divide(lncrna, mrna, out=np.zeros_like(lncrna), where=mrna != 0)
    return np.column_stack([lncrna, mrna, ratio])


def _frequencies(lncrna: np.ndarray, mrna: np.ndarray) -> np.ndarray:
    for name, counts in (("lncRNA (label 1)", lncrna), ("mRNA (label 0)", mrna)):
        if not counts.any():
            raise InputError(
                f"LncFinder: no training row of class {name} has a word to count; mRNAs need an "
                f"ATG and {_SHORTEST_ORF} nt after it, lncRNAs six bases without N"
            )
    return np.stack([lncrna / lncrna.sum(), mrna / mrna.sum()])


def _paired(folds: Sequence[Fold]) -> np.ndarray:
    return join_letters([fold.dot_bracket for fold in folds])[0] != _DOT


def _structure_codes(letters: np.ndarray, paired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of each base in the two alphabets: a, c, g, u, D; and a, c, g, u, A, C, G, U."""
    codes = _CODES[letters]
    cased = np.where(codes == NO_LETTER, codes, codes + 4 * paired.astype(np.uint8))
    return np.where(paired, codes, np.uint8(4)), cased


def _baseline(structure: bool) -> Baseline:
    return Baseline(
        lambda train, valid, options, seed: fit(*train, options, seed, structure=structure),
        margin,
        restore,
        ("svm", "folding") if structure else ("svm",),
        folds=structure,
    )


BASELINES = {"lncfinder": _baseline(False), "lncfinder_structure": _baseline(True)}
