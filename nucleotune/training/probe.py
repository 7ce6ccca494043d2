"""Fits a probe: logistic or ridge regression on embeddings of an encoder that is not trained, computed once."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nucleotune.baselines.linear import fit_linear, predict_linear
from nucleotune.baselines.targets import MEASURES, quality
from nucleotune.training.learner import Rows

logger = logging.getLogger(__name__)


def fit_head(
    head: torch.nn.Linear,
    embeddings: torch.Tensor,
    targets: NDArray[Any],
    *,
    kind: str,
    train: Rows,
    valid: Rows,
    c_grid: Sequence[float],
    method: str,
) -> dict[str, Any]:
    """Set the weights of `head`, in place, to those of the best C, and freeze it; return `c` and how good it was.

    The regressions are those of `baselines.linear` on embeddings (n, d) in standard deviations of the training rows;
    the scale is then taken into the weights. The best is what `baselines.targets.quality` says of the `valid` rows, the
    first of equals.

    Args:
        head: a linear layer of d inputs.
        embeddings: of all rows, fp32, on the CPU.
        targets: of all rows, see `baselines.targets`.
        kind: of labels: classes, labels or numbers.
        train: rows to fit on.
        valid: rows to choose by.
        c_grid: inverse strengths of the L2 penalty.
        method: for messages.

    Raises:
        InputError: the valid rows say nothing.
    """
    x = embeddings.double().numpy()
    mean, sd = x[train].mean(axis=0), x[train].std(axis=0)
    x = (x - mean) / np.where(sd > 0, sd, 1)
    best: tuple[float, float, dict[str, NDArray[Any]]] | None = None
    for c in c_grid:
        arrays = fit_linear(x[train], targets[train], kind, head.out_features, c)
        reached = quality(kind, targets[valid], predict_linear(arrays, x[valid], kind), method)
        logger.info("C %g: %s %.4f", c, MEASURES[kind], reached)
        if best is None or reached > best[0]:
            best = reached, c, arrays
    assert best is not None  # the schema wants one C at least
    reached, c, arrays = best
    weight = arrays["coefficients"] / np.where(sd > 0, sd, 1)
    head.requires_grad_(False)
    head.weight.copy_(torch.from_numpy(weight))
    head.bias.copy_(torch.from_numpy(arrays["intercept"] - weight @ mean))
    return {"c": c, MEASURES[kind]: reached}
