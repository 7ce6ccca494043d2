"""Classical methods, one module each: what the language models are compared with.

A baseline learns from the labelled sequences of some splits and scores those of `valid` and `test`;
`fit_predict` is the one entry point, `MODULES` the register a new one is added to. What it has learnt is written to
a model directory (`fitted`), from which `predict_baseline` scores other sequences.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.baselines.base import Baseline, Labelled
from nucleotune.baselines.equal_length import check_lengths
from nucleotune.baselines.fitted import Score, load_learnt, save_learnt
from nucleotune.contracts import further_tests, refuse
from nucleotune.errors import InputError
from nucleotune.progress import Progress

log = logging.getLogger(__name__)

#: Splits that are scored, beside further test sets; `valid` names the best baseline, `test` measures it.
PREDICTED_SPLITS = ("valid", "test")

#: Libraries whose version an info dict tells.
_LIBRARIES = ("numpy", "numba", "scikit-learn", "biopython", "ViennaRNA", "torch")

_CHUNK = 2_000


#: Module of each method; it is imported where the method is used, because libraries take seconds.
MODULES = {
    **{name: name for name in ("cpc2", "plek", "lncfinder", "tfidf", "mdeep")},
    "lncfinder_structure": "lncfinder",
    **{name: name for name in ("graphprot", "ideeps", "hocnnlb")},
    **dict.fromkeys(
        ("length", "gc", "orf_length", "start_codon", "dinucleotide", "biotype"), "reference_lines"
    ),
}


def find_baseline(name: str) -> Baseline:
    """A method by its name. Raises InputError for an unknown one."""
    if name not in MODULES:
        raise InputError(f"unknown baseline {name!r}; expected one of {', '.join(MODULES)}")
    return import_module(f"nucleotune.baselines.{MODULES[name]}").BASELINES[name]


def predicted_splits(splits: Iterable[str]) -> list[str]:
    """Those that are scored of all `splits` of a data set."""
    return [*PREDICTED_SPLITS, *further_tests(splits)]


def fit_predict(
    baseline: str,
    examples: pd.DataFrame,
    *,
    train_splits: Sequence[str],
    options: Mapping[str, Any],
    seed: int,
    labels: Sequence[str] = ("0", "1"),
    output_dir: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Train `baseline` on the rows of `train_splits`; score those of `valid`, `test` and further test sets.

    `examples` and the predictions returned keep the contract (`nucleotune.contracts`); every row
    is scored, whatever its length; `ideeps` and `hocnnlb` take one length only. `options`, all
    required: c_grid, gamma_grid, folds, max_train (cpc2, plek, lncfinder), with max_fold and threads
    (lncfinder_structure); ngram_ranges, c_grid (tfidf); max_length and the four stages (mdeep); epochs,
    batch_size, patience, threads (ideeps); filters, kernel, pool, dense, epochs, batch_size (hocnnlb);
    those of `graphprot.fit` (graphprot); none (the reference lines). See `svm.fit_svm`,
    `lncfinder.fit`, `tfidf.fit`, `graphprot.fit` and `fit_network` of the networks for what they mean.

    `output_dir` is the model directory to be written, if any; `labels` is what labels 0 and 1 mean.

    Returns also an info dict, ready for JSON: the rows of each class used or there, the choices
    made, `seconds` for features, fit and predict (its features included), library versions.

    Raises InputError for an unknown baseline, for examples without the column that it reads, for
    training on a split that is scored, for training rows of one class only, for several lengths
    where a method takes one, and when there is nothing to score.
    """
    method = find_baseline(baseline)
    leaking = set(train_splits) & set(PREDICTED_SPLITS)
    if leaking:
        raise InputError(
            f"{baseline}: split {sorted(leaking)[0]!r} is scored and cannot be trained on; "
            "take it out of the training splits"
        )
    if method.column not in examples or examples[method.column].isna().any():
        raise InputError(
            f"{baseline}: reads column {method.column!r}, which these examples lack or leave empty; "
            "leave the method out of this study"
        )
    train = _labelled(examples[examples["split"].isin(train_splits)], method.column)
    zeros, ones = np.bincount(train.labels, minlength=2).tolist()
    if not zeros or not ones:
        raise InputError(
            f"{baseline}: training split(s) {', '.join(train_splits)} hold {zeros} rows of label 0 "
            f"and {ones} of label 1; both classes are needed"
        )
    scored = examples[examples["split"].isin(predicted_splits(examples["split"]))]
    if scored.empty:
        raise InputError(f"{baseline}: no rows of split {' or '.join(PREDICTED_SPLITS)} to score")

    if method.one_length:
        read = examples[examples["split"].isin([*train_splits, *scored["split"].unique()])]
        check_lengths(read["id"].tolist(), read["sequence"].tolist(), baseline)
    log.info("%s: training on %d rows of label 0 and %d of label 1", baseline, zeros, ones)
    valid = _labelled(scored[scored["split"] == "valid"], method.column)
    fitted, info = method.fit(train, valid, options, seed)
    log.info("%s: trained: %s", baseline, info)
    started = time.perf_counter()
    scores = _in_chunks(fitted.score, scored[method.column].tolist(), baseline)
    info["seconds"]["predict"] = time.perf_counter() - started

    versions = {library: version(library) for library in _LIBRARIES}
    if output_dir is not None:
        description = {"baseline": baseline, "seed": seed, "labels": list(labels)}
        save_learnt(output_dir, fitted.learnt, {**description, "versions": versions})

    predictions = scored[["id", "split", "label"]].assign(
        score=scores, predicted=method.decide(scores).astype(np.int8)
    )
    return predictions.reset_index(drop=True), {
        "baseline": baseline,
        "train_splits": list(train_splits),
        "train_rows": {"label_0": zeros, "label_1": ones},
        "predicted_rows": scored["split"].value_counts().sort_index().to_dict(),
        "seed": seed,
        **info,
        "versions": versions,
    }


def predict_baseline(
    directory: str | Path,
    description: Mapping[str, Any],
    ids: Sequence[str],
    values: Sequence[str],
    *,
    threads: int = 1,
) -> pd.DataFrame:
    """Score records with the baseline in a model directory, whose description was read already.

    `values` are sequences in upper-case ACGTN, or what else the method reads (`Baseline.column`). Structures are folded
    by `threads` processes. Returns one row per record, in order: `id`, `score` (a probability or a margin), `predicted`
    (the method's own decision), `truncated` (whether it reads only a part of the sequence).

    Raises InputError for a directory that is broken or of another version, and for a record of another length than the
    one that the method takes.
    """
    baseline = description.get("baseline")
    if baseline not in MODULES:
        raise InputError(
            f"{directory}: holds baseline {baseline!r}; this version knows {', '.join(MODULES)}"
        )
    method = find_baseline(baseline)
    learnt = load_learnt(directory, description)
    length, longest = (learnt.settings.get(name) for name in ("length", "longest"))
    sizes = [len(value) for value in values]
    for name, size in zip(ids, sizes, strict=True):
        if length is not None and size != length:
            raise InputError(
                f"record {name!r} has {size} nt; {baseline} in {directory} takes sequences of {length} nt: cut"
                " it to that length"
            )
    try:
        score = method.restore(learnt, threads)
        scores = _in_chunks(score, list(values), baseline)
    except KeyError as error:
        raise InputError(f"{directory}: no {error} there; make or copy it again") from error
    except InputError:
        raise
    except (IndexError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{directory}: what {baseline} learnt does not fit together ({reason}); make or copy it again"
        ) from error
    what = f"the score of {baseline} is not a finite number; make or copy the directory again"
    refuse(directory, ids, ~np.isfinite(scores), what)
    return pd.DataFrame(
        {
            "id": list(ids),
            "score": scores,
            "predicted": method.decide(scores).astype(np.int8),
            "truncated": [longest is not None and size > longest for size in sizes],
        }
    )


def _labelled(rows: pd.DataFrame, column: str) -> Labelled:
    return Labelled(rows[column].tolist(), rows["label"].to_numpy(dtype=np.int64))


def _in_chunks(score: Score, sequences: list[str], baseline: str) -> np.ndarray:
    progress = Progress(f"{baseline}: scoring", len(sequences), "rows")
    scores = np.empty(len(sequences))
    for first in range(0, len(sequences), _CHUNK):
        chunk = sequences[first : first + _CHUNK]
        scores[first : first + len(chunk)] = score(chunk)
        progress.advance(len(chunk))
    return scores
