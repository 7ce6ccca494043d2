"""GraphProt: binding sites of a protein told from other RNA by sequence and structure. Label 1 is bound.

Maticzka et al., "GraphProt: modeling binding preferences of RNA-binding proteins", Genome Biology
2014;15:R17. Features and classifier are those of the tool 1.1.7; structures come from ViennaRNA instead of RNAshapes
(see `sequence.shreps`). Sequences have no context that is folded only, the tool's lower-case letters.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.graphprot_features import features
from nucleotune.baselines.graphprot_sgd import fit_sgd
from nucleotune.sequence.shreps import shape_representatives

log = logging.getLogger(__name__)


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Callable[[Sequence[str]], np.ndarray], dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return the margin as a function of sequences, and info.

    `options`: `radius`, `distance` and `bitsize` of the features; `sequence_only` to do without structures, otherwise
    the level of `abstraction` of shapes and `threads` that fold; `epochs` and `lambda` of the classifier. `structures`,
    not required, maps sequences to their shape representatives; only sequences it lacks are folded. The order of the
    rows is the tool's at `seed` 1.

    Info: rows_used, features (how many have a value in the training rows), bias, seconds (folding belongs to the
    features). Raises InputError for sequences that are too long to fold (`shreps.MAX_LENGTH`), unless `sequence_only`.
    """
    kernel = {name: options[name] for name in ("radius", "distance", "bitsize")}
    started = time.perf_counter()
    structures = _structures(sequences, options)
    x = features(sequences, structures, **kernel)
    computed = time.perf_counter()
    log.info(
        "structures and features of %d sequences in %.1f s", len(sequences), computed - started
    )
    weights, bias = fit_sgd(
        x, labels, penalty=options["lambda"], epochs=options["epochs"], seed=seed
    )
    info = {
        "rows_used": len(labels),
        "features": int(len(np.unique(x.indices))),
        "bias": float(bias),
        "seconds": {"features": computed - started, "fit": time.perf_counter() - computed},
    }

    def score(batch: Sequence[str]) -> np.ndarray:
        return features(batch, _structures(batch, options), **kernel) @ weights + bias

    return score, info


def _structures(sequences: Sequence[str], options: Mapping[str, Any]) -> list[list[str]] | None:
    """Shape representatives of `sequences`, each folded once unless known; None with `sequence_only`."""
    if options["sequence_only"]:
        return None
    known = options.get("structures", {})
    unknown = [sequence for sequence in dict.fromkeys(sequences) if sequence not in known]
    folded = shape_representatives(
        unknown, abstraction=options["abstraction"], threads=options["threads"]
    )
    known = {**known, **dict(zip(unknown, folded, strict=True))}
    return [known[sequence] for sequence in sequences]
