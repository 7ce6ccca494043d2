"""The metrics of a profile regression, each defined once, for the sequences as they are or many resamples at once.

Sequences are genes here; k are the observed counts of a gene and track, n their total, p the predicted probabilities.

pearson_median, pearson_mean   median and mean over genes of Pearson's correlation of p and k; 0 where p does not vary
auroc, auprc                   positions as a two-class task (see below), all genes together
auroc_5nt, auprc_5nt           the same in bins of 5 nt
loss                           mean over genes of 0.8 profile loss + 0.2 count loss (see `gene_losses`)
count_pearson                  Pearson's correlation over genes of log(1 + n), observed and predicted; 0 where either is
                               the same for all genes

Each but `loss` is computed for every track and then averaged. Correlations, AUROC and AUPRC of a track take genes with
more than MIN_READS reads in it. A position is positive where every track has reads, negative where none has, and
ambiguous, so left out, between; what ranks it is p. A bin is positive with one positive position, negative if all are
negative; its score is its highest p. All this is as in the program of the polyadenylation study (its section 3.2.3).
The study's text speaks of binning "to reduce resolution", but its program computes table 4 with bins of one nt: so
`auroc` and `auprc` are those to compare with it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from nucleotune.errors import InputError
from nucleotune.evaluation.areas import Ranking, areas, rank
from nucleotune.evaluation.titles import PROFILE_METRICS

#: A track's profile is judged where it has more reads than this: the study's program has the same limit.
MIN_READS = 5

#: Width of the bins, nt, by the ending of the metrics' names.
BINS = {"": 1, "_5nt": 5}

#: Weights of profile and count loss in `loss`: the study's, whatever a method is trained with.
LOSS_WEIGHTS = (0.8, 0.2)

Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """What the metrics need of each gene, for one set of predictions of n genes and t tracks.

    pearson      (n, t)
    judged       (n, t), whether a gene has enough reads in a track
    losses       (n,)
    log_counts   observed and predicted log(1 + total), (2, n, t)
    rankings     {ending of the metrics' names: one Ranking per track, of its unambiguous bins; rows are genes}
    """

    pearson: Floats
    judged: NDArray[np.bool_]
    losses: Floats
    log_counts: Floats
    rankings: dict[str, list[Ranking]]


def score_genes(
    counts: NDArray[np.int64],
    profiles: NDArray[np.floating],
    log_counts: Floats,
    source: str = "predictions",
) -> Scored:
    """Compare predictions with counts, gene by gene.

    Args:
        counts: (n, tracks, positions); positions that were not predicted are left out.
        profiles: (n, tracks, positions), not more than there are counts.
        log_counts: predicted log(1 + total), (n, tracks).
        source: begins the message of an error.

    Raises:
        InputError: no gene has enough reads in a track, or there are no positive or no negative positions.
    """
    counts = counts[:, :, : profiles.shape[2]]
    profiles = profiles.astype(float)
    totals = counts.sum(axis=2)
    judged = totals > MIN_READS
    if not judged.any(axis=0).all():
        raise InputError(f"{source}: a track has no gene with more than {MIN_READS} reads")
    rankings = {
        ending: [
            _ranking(
                counts[judged[:, t]], profiles[judged[:, t], t], np.flatnonzero(judged[:, t]), width
            )
            for t in range(counts.shape[1])
        ]
        for ending, width in BINS.items()
    }
    for ranking in rankings[""]:
        if ranking.positive.all() or not ranking.positive.any():
            raise InputError(
                f"{source}: {ranking.positive.sum()} positions with reads in all tracks and "
                f"{(~ranking.positive).sum()} with none: both are needed"
            )
    return Scored(
        pearson_by_gene(counts, profiles),
        judged,
        gene_losses(counts, profiles, log_counts),
        np.stack([np.log1p(totals), log_counts]),
        rankings,
    )


def measure_profiles(scored: Scored, weights: NDArray[np.int64] | None = None) -> dict[str, Floats]:
    """Every metric, for each row of weights.

    `weights` has shape (resamples, n), how often each gene counts, and defaults to once. Returns arrays of shape
    (resamples,), in the order of PROFILE_METRICS. Where a row of weights leaves one class of positions empty, AUROC is
    0.5 and AUPRC 0.
    """
    n, tracks = scored.pearson.shape
    w = np.ones((1, n), dtype=np.int64) if weights is None else weights
    each: dict[str, list[Floats]] = {name: [] for name in PROFILE_METRICS}
    for t in range(tracks):
        judged = scored.judged[:, t]
        pearson, own = scored.pearson[judged, t], w[:, judged]
        each["pearson_median"].append(weighted_median(pearson, own))
        each["pearson_mean"].append(_mean(pearson, own))
        for ending, rankings in scored.rankings.items():
            roc, recalled = areas(rankings[t], w)
            each[f"auroc{ending}"].append(np.nan_to_num(roc, nan=0.5))
            each[f"auprc{ending}"].append(np.nan_to_num(recalled, nan=0.0))
        each["count_pearson"].append(weighted_pearson(*scored.log_counts[:, :, t], w))
    each["loss"] = [_mean(scored.losses, w)]
    return {name: np.mean(values, axis=0) for name, values in each.items()}


def pearson_by_gene(counts: NDArray[np.int64], profiles: Floats) -> Floats:
    """Pearson's correlation along the last axis, of the shape of the others; 0 where one of the two is constant."""
    x, y = (values - values.mean(axis=-1, keepdims=True) for values in (counts, profiles))
    # A profile that is flat but for rounding has no shape either.
    x, y = (
        np.where(np.abs(d) <= 1e-12 * np.abs(v).max(axis=-1, keepdims=True), 0, d)
        for d, v in ((x, counts), (y, profiles))
    )
    scale = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    return _ratio((x * y).sum(axis=-1), scale)


def gene_losses(counts: NDArray[np.int64], profiles: Floats, log_counts: Floats) -> Floats:
    """The loss of every gene, (n,), as `training.profile_loss` has it: mean over tracks of
    0.8 * -log multinomial(k | n, p) + 0.2 * (log(1 + n) - predicted)^2, with the multinomial's coefficient.
    """
    totals = counts.sum(axis=2)
    coefficients = gammaln(totals + 1) - gammaln(counts + 1).sum(axis=2)
    # Probabilities come from float32: its smallest number stands for what was rounded to 0.
    logs = np.log(np.maximum(profiles, np.finfo(np.float32).smallest_subnormal))
    profile = -(counts * logs).sum(axis=2) - coefficients
    count = (np.log1p(totals) - log_counts) ** 2
    return (LOSS_WEIGHTS[0] * profile + LOSS_WEIGHTS[1] * count).mean(axis=1)


def weighted_median(values: Floats, weights: NDArray[np.int64]) -> Floats:
    """Median of `values` (n,), each taken as often as a row of `weights` (resamples, n) says: (resamples,)."""
    order = np.argsort(values, kind="stable")
    ranked, reached = values[order], np.cumsum(weights[:, order], axis=1)
    total = reached[:, -1]
    lower, upper = (
        ranked[(reached > rank[:, None]).argmax(axis=1)] for rank in ((total - 1) // 2, total // 2)
    )
    return (lower + upper) / 2


def weighted_pearson(x: Floats, y: Floats, weights: NDArray[np.int64]) -> Floats:
    """Pearson's correlation of x and y (n,), each pair taken as often as a row of `weights` says: (resamples,)."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.zeros(len(weights))
    x, y = x - x.mean(), y - y.mean()
    mean_x, mean_y = _mean(x, weights), _mean(y, weights)
    variances = [_mean(v * v, weights) - m * m for v, m in ((x, mean_x), (y, mean_y))]
    return _ratio(
        _mean(x * y, weights) - mean_x * mean_y, np.sqrt(np.prod(variances, axis=0).clip(0))
    )


def _ranking(
    counts: NDArray[np.int64], scores: Floats, genes: NDArray[np.int64], width: int
) -> Ranking:
    """Bins of `width` positions, the last one cut off where it is smaller; `genes` numbers the rows."""
    bins = counts.shape[2] // width
    cut = counts[:, :, : bins * width].reshape(*counts.shape[:2], bins, width) > 0
    positive = cut.all(axis=1).any(axis=2)
    negative = ~cut.any(axis=(1, 3))
    best = scores[:, : bins * width].reshape(len(scores), bins, width).max(axis=2)
    clear = positive | negative
    return rank(positive[clear], best[clear], np.repeat(genes, clear.sum(axis=1)))


def _mean(values: Floats, weights: NDArray[np.int64]) -> Floats:
    """Weighted mean, 0 where nothing has a weight."""
    return _ratio(weights @ values, weights.sum(axis=1).astype(float))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
