"""Classical methods, one module each: what the language models are compared with.

A baseline learns from the labelled sequences of some splits and scores those of `valid` and `test`;
`fit_predict` is the one entry point, `MODULES` the register a new one is added to. What it has learnt is written to
a model directory (`fitted`), from which `predict_baseline` scores other sequences.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nucleotune.baselines.base import Baseline, Labelled, margin
from nucleotune.baselines.equal_length import check_lengths
from nucleotune.baselines.fitted import Score, load_learnt, save_learnt
from nucleotune.baselines.targets import (
    COLUMNS,
    counts_of,
    named_table,
    table_of,
    targets_of,
    unlinked,
)
from nucleotune.contracts import further_tests, refuse
from nucleotune.errors import InputError
from nucleotune.progress import Progress

log = logging.getLogger(__name__)

#: Splits that are scored, beside further test sets; `valid` names the best baseline, `test` measures it.
PREDICTED_SPLITS = ("valid", "test")

#: Libraries whose version an info dict tells.
_LIBRARIES = ("numpy", "numba", "scikit-learn", "biopython", "ViennaRNA", "torch", "lightgbm")

_CHUNK = 2_000


#: Module of each method; it is imported where the method is used, because libraries take seconds.
MODULES = {
    **{name: name for name in ("cpc2", "plek", "lncfinder", "tfidf", "mdeep")},
    "lncfinder_structure": "lncfinder",
    **{name: name for name in ("graphprot", "ideeps", "hocnnlb")},
    **dict.fromkeys(
        ("length", "gc", "orf_length", "start_codon", "dinucleotide", "biotype"), "reference_lines"
    ),
    **{name: name for name in ("majority", "onehot", "cnn", "boosted")},
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
    kind: str = "classes",
    output_dir: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Train `baseline` on the rows of `train_splits`; score those of `valid`, `test` and further test sets.

    `examples` and the predictions returned keep the contract (`nucleotune.contracts`); every row
    is scored, whatever its length; `ideeps` and `hocnnlb` take one length only. `options`, all
    required: c_grid, gamma_grid, folds, max_train (cpc2, plek, lncfinder), with max_fold and threads
    (lncfinder_structure); ngram_ranges, c_grid (tfidf); max_length and the four stages (mdeep); epochs,
    batch_size, patience, threads (ideeps); filters, kernel, pool, dense, epochs, batch_size (hocnnlb);
    those of `graphprot.fit` (graphprot), `onehot.fit`, `cnn.fit` and `boosted.fit`; none (the reference lines). See
    `svm.fit_svm`, `lncfinder.fit`, `tfidf.fit`, `graphprot.fit` and `fit_network` of the networks for what they mean.

    `output_dir` is the model directory to be written, if any; `kind` is one of `tasks.KINDS` but profiles, `labels` the
    names of the classes, labels or numbers, in order. Predictions are those of the kind.

    Returns also an info dict, ready for JSON: the rows of each class used or there, the choices
    made, `seconds` for features, fit and predict (its features included), library versions.

    Raises InputError for an unknown baseline, for a kind of labels that it does not serve, for examples without the
    column that it reads, for training on a split that is scored, for training rows of one class only or without any
    value of a label or number, for several lengths where a method takes one, and when there is nothing to score.
    """
    method = find_baseline(baseline)
    two = kind == "classes" and len(labels) == 2
    if not two and method.general is None:
        raise InputError(
            f"{baseline}: learns two classes only, these examples have {len(labels)} {kind}"
        )
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
    rows = examples[examples["split"].isin(train_splits)]
    train = Labelled(rows[method.column].tolist(), targets_of(rows, kind, labels))
    counts = counts_of(train.labels, kind, labels)
    _check_training(baseline, counts, kind, train_splits)
    scored = examples[examples["split"].isin(predicted_splits(examples["split"]))]
    if scored.empty:
        raise InputError(f"{baseline}: no rows of split {' or '.join(PREDICTED_SPLITS)} to score")

    if method.one_length:
        read = examples[examples["split"].isin([*train_splits, *scored["split"].unique()])]
        check_lengths(read["id"].tolist(), read["sequence"].tolist(), baseline)
    said = ", ".join(f"{name}: {n}" for name, n in counts.items())
    log.info("%s: training on %d rows (%s)", baseline, len(train.labels), said)
    rows = scored[scored["split"] == "valid"]
    valid = Labelled(rows[method.column].tolist(), targets_of(rows, kind, labels))
    if two:
        fitted, info = method.fit(train, valid, options, seed)
    else:
        fitted, info = method.general(train, valid, options, seed, kind, len(labels))
    log.info("%s: trained: %s", baseline, info)
    started = time.perf_counter()
    scores = _in_chunks(fitted.score, scored[method.column].tolist(), baseline)
    info["seconds"]["predict"] = time.perf_counter() - started

    versions = {library: version(library) for library in _LIBRARIES}
    if output_dir is not None:
        description = {"baseline": baseline, "seed": seed, "labels": list(labels)}
        if not two:
            description["task"] = kind
        save_learnt(output_dir, fitted.learnt, {**description, "versions": versions})

    if two:
        predictions = scored[["id", "split", "label"]].assign(
            score=scores, predicted=method.decide(scores).astype(np.int8)
        )
    else:
        truth = ["label"] if kind == "classes" else [COLUMNS[kind] + name for name in labels]
        told = table_of(scores, kind, labels).set_index(scored.index)
        predictions = pd.concat([scored[["id", "split", *truth]], told], axis=1)
    return predictions.reset_index(drop=True), {
        "baseline": baseline,
        "train_splits": list(train_splits),
        "train_rows": counts,
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
    (the method's own decision), `truncated` (whether it reads only a part of the sequence). Of other kinds than two
    classes there are `score:<name>` and `predicted` (a class) or `predicted:<name>`, see `predict`.

    Raises InputError for a directory that is broken or of another version, and for a record of another length than the
    one that the method takes.
    """
    method, baseline = _method_of(directory, description), description["baseline"]
    kind, names = description.get("task", "classes"), description.get("labels", ["0", "1"])
    two = kind == "classes" and len(names) == 2
    if not len(ids):
        empty = np.empty((0, len(names)))
        told = ["score", "predicted"] if two else named_table(empty, kind, names).columns
        return pd.DataFrame(columns=["id", *told, "truncated"])
    learnt = load_learnt(directory, description)
    length, longest = (learnt.settings.get(name) for name in ("length", "longest"))
    sizes = [len(value) for value in values]
    for name, size in zip(ids, sizes, strict=True):
        if length is not None and size != length:
            raise InputError(
                f"record {name!r} has {size} nt; {baseline} in {directory} takes sequences of {length} nt: cut"
                " it to that length"
            )
    with _fits(directory, baseline):
        scores = _in_chunks(method.restore(learnt, threads), list(values), baseline)
    what = f"the score of {baseline} is not a finite number; make or copy the directory again"
    refuse(directory, ids, ~np.isfinite(scores).reshape(len(scores), -1).all(axis=1), what)
    if two:
        decided = method.decide(scores).astype(np.int8)
        told = pd.DataFrame({"score": scores, "predicted": decided})
    elif scores.shape != (len(ids), len(names)):
        raise InputError(
            f"{directory}: scores of {baseline} are not those of {', '.join(names)}; make or copy it again"
        )
    else:
        told = named_table(scores, kind, names)
    told.insert(0, "id", list(ids))
    return told.assign(truncated=[longest is not None and size > longest for size in sizes])


class Saved(NamedTuple):
    """A baseline that reads sequences, from its model directory.

    kind     of labels
    names    of its classes, labels or numbers
    outputs  of n sequences, (n, parts), one for each name: `targets.unlinked` of its scores
    """

    kind: str
    names: Sequence[str]
    outputs: Score


def saved_baseline(
    directory: str | Path, description: Mapping[str, Any], *, threads: int = 1
) -> Saved:
    """The baseline in a model directory, whose description was read already.

    Raises InputError for a directory that is broken or of another version, and for a baseline that does not read
    sequences.
    """
    method, baseline = _method_of(directory, description), description["baseline"]
    if method.column != "sequence":
        raise InputError(f"{directory}: {baseline} reads {method.column!r}, not the sequence")
    kind, names = description.get("task", "classes"), description.get("labels", ["0", "1"])
    with _fits(directory, baseline):
        score = method.restore(load_learnt(directory, description), threads)

    def outputs(sequences: Sequence[str]) -> np.ndarray:
        with _fits(directory, baseline):
            scores = np.asarray(score(list(sequences)), dtype=float)
            return unlinked(scores, kind, margins=method.decide is margin)

    return Saved(kind, names, outputs)


def _method_of(directory: str | Path, description: Mapping[str, Any]) -> Baseline:
    """The method whose model is in a directory."""
    baseline = description.get("baseline")
    if baseline not in MODULES:
        raise InputError(
            f"{directory}: holds baseline {baseline!r}; this version knows {', '.join(MODULES)}"
        )
    return find_baseline(baseline)


@contextmanager
def _fits(directory: str | Path, baseline: str) -> Iterator[None]:
    """Around the use of what was saved: an error of arrays that do not fit together names the directory."""
    try:
        yield
    except KeyError as error:
        raise InputError(f"{directory}: no {error} there; make or copy it again") from error
    except InputError:
        raise
    except (IndexError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{directory}: what {baseline} learnt does not fit together ({reason}); make or copy it again"
        ) from error


def _check_training(
    baseline: str, counts: Mapping[str, int], kind: str, splits: Sequence[str]
) -> None:
    """Raise InputError unless training rows are of two classes, or know every label or number."""
    where = f"{baseline}: training split(s) {', '.join(splits)} hold"
    if kind == "classes":
        if len(counts) == 2 and not all(counts.values()):
            raise InputError(
                f"{where} {counts['label_0']} rows of label 0 "
                f"and {counts['label_1']} of label 1; both classes are needed"
            )
        if sum(map(bool, counts.values())) < 2:
            raise InputError(f"{where} rows of less than two classes; give it more")
        return
    unknown = [name for name, n in counts.items() if not n]
    if unknown:
        raise InputError(f"{where} no row in which {unknown[0]!r} is known; leave it out")


def _in_chunks(score: Score, sequences: list[str], baseline: str) -> np.ndarray:
    progress = Progress(f"{baseline}: scoring", len(sequences), "rows")
    scores = []
    for first in range(0, len(sequences), _CHUNK):
        chunk = sequences[first : first + _CHUNK]
        scores.append(np.asarray(score(chunk), dtype=float))
        progress.advance(len(chunk))
    return np.concatenate(scores)
