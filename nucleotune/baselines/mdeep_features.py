"""What lncRNA_Mdeep sees of a transcript: its longest ORF twice (four numbers, 6-mers) and its letters once.

Fan et al., "lncRNA_Mdeep: an alignment-free predictor for distinguishing long non-coding RNAs from protein-coding
transcripts by multimodal deep learning", International Journal of Molecular Sciences 2020;21:5222. The features equal
those of the authors' tool, but for the table of the hexamer score: theirs is CPAT's human one for every species, here
it is learnt from the training rows (`learn_hexamer_ratios`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nucleotune.sequence import hexamers
from nucleotune.sequence.alphabet import BASE_CODES
from nucleotune.sequence.fickett import TESTCODE, fickett_scores
from nucleotune.sequence.orf import longest_orfs

#: Names of the columns of `orf_features`.
ORF_FEATURES = ("orf_length", "orf_coverage", "fickett_score", "hexamer_score")

#: Transcripts whose 6-mers are counted at a time; bounds the int64 intermediate.
_CHUNK = 2_000


class Inputs(NamedTuple):
    """What the three branches see of n transcripts.

    orf      float32 (n, 4), `orf_features`
    kmers    float32 (n, 4096), `kmer_features`
    letters  n arrays, uint8, of the codes of each transcript's first letters
    """

    orf: np.ndarray
    kmers: np.ndarray
    letters: list[np.ndarray]

    def rows(self, indices: np.ndarray) -> "Inputs":
        """The transcripts `indices`, in that order."""
        return Inputs(self.orf[indices], self.kmers[indices], [self.letters[i] for i in indices])


def learn_hexamer_ratios(sequences: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Return `hexamers.log_ratios` (4096,): longest ORFs of label 0 (mRNA) against whole transcripts of label 1."""
    coding = [sequence for sequence, label in zip(sequences, labels, strict=True) if label == 0]
    noncoding = (sequence for sequence, label in zip(sequences, labels, strict=True) if label == 1)
    return hexamers.log_ratios(longest_orf_sequences(coding), noncoding)


def make_inputs(sequences: Sequence[str], ratios: np.ndarray, max_length: int) -> Inputs:
    """Return the inputs of transcripts in upper-case ACGTN, of each `max_length` letters at most.

    `ratios` (4096,) is the table of the hexamer score.
    """
    orfs = longest_orf_sequences(sequences)
    kmers = np.empty((len(orfs), hexamers.N_WORDS), dtype=np.float32)
    for first in range(0, len(orfs), _CHUNK):
        kmers[first : first + _CHUNK] = kmer_features(orfs[first : first + _CHUNK])
    lengths = np.array([len(sequence) for sequence in sequences])
    letters = [
        BASE_CODES[np.frombuffer(sequence[:max_length].encode("ascii"), dtype=np.uint8)]
        for sequence in sequences
    ]
    return Inputs(orf_features(orfs, lengths, ratios).astype(np.float32), kmers, letters)


def longest_orf_sequences(sequences: Sequence[str]) -> list[str]:
    """Return the longest ORF of every transcript (CPC2's rule, the stop inside), '' where there is none."""
    orfs = longest_orfs(sequences)
    return [s[orf.start : orf.end] for s, orf in zip(sequences, orfs, strict=True)]


def orf_features(orfs: Sequence[str], lengths: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Return four features of each ORF, float64 (n, 4).

    Columns: length in nucleotides; its share of the transcript's length, `lengths` (n,); Fickett score of the ORF with
    the original tables as CPAT reads them; mean of `ratios` (4096,) over its codon pairs at step 3.
    """
    table = np.empty((len(orfs), len(ORF_FEATURES)))
    table[:, 0] = [len(orf) for orf in orfs]
    table[:, 1] = table[:, 0] / lengths
    table[:, 2] = fickett_scores(orfs, TESTCODE)
    table[:, 3] = hexamers.mean_log_ratios(orfs, ratios)
    return table


def kmer_features(orfs: Sequence[str]) -> np.ndarray:
    """Return the 6-mers of each ORF as the tool counts them, float64 (n, 4096).

    Each word is counted without overlap with itself and divided by the ORF's length minus 3 (not 5, as the number of
    6-mers would have it); order of words: `hexamers`. All 0 without an ORF.
    """
    lengths = np.array([len(orf) for orf in orfs])
    return hexamers.count_apart(orfs) / np.maximum(lengths - 3, 1)[:, None]
