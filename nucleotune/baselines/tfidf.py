"""TF-IDF of character n-grams with logistic regression, the baseline of the promoter study.

Its paper names the method ("LR with n-gram TF-IDF") without n, C or solver: both are options here. Other kinds than two
classes are learnt by the models of `linear.fit_linear`.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from nucleotune.baselines.base import Baseline, Labelled
from nucleotune.baselines.fitted import Fitted, Learnt, Score, array_text, text_array
from nucleotune.baselines.linear import (
    fit_linear,
    logistic_regression,
    predict_linear,
    regression_arrays,
)
from nucleotune.baselines.targets import MEASURES, quality, shaped
from nucleotune.errors import InputError

log = logging.getLogger(__name__)

_MAX_ITERATIONS = 1_000


def fit(
    sequences: Sequence[str],
    labels: np.ndarray,
    valid_sequences: Sequence[str],
    valid_labels: np.ndarray,
    options: Mapping[str, Any],
) -> tuple[Fitted, dict[str, Any]]:
    """Fit on `sequences` and `labels` (n,); return the fitted method, whose score is P(label 1), and info.

    `options` holds `ngram_ranges`, pairs of the shortest and longest n-gram, and `c_grid`, inverse
    strengths of the L2 penalty. Of more than one combination, the one with the highest AUROC on
    the `valid` rows is taken (the first of equals); a single one is taken as given.

    Info: ngram_range, C, valid_auroc (None without a choice), n_terms, iterations, rows_used,
    seconds. Raises InputError when a choice is to be made and the valid rows lack a class.
    """
    choosing = len(options["ngram_ranges"]) * len(options["c_grid"]) > 1
    if choosing and len(np.unique(valid_labels)) < 2:
        raise InputError(
            "tfidf: choosing among several ngram_ranges or c_grid needs rows of both classes in "
            "split 'valid'; give a single value of each, or a split with such rows"
        )
    seconds = {"features": 0.0, "fit": 0.0}
    best = None
    for ngram_range in options["ngram_ranges"]:
        started = time.perf_counter()
        vectorizer = _vectorizer(ngram_range)
        x = vectorizer.fit_transform(sequences)
        x_valid = vectorizer.transform(valid_sequences) if choosing else None
        seconds["features"] += time.perf_counter() - started
        log.info("%d x %d n-gram weights in %.1f s", *x.shape, time.perf_counter() - started)
        for c in options["c_grid"]:
            started = time.perf_counter()
            model = LogisticRegression(C=c, max_iter=_MAX_ITERATIONS).fit(x, labels)
            auroc = None
            if choosing:
                auroc = float(roc_auc_score(valid_labels, model.predict_proba(x_valid)[:, 1]))
                log.info("n-grams %s, C %g: valid AUROC %.4f", ngram_range, c, auroc)
            seconds["fit"] += time.perf_counter() - started
            if best is None or auroc > best[0]:
                best = auroc, ngram_range, vectorizer, model
    auroc, ngram_range, vectorizer, model = best
    info = {
        "rows_used": len(labels),
        "ngram_range": list(ngram_range),
        "C": float(model.C),
        "valid_auroc": auroc,
        "n_terms": len(vectorizer.vocabulary_),
        "iterations": int(model.n_iter_[0]),
        "seconds": seconds,
    }
    arrays = {
        "terms": text_array(vectorizer.get_feature_names_out()),
        "idf": vectorizer.idf_,
        **regression_arrays(model),
    }
    learnt = Learnt(arrays, {"ngram_range": list(ngram_range)})
    return Fitted(learnt, restore(learnt)), info


def fit_any(
    train: Labelled, valid: Labelled, options: Mapping[str, Any], kind: str, parts: int
) -> tuple[Fitted, dict[str, Any]]:
    """Fit as `fit`, on targets of any other kind; the choice is made by `targets.quality` on the `valid` rows.

    Info as of `fit`, with what the choice was made by in place of valid_auroc, and without iterations.
    """
    choosing = len(options["ngram_ranges"]) * len(options["c_grid"]) > 1
    seconds = {"features": 0.0, "fit": 0.0}
    best = None
    for ngram_range in options["ngram_ranges"]:
        started = time.perf_counter()
        vectorizer = _vectorizer(ngram_range)
        x = vectorizer.fit_transform(train.sequences)
        x_valid = vectorizer.transform(valid.sequences) if choosing and valid.sequences else None
        seconds["features"] += time.perf_counter() - started
        for c in options["c_grid"]:
            started = time.perf_counter()
            arrays = fit_linear(x, train.labels, kind, parts, c, _MAX_ITERATIONS)
            reached = None
            if choosing:
                scores = np.empty((0, parts))
                if x_valid is not None:
                    scores = predict_linear(arrays, x_valid, kind)
                reached = quality(kind, valid.labels, scores, "tfidf")
                log.info("n-grams %s, C %g: %s %.4f", ngram_range, c, MEASURES[kind], reached)
            seconds["fit"] += time.perf_counter() - started
            if best is None or reached > best[0]:
                best = reached, ngram_range, c, vectorizer, arrays
    reached, ngram_range, c, vectorizer, arrays = best
    info = {
        "rows_used": len(train.labels),
        "ngram_range": list(ngram_range),
        "C": float(c),
        MEASURES[kind]: reached,
        "n_terms": len(vectorizer.vocabulary_),
        "seconds": seconds,
    }
    terms = {
        "terms": text_array(vectorizer.get_feature_names_out()),
        "idf": vectorizer.idf_,
    }
    learnt = Learnt({**terms, **arrays}, {"ngram_range": list(ngram_range), "kind": kind})
    return Fitted(learnt, restore(learnt)), info


def restore(learnt: Learnt) -> Score:
    """P(label 1), of other kinds the scores, as a function of sequences."""
    vectorizer = _vectorizer(
        learnt.settings["ngram_range"], vocabulary=array_text(learnt.arrays["terms"])
    )
    vectorizer.idf_ = learnt.arrays["idf"]
    if "kind" in learnt.settings:
        kind = learnt.settings["kind"]
        return lambda batch: shaped(
            predict_linear(learnt.arrays, vectorizer.transform(batch), kind), kind
        )
    model = logistic_regression(learnt.arrays)
    return lambda batch: model.predict_proba(vectorizer.transform(batch))[:, 1]


def _vectorizer(
    ngram_range: Sequence[int], vocabulary: Sequence[str] | None = None
) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char",
        lowercase=False,
        ngram_range=tuple(ngram_range),
        vocabulary=vocabulary,
        dtype=np.float32,
    )


BASELINES = {
    "tfidf": Baseline(
        lambda train, valid, options, seed: fit(*train, *valid, options),
        lambda score: score >= 0.5,
        lambda learnt, threads: restore(learnt),
        ("tfidf",),
        general=lambda train, valid, options, seed, kind, parts: fit_any(
            train, valid, options, kind, parts
        ),
    )
}
