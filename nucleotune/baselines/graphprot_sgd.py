"""GraphProt's classifier: a linear support vector machine by stochastic gradient descent.

Bottou, "Large-scale machine learning with stochastic gradient descent", COMPSTAT 2010; as in GraphProt
1.1.7 (see `graphprot`).
"""

from collections.abc import Iterator

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

#: Largest number of `rand`, glibc's RAND_MAX.
_RAND_MAX = 2**31 - 1

# The bias learns at this share of the weights' rate: its feature is there in every row.
_BIAS_RATE = 0.01


def fit_sgd(
    features: csr_matrix, labels: np.ndarray, *, penalty: float, epochs: int, seed: int
) -> tuple[np.ndarray, float]:
    """Return weights w (d,) and bias b of a linear SVM on `features` x (n, d) and `labels` (n,), 0 or 1.

    The loss is the hinge loss of the margin w x + b plus `penalty` / 2 times the squared norm of the weights. Rows are
    visited in the order of `training_order` in every epoch. At step t = t0, t0 + 1, ... with t0 = penalty^(-3/4), the
    weights first shrink by 1 - 1/t; if the margin then is below 1, the row is added at the rate 1 / (penalty t).
    """
    order = training_order(labels, seed)
    signs = np.where(labels == 1, 1.0, -1.0)
    return _descend(
        *(features.indptr, features.indices, features.data, features.shape[1]),
        *(signs, order, penalty, epochs),
    )


def training_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the order GraphProt visits rows in: one of label 1, one of label 0, and so on, each class shuffled.

    Rows of the smaller class are repeated from the first on until there are as many as of the larger. The tool calls
    `srand(1)` and shuffles label 1, then label 0; with `seed` 1 (or 0) this is its order for classes of equal size.
    """
    of_class = [np.flatnonzero(labels == label) for label in (1, 0)]
    larger = max(map(len, of_class))
    random = _rand(seed)
    shuffled = [_shuffle(np.resize(rows, larger), random) for rows in of_class]
    return np.stack(shuffled, axis=1).ravel()


def _shuffle(rows: np.ndarray, random: Iterator[int]) -> np.ndarray:
    """Swap each row in turn with one drawn from all."""
    n = len(rows)
    for i in range(n):
        j = min(next(random) * n // _RAND_MAX, n - 1)
        rows[i], rows[j] = rows[j], rows[i]
    return rows


def _rand(seed: int) -> Iterator[int]:
    """The numbers that `rand` of the GNU C library gives after `srand(seed)`: a lagged sum, its first 310 dropped."""
    state = [seed or 1]
    while len(state) < 31:
        state.append(state[-1] * 16807 % _RAND_MAX)
    state += state[:3]
    for drawn in range(-310, 2**62):
        state.append((state[-31] + state[-3]) & 0xFFFFFFFF)
        del state[:-31]
        if drawn >= 0:
            yield state[-1] >> 1


@njit(cache=True)
def _descend(
    starts: np.ndarray,
    ids: np.ndarray,
    values: np.ndarray,
    n_features: int,
    signs: np.ndarray,
    order: np.ndarray,
    penalty: float,
    epochs: int,
) -> tuple:
    # The weights are `scale` times `weights`, so that all can shrink at once.
    weights, bias, scale = np.zeros(n_features), 0.0, 1.0
    t = penalty**-0.75
    for _ in range(epochs):
        for row in order:
            begin, end = starts[row], starts[row + 1]
            scale *= 1 - 1 / t
            product = 0.0
            for k in range(begin, end):
                product += weights[ids[k]] * values[k]
            if signs[row] * (scale * product + bias) < 1:
                step = signs[row] / (penalty * t)
                for k in range(begin, end):
                    weights[ids[k]] += step / scale * values[k]
                bias += step * _BIAS_RATE
            t += 1
    return weights * scale, bias
