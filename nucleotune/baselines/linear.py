"""Logistic regressions of scikit-learn as arrays, and back."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from nucleotune.baselines.fitted import Arrays


def regression_arrays(model: LogisticRegression) -> dict[str, np.ndarray]:
    """What a fitted logistic regression of labels 0 and 1 has learnt."""
    return {"coefficients": model.coef_, "intercept": model.intercept_}


def logistic_regression(arrays: Arrays) -> LogisticRegression:
    """The logistic regression that `regression_arrays` is of, to predict with."""
    model = LogisticRegression()
    model.coef_, model.intercept_ = arrays["coefficients"], arrays["intercept"]
    model.classes_, model.n_features_in_ = np.array([0, 1]), model.coef_.shape[1]
    return model
