"""Logistic regressions of scikit-learn as arrays, and back; and linear models for targets of every kind."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from nucleotune.baselines.fitted import Arrays
from nucleotune.baselines.targets import known, linked

#: Output of a class that no training row has: its probability is 0.
_ABSENT = -1e3


def regression_arrays(model: LogisticRegression) -> dict[str, np.ndarray]:
    """What a fitted logistic regression of labels 0 and 1 has learnt."""
    return {"coefficients": model.coef_, "intercept": model.intercept_}


def logistic_regression(arrays: Arrays) -> LogisticRegression:
    """The logistic regression that `regression_arrays` is of, to predict with."""
    model = LogisticRegression()
    model.coef_, model.intercept_ = arrays["coefficients"], arrays["intercept"]
    model.classes_, model.n_features_in_ = np.array([0, 1]), model.coef_.shape[1]
    return model


def fit_linear(
    x: Any, targets: np.ndarray, kind: str, parts: int, c: float, iterations: int = 1_000
) -> dict[str, np.ndarray]:
    """Fit on features (n, d), dense or sparse: `coefficients` (parts, d) and `intercept` (parts,).

    classes  multinomial logistic regression; more than two count alike, however many rows they have (weights
             n / (K n_k)): a weak model would name the commonest alone
    labels   a logistic regression for each, on the rows in which it is known
    numbers  ridge regression for each, likewise

    `c` is the inverse strength of the L2 penalty; a ridge has alpha = 1 / c, the same weight against half the squared
    error.
    """
    coefficients, intercept = np.zeros((parts, x.shape[1])), np.zeros(parts)
    if kind == "classes":
        weights = "balanced" if parts > 2 else None
        model = LogisticRegression(C=c, max_iter=iterations, class_weight=weights).fit(x, targets)
        if len(model.classes_) == 2:
            intercept[:] = _ABSENT
            intercept[model.classes_] = 0, model.intercept_[0]
            coefficients[model.classes_[1]] = model.coef_[0]
        else:
            intercept[:] = _ABSENT
            coefficients[model.classes_], intercept[model.classes_] = model.coef_, model.intercept_
        return {"coefficients": coefficients, "intercept": intercept}
    for part in range(parts):
        rows = known(targets, part)
        y = targets[rows, part]
        if kind == "numbers":
            model = Ridge(alpha=1 / c).fit(x[rows], y)
            coefficients[part], intercept[part] = model.coef_, model.intercept_
        elif len(np.unique(y)) < 2:
            intercept[part] = log_odds(y)
        else:
            model = LogisticRegression(C=c, max_iter=iterations).fit(x[rows], y)
            coefficients[part], intercept[part] = model.coef_[0], model.intercept_[0]
    return {"coefficients": coefficients, "intercept": intercept}


def predict_linear(arrays: Arrays, x: Any, kind: str) -> np.ndarray:
    """Scores (n, parts) of `fit_linear`."""
    return linked(np.asarray(x @ arrays["coefficients"].T) + arrays["intercept"], kind)


def log_odds(y: np.ndarray) -> float:
    """Log odds of 1 among 0 and 1 (n,), with half a row added to each (finite where there is one value)."""
    ones = float(y.sum())
    return float(np.log((ones + 0.5) / (len(y) - ones + 0.5)))
