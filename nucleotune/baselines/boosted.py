"""Gradient-boosted trees on k-mer counts, by LightGBM.

Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NIPS 2017.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nucleotune.baselines.base import Labelled, every_kind
from nucleotune.baselines.fitted import Fitted, Learnt, Score
from nucleotune.baselines.targets import known, shaped
from nucleotune.sequence.alphabet import BASE_CODES


def kmer_counts(sequences: Sequence[str], longest: int) -> np.ndarray:
    """Counts of all 1-mers, 2-mers, ... to `longest`, such with N left out: float32 (n, 4 + 16 + ...)."""
    table = np.zeros((len(sequences), sum(4**k for k in range(1, longest + 1))), dtype=np.float32)
    for row, sequence in enumerate(sequences):
        codes = BASE_CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)].astype(np.int64)
        words, legal, first = np.zeros(len(codes), dtype=np.int64), np.ones(len(codes), bool), 0
        for k in range(1, longest + 1):
            n = len(codes) - k + 1
            if n < 1:
                break
            words, legal = 4 * words[:n] + codes[k - 1 :], legal[:n] & (codes[k - 1 :] < 4)
            table[row, first : first + 4**k] = np.bincount(words[legal], minlength=4**k)
            first += 4**k
    return table


def fit(
    train: Labelled, valid: Labelled, options: Mapping[str, Any], seed: int, kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit trees: one model of classes, or one for each label or number on the rows in which it is known.

    options: `kmer`, the longest; `rounds` at most, ended after `patience` rounds without a lower loss on the `valid`
    rows, whose best round is kept (all rounds without such rows); `learning_rate`, `leaves`; `threads`. LightGBM's
    deterministic mode: the same rows, seed and version give the same trees, whatever the number of threads.

    Info: rounds of each model, rows_used, seconds.
    """
    import lightgbm  # takes a second

    started = time.perf_counter()
    x, x_valid = (kmer_counts(rows.sequences, options["kmer"]) for rows in (train, valid))
    computed = time.perf_counter()
    settings = {
        "objective": {"classes": "multiclass", "labels": "binary", "numbers": "regression"}[kind],
        "learning_rate": options["learning_rate"],
        "num_leaves": options["leaves"],
        "num_threads": options["threads"],
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if kind == "classes":
        settings["num_class"] = parts
    arrays, rounds = {}, []
    for part in range(1 if kind == "classes" else parts):
        y, y_valid, rows, rows_valid = train.labels, valid.labels, slice(None), slice(None)
        if kind != "classes":
            rows, rows_valid = known(train.labels, part), known(valid.labels, part)
            y, y_valid = train.labels[rows, part], valid.labels[rows_valid, part]
        data = lightgbm.Dataset(x[rows], y)
        watched: dict[str, Any] = {}
        if len(y_valid):
            watched = {
                "valid_sets": [lightgbm.Dataset(x_valid[rows_valid], y_valid, reference=data)],
                "callbacks": [lightgbm.early_stopping(options["patience"], verbose=False)],
            }
        booster = lightgbm.train(settings, data, num_boost_round=options["rounds"], **watched)
        kept = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
        rounds.append(kept)
        text = booster.model_to_string(num_iteration=kept).encode("utf-8")
        arrays[f"model{part}"] = np.frombuffer(text, dtype=np.uint8)
    seconds = {"features": computed - started, "fit": time.perf_counter() - computed}
    learnt = Learnt(arrays, {"kind": kind, "kmer": options["kmer"]})
    info = {"rows_used": len(train.labels), "rounds": rounds, "seconds": seconds}
    return Fitted(learnt, restore(learnt, options["threads"])), info


def restore(learnt: Learnt, threads: int) -> Score:
    """Scores as a function of sequences."""
    import lightgbm

    kind = learnt.settings["kind"]
    try:
        models = [
            lightgbm.Booster(model_str=learnt.arrays[f"model{part}"].tobytes().decode("utf-8"))
            for part in range(len(learnt.arrays))
        ]
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from error

    def score(batch: Sequence[str]) -> np.ndarray:
        x = kmer_counts(batch, learnt.settings["kmer"])
        found = [model.predict(x, num_threads=threads) for model in models]
        return shaped(found[0] if kind == "classes" else np.column_stack(found), kind)

    return score


BASELINES = {"boosted": every_kind(fit, restore, settings=("boosted",), threaded=True)}
