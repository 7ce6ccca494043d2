"""GraphProt: binding sites of a protein told from other RNA by sequence and structure. Label 1 is bound.

Maticzka et al., "GraphProt: modeling binding preferences of RNA-binding proteins", Genome Biology
2014;15:R17. Features and classifier are those of the tool 1.1.7; structures come from ViennaRNA instead of RNAshapes
(see `sequence.shreps`). Sequences have no context that is folded only, the tool's lower-case letters.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Baseline, margin
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.graphprot_features import features
from nucleotune.baselines.graphprot_sgd import fit_sgd
from nucleotune.sequence.shreps import shape_representatives

log = logging.getLogger(__name__)


def fit(
    sequences: Sequence[str], labels: np.ndarray, options: Mapping[str, Any], seed: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,), 0 or 1; return the fitted method, whose score is the margin, and info.

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
    used = np.flatnonzero(weights)
    settings = {
        **kernel,
        "bias": float(bias),
        "abstraction": None if options["sequence_only"] else options["abstraction"],
    }
    learnt = Learnt({"features": used, "weights": weights[used]}, settings)
    running = {key: options[key] for key in ("threads", "structures") if key in options}
    return Fitted(learnt, restore(learnt, **running)), info


def restore(
    learnt: Learnt, threads: int = 1, structures: Mapping[str, Sequence[str]] | None = None
) -> Score:
    """The margin, above 0 for label 1, as a function of sequences; `threads` processes fold what `structures` lacks."""
    settings = learnt.settings
    kernel = {name: settings[name] for name in ("radius", "distance", "bitsize")}
    weights = np.zeros(2 ** settings["bitsize"])
    weights[learnt.arrays["features"]] = learnt.arrays["weights"]
    folding = {
        "sequence_only": settings["abstraction"] is None,
        "abstraction": settings["abstraction"],
        "threads": threads,
        "structures": structures or {},
    }

    def score(batch: Sequence[str]) -> np.ndarray:
        return features(batch, _structures(batch, folding), **kernel) @ weights + settings["bias"]

    return score


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


BASELINES = {
    "graphprot": Baseline(
        lambda train, valid, options, seed: fit(*train, options, seed),
        margin,
        restore,
        ("graphprot",),
        folds=True,
    )
}
