"""The file of a model's contributions: what explains its output, and how far that can be trusted. No torch here."""

import logging
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.attribution.agreement import agreement, mean_with_interval
from nucleotune.attribution.onehot import at_bases
from nucleotune.errors import InputError
from nucleotune.files import atomic_path, reading

logger = logging.getLogger(__name__)

#: How contributions were computed. By mutagenesis they are the centred effects of substitutions themselves.
DEEPLIFT, GRADIENTS = "DeepLIFT", "integrated gradients"
MUTAGENESIS = "mutagenesis"


@dataclass(frozen=True)
class Explained:
    """Contributions to one target of a model, to n sequences of length L.

    way           DEEPLIFT, GRADIENTS or MUTAGENESIS
    ids           (n,), names of the sequences
    sequences     one-hot, float32 (n, 4, L)
    hypothetical  float32 (n, L, 4): what a base would contribute if the sequence had it; gradients at tokens do not
                  say, and have 0 for bases that are not there
    actual        float32 (n, L): of the bases that are there
    values        float64 (n,): target at the sequence, less its mean at the references, which mutagenesis has none of
    delta         float64 (n,): sum of `actual` less `values`, 0 where contributions are complete; NaN of mutagenesis,
                  whose effects do not add up to anything
    mutated       int64 (k,): numbers of the sequences whose every substitution was tried
    effects       float32 (k, L, 4): effects of the substitutions, centred (`ism.centred`)
    sites         int64 (n,): place of the observed site, -1 for none
    """

    way: str
    ids: np.ndarray
    sequences: np.ndarray
    hypothetical: np.ndarray
    actual: np.ndarray
    values: np.ndarray
    delta: np.ndarray
    mutated: np.ndarray
    effects: np.ndarray
    sites: np.ndarray

    def mutation_effects(self) -> np.ndarray:
        """Centred effects at the bases that are there, (k, L): what each is worth above a base at random."""
        return at_bases(self.effects, self.sequences[self.mutated])

    def for_motifs(self) -> tuple[str, np.ndarray]:
        """What motifs and means by position are made of, (n, L, 4), and its name.

        DeepLIFT knows what other bases would contribute. Of token models substitutions tell: gradients at k-mers blur
        what lies within one, and say nothing of bases that are not there.

        Raises InputError for a token model without substitutions in all sequences.
        """
        if self.way != GRADIENTS:
            return self.way, self.hypothetical
        if len(self.mutated) < len(self.ids):
            raise InputError(
                "motifs of a model on tokens are made from the effects of substitutions, but only"
                f" {len(self.mutated)} of"
                f" {len(self.ids)} sequences were mutated: mutate all"
            )
        return MUTAGENESIS, self.effects


def write_contributions(path: str | Path, explained: Explained) -> None:
    """Write a compressed .npz file with one array per field, atomically."""
    arrays = {field.name: getattr(explained, field.name) for field in fields(Explained)}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_contributions(path: str | Path) -> Explained:
    """Read what `write_contributions` wrote. Raises InputError if an array is missing."""
    with reading(path), np.load(path, allow_pickle=False) as file:
        lacking = [field.name for field in fields(Explained) if field.name not in file]
        if lacking:
            raise InputError(
                f"{path}: no array {', '.join(lacking)}; expected a file of rule attribute"
            )
        arrays = {field.name: file[field.name] for field in fields(Explained)}
    return Explained(**arrays | {"way": str(arrays["way"])})


def judge(explained: Explained) -> pd.DataFrame:
    """One row per sequence: `id`, `value`, `delta`, and `pearson` and `spearman` of its contributions and mutation
    effects.

    Correlations are NaN where substitutions were not tried, or are the contributions themselves.
    """
    table = pd.DataFrame({"id": explained.ids, "value": explained.values, "delta": explained.delta})
    compared = agreement(explained.actual[explained.mutated], explained.mutation_effects())
    compared.index = pd.Index(explained.mutated)
    if explained.way == MUTAGENESIS:
        compared[:] = np.nan
    return table.join(compared)


def summarise(explained: Explained, judged: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """JSON values: `way`, numbers of sequences, completeness, and mean agreement with its bootstrap interval.

    Completeness: `largest` and `median` of |delta|, and `relative`, the largest by the mean |value|; None where the
    model says the same of every sequence as of its references. Without substitutions there is no agreement: None.
    Substitutions alone have neither: None.

    Raises InputError where a value or delta is not finite.
    """
    alone = explained.way == MUTAGENESIS
    measured = judged[["value"] if alone else ["value", "delta"]]
    broken = judged.loc[~np.isfinite(measured).all(axis=1), "id"]
    if len(broken):
        raise InputError(
            f"record {broken.iloc[0]!r}: the model's output or its contributions are not finite; train it with a lower"
            " training.learning_rate"
        )
    sizes, scale = judged["delta"].abs(), float(judged["value"].abs().mean())
    if not (explained.effects.any() if alone else scale):
        logger.warning("the model predicts the same for all %d sequences", len(judged))
    return {
        "way": explained.way,
        "motifs_from": MUTAGENESIS if explained.way == GRADIENTS else explained.way,
        "sequences": len(explained.ids),
        "mutated": len(explained.mutated),
        "completeness": None
        if alone
        else {
            "largest": float(sizes.max()),
            "median": float(sizes.median()),
            "relative": float(sizes.max()) / scale if scale else None,
        },
        "agreement": {
            name: mean_with_interval(judged[name].to_numpy(), seed=seed)
            if judged[name].notna().any()
            else None
            for name in ("pearson", "spearman")
        },
    }
