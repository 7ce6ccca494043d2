"""Support vector machine with RBF kernel, the classifier of CPC2, PLEK and LncFinder."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from nucleotune.baselines.base import Baseline, margin
from nucleotune.baselines.fitted import Arrays, Fitted, Learnt, Score
from nucleotune.errors import InputError
from nucleotune.progress import Progress

log = logging.getLogger(__name__)

#: Transcripts turned into features at a time; bounds the float64 intermediate.
CHUNK = 2_000

#: Kernel cache in MB.
_CACHE_MB = 1_000

Features = Callable[[Sequence[str]], np.ndarray]


class SampleScaler(StandardScaler):
    """Mean 0 and sample standard deviation 1 (n - 1 in the denominator), as R's `scale`."""

    def fit(self, x: np.ndarray, y: np.ndarray | None = None) -> "SampleScaler":
        super().fit(x, y)
        self.scale_ *= np.sqrt(len(x) / max(len(x) - 1, 1))
        return self


def fit_svm(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    scale: tuple[float, float] | None,
    c_grid: Sequence[float],
    gamma_grid: Sequence[float],
    folds: int,
    max_train: int,
    seed: int,
) -> tuple[Pipeline, dict[str, Any]]:
    """Scale `features` (n, d) to the interval `scale` and fit C-SVC on `labels` (n,), 0 or 1.

    Without an interval (None), features are scaled to mean 0 and sample standard deviation 1.

    An SVM's cost grows with the square of its training rows: of more than `max_train`, at most
    `max_train // 2` of each class are drawn. The ranges for scaling are those of the rows used;
    values outside them later are not clipped, as in LIBSVM's svm-scale. Where the two grids hold
    more than one point, the one with the best accuracy in stratified cross-validation with `folds`
    folds is taken (the smallest C, then the smallest gamma, of equals); ranges are then those of
    each training fold.

    Returns the fitted pipeline, whose `decision_function` is higher for label 1 and predicts 1
    above 0, and how it came about: rows_available, rows_used, C, gamma, cv_accuracy (None without
    a search), n_support. Raises InputError when a class has fewer rows than there are folds.
    """
    rows = balanced_rows(labels, max_train, np.random.default_rng(seed))
    x, y = features[rows], labels[rows]
    scaler = SampleScaler() if scale is None else MinMaxScaler(feature_range=scale, clip=False)
    model = make_pipeline(scaler, SVC(kernel="rbf", cache_size=_CACHE_MB))
    grid = {"svc__C": sorted(c_grid), "svc__gamma": sorted(gamma_grid)}
    cv_accuracy = None
    if len(c_grid) * len(gamma_grid) > 1:
        smallest = int(np.bincount(y, minlength=2).min())
        if smallest < folds:
            raise InputError(
                f"SVM: {folds}-fold cross-validation needs {folds} training rows of each class, "
                f"found {smallest}; lower 'folds' or give one value each for c_grid and gamma_grid"
            )
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        best, cv_accuracy = search_grid(model, grid, x, y, splitter)
        model = clone(model).set_params(**best).fit(x, y)
    else:
        model.set_params(**{name: values[0] for name, values in grid.items()}).fit(x, y)
    svc = model[-1]
    return model, {
        "rows_available": len(labels),
        "rows_used": len(rows),
        "C": float(svc.C),
        "gamma": float(svc.gamma),
        "cv_accuracy": cv_accuracy,
        "n_support": int(svc.n_support_.sum()),
    }


def search_grid(
    model: Pipeline,
    grid: Mapping[str, Sequence[float]],
    x: np.ndarray,
    y: np.ndarray,
    splitter: StratifiedKFold,
) -> tuple[dict[str, float], float]:
    """The point of `grid` with the best mean accuracy over the folds, the first of equals, and that accuracy.

    As scikit-learn's GridSearchCV, which says nothing for as long as it takes: here each point is a line of the log,
    with the time to go.
    """
    best: dict[str, float] = {}
    highest = -np.inf
    points = list(ParameterGrid(grid))
    progress = Progress("SVM, grid", len(points), "points", every=0)
    for point in points:
        candidate = clone(model).set_params(**point)
        accuracy = float(np.mean(cross_val_score(candidate, x, y, scoring="accuracy", cv=splitter)))
        if accuracy > highest:
            best, highest = point, accuracy
        values = point["svc__C"], point["svc__gamma"], accuracy
        progress.advance(1, "C %g, gamma %g: accuracy %.4f", *values)
    return best, highest


def balanced_rows(labels: np.ndarray, max_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return all row numbers, or at most `max_rows // 2` random ones of each class; ascending."""
    if len(labels) <= max_rows:
        return np.arange(len(labels))
    of_class = [np.flatnonzero(labels == label) for label in (0, 1)]
    drawn = [rng.permutation(rows)[: max_rows // 2] for rows in of_class]
    return np.sort(np.concatenate(drawn))


def fit(
    features: Features,
    scale: tuple[float, float],
    sequences: Sequence[str],
    labels: np.ndarray,
    options: Mapping[str, Any],
    seed: int,
) -> tuple[Fitted, dict[str, Any]]:
    """Fit an SVM on `features` of `sequences`; return the fitted method, whose score is its margin, and info.

    `options` holds c_grid, gamma_grid, folds and max_train as in `fit_svm`; info is that of
    `fit_svm` with `seconds`.
    """
    started = time.perf_counter()
    x = _feature_matrix(features, sequences)
    computed = time.perf_counter()
    log.info("%d x %d features in %.1f s", *x.shape, computed - started)
    model, info = fit_svm(
        x,
        labels,
        scale=scale,
        c_grid=options["c_grid"],
        gamma_grid=options["gamma_grid"],
        folds=options["folds"],
        max_train=options["max_train"],
        seed=seed,
    )
    info["seconds"] = {"features": computed - started, "fit": time.perf_counter() - computed}
    learnt = Learnt(svm_arrays(model), {"scale": list(scale), "gamma": info["gamma"]})
    return Fitted(learnt, restore(features, learnt)), info


def restore(features: Features, learnt: Learnt) -> Score:
    """The margin, above 0 for label 1, as a function of sequences."""
    model = restore_svm(learnt.arrays, **learnt.settings)
    return lambda batch: model.decision_function(_feature_matrix(features, batch))


def baseline(features: Features, scale: tuple[float, float]) -> Baseline:
    """A method of features and a support vector machine."""
    return Baseline(
        lambda train, valid, options, seed: fit(features, scale, *train, options, seed),
        margin,
        lambda learnt, threads: restore(features, learnt),
        ("svm",),
    )


def svm_arrays(model: Pipeline) -> dict[str, np.ndarray]:
    """What a pipeline of `fit_svm` has learnt, as scikit-learn documents it."""
    scaler, svc = model
    offset = scaler.mean_ if isinstance(scaler, SampleScaler) else scaler.min_
    return {
        "feature_scale": scaler.scale_,
        "feature_offset": offset,
        "support_vectors": svc.support_vectors_,
        "support": svc.support_,
        "n_support": svc.n_support_,
        "dual_coefficients": svc.dual_coef_,
        "intercept": svc.intercept_,
    }


def restore_svm(arrays: Arrays, *, scale: Sequence[float] | None, gamma: float) -> Pipeline:
    """The pipeline of `fit_svm` that `svm_arrays` is of, to predict with; `scale` is that of `fit_svm`."""
    if scale is None:
        scaler = SampleScaler()
        scaler.mean_ = arrays["feature_offset"]
    else:
        scaler = MinMaxScaler(feature_range=tuple(scale), clip=False)
        scaler.min_ = arrays["feature_offset"]
    scaler.scale_ = arrays["feature_scale"]
    svc = SVC(kernel="rbf", gamma=gamma, cache_size=_CACHE_MB)
    svc.support_, svc.support_vectors_ = arrays["support"], arrays["support_vectors"]
    svc.classes_ = np.array([0, 1])
    # What scikit-learn hands to LIBSVM; of two classes it shows these two with the other sign.
    svc._dual_coef_, svc._intercept_ = -arrays["dual_coefficients"], -arrays["intercept"]
    svc.dual_coef_, svc.intercept_ = arrays["dual_coefficients"], arrays["intercept"]
    svc._n_support, svc._gamma, svc._sparse = arrays["n_support"], gamma, False
    svc._probA = svc._probB = np.empty(0)
    svc.fit_status_, svc.shape_fit_ = 0, (0, len(scaler.scale_))
    scaler.n_features_in_ = svc.n_features_in_ = len(scaler.scale_)
    return make_pipeline(scaler, svc)


def _feature_matrix(features: Features, sequences: Sequence[str]) -> np.ndarray:
    # float32 halves the memory of a large training set; svm-scale, between features and SVM in
    # both tools, keeps six digits.
    chunks = (sequences[i : i + CHUNK] for i in range(0, len(sequences), CHUNK))
    return np.concatenate([features(chunk).astype(np.float32) for chunk in chunks])
