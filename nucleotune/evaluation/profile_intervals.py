"""Bootstrap intervals of profile metrics, and paired comparisons with a reference line.

What is drawn with replacement are groups of examples (genes). Percentile intervals; as in `resampling`, they tell how
much the choice of test genes matters, and nothing about the noise of training.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nucleotune.contracts import further_tests
from nucleotune.errors import InputError
from nucleotune.evaluation.paired import holm
from nucleotune.evaluation.profile_metrics import (
    Floats,
    Scored,
    measure_profiles,
    score_genes,
)
from nucleotune.evaluation.resampling import CHUNK, SPLITS, group_codes
from nucleotune.evaluation.titles import PROFILE_METRICS
from nucleotune.profile_contracts import ProfileExamples, ProfilePredictions

PROFILE_COMPARISON_COLUMNS = (
    "method",
    "against",
    "delta_pearson_median",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "delta_auprc",
    "auprc_ci_low",
    "auprc_ci_high",
    "auprc_p",
    "delta_loss",
    "loss_ci_low",
    "loss_ci_high",
    "loss_p",
    "wilcoxon_p",
)

Tables = Mapping[int, ProfilePredictions]


def evaluate_profiles(
    tables: Tables,
    examples: ProfileExamples,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    source: str = "predictions",
) -> dict[str, Any]:
    """Metrics of one method on one data set: the content of its `metrics.json`.

    `tables` is {seed: predictions}; `examples` hold the counts and the groups that are drawn together.

    Returns {"n_test": int, "seeds": [int], "splits": {split: {metric: {value, ci_low, ci_high[, seed_sd]}}},
    "resamples": int, "confidence": float}; the caller adds study, dataset and method. With several seeds a metric is
    the mean over them, in each resample too, and `seed_sd` its standard deviation (n - 1). Train has no intervals.
    Raises InputError, beginning with `source`, when test was not predicted, or seeds and examples do not hold the same
    genes.
    """
    if not tables:
        raise InputError(
            f"{source}: no seed was predicted; expected one table of predictions per seed"
        )
    present = dict.fromkeys(name for each in tables.values() for name in each.table["split"])
    if "test" not in present:
        raise InputError(f"{source}: no rows of split 'test'; found {', '.join(sorted(present))}")
    splits = {}
    for split in (*(name for name in SPLITS if name in present), *further_tests(present)):
        drawn = resamples if SPLITS.get(split, True) else 0
        splits[split] = judge_split(
            *(tables, examples, split),
            resamples=drawn,
            confidence=confidence,
            seed=seed,
            source=source,
        )
    return {
        "n_test": int((examples.table["split"] == "test").sum()),
        "seeds": sorted(int(key) for key in tables),
        "splits": splits,
        "resamples": resamples,
        "confidence": confidence,
    }


def judge_split(
    tables: Tables,
    examples: ProfileExamples,
    split: str,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    source: str,
) -> dict[str, dict[str, float | None]]:
    """Every metric on one split, as `evaluate_profiles` has it: {metric: {value, ci_low, ci_high[, seed_sd]}}."""
    scored, part = score_split(tables, examples, split, source)
    return _with_intervals(scored, _codes(part, source), resamples, confidence, seed)


def compare_profiles(
    methods: Mapping[str, Tables],
    against: str,
    examples: ProfileExamples,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Every method against the one named `against` (the average profile), on the test genes of one data set.

    `methods` is {method: {seed: predictions}}. One row per method but `against`, with PROFILE_COMPARISON_COLUMNS; a
    difference is method minus `against`, so a better method has positive ones, but a negative `delta_loss`. Bootstrap
    p values are those of `paired.compare`; `p_holm` is `p` (of the median Pearson correlation) after Holm's correction
    over the rows; `wilcoxon_p` is that of the signed-rank test on the genes' correlations, averaged over seeds and
    tracks. Raises InputError when `against` has no predictions, or methods lack genes of the examples.
    """
    from scipy.stats import wilcoxon  # takes a second, and evaluations need none of it

    if against not in methods:
        raise InputError(f"method {against!r}, to compare with, has no predictions")
    scored, resampled = {}, {}
    for name, tables in methods.items():
        scored[name], part = score_split(tables, examples, "test", name)
        resampled[name] = resample(scored[name], _codes(part, name), resamples, seed)
    other = scored[against]
    rows = []
    for name in (name for name in methods if name != against):
        row: dict[str, Any] = {"method": name, "against": against}
        for metric, prefix in (("pearson_median", ""), ("auprc", "auprc_"), ("loss", "loss_")):
            row[f"delta_{metric}"] = float(
                _values(scored[name])[metric].mean() - _values(other)[metric].mean()
            )
            differences = resampled[name][metric] - resampled[against][metric]
            low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
            tail = min((differences <= 0).sum(), (differences >= 0).sum())
            row[f"{prefix}ci_low"], row[f"{prefix}ci_high"] = float(low), float(high)
            row[f"{prefix}p"] = min(1.0, 2 * float(tail + 1) / (differences.size + 1))
        gains = _gene_pearson(scored[name]) - _gene_pearson(other)
        row["wilcoxon_p"] = float(wilcoxon(gains).pvalue) if np.any(gains) else 1.0
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(PROFILE_COMPARISON_COLUMNS))
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    return table


def score_split(
    tables: Tables, examples: ProfileExamples, split: str, source: str
) -> tuple[list[Scored], ProfileExamples]:
    """Each seed's predictions of one split, scored, seeds ascending; and the examples they are of, in their order.

    Raises InputError, beginning with `source`, when a seed does not hold all genes of the split, or others.
    """
    part = examples.of_splits([split])
    ids, scored = part.table["id"], []
    for number in sorted(tables):
        predictions = tables[number]
        rows = np.flatnonzero(predictions.table["split"] == split)
        found = predictions.table["id"].to_numpy()[rows]
        difference = np.setxor1d(found, ids)
        if difference.size or predictions.tracks != examples.tracks:
            what = f"record {difference[0]!r}" if difference.size else "names of tracks"
            raise InputError(
                f"{source}: seed {number}: split {split!r}: {what} not in both predictions and examples: repeat"
                " predictions made from older examples"
            )
        rows = rows[pd.Index(found).get_indexer(ids)]
        scored.append(
            score_genes(
                part.counts,
                predictions.profiles[rows],
                predictions.log_counts[rows],
                source=f"{source}: split {split!r}",
            )
        )
    return scored, part


def resample(
    scored: list[Scored], groups: NDArray[np.int64], resamples: int, seed: int
) -> dict[str, Floats]:
    """Every metric, averaged over seeds, in every resample: {metric: (resamples,)}.

    The same groups and seed give the same resamples, so the results of two methods are paired row by row.
    """
    chunks = []
    for counts in _drawn(groups, resamples, seed):
        each = [measure_profiles(one, counts) for one in scored]
        chunks.append(
            {name: np.mean([values[name] for values in each], axis=0) for name in PROFILE_METRICS}
        )
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in PROFILE_METRICS}


def _drawn(groups: NDArray[np.int64], resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each gene is drawn, (rows, n) at a time."""
    generator, n = np.random.default_rng(seed), int(groups.max()) + 1
    rows = max(1, CHUNK // max(groups.size, n))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)[:, groups]


def _with_intervals(
    scored: list[Scored],
    groups: NDArray[np.int64],
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, dict[str, float | None]]:
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    drawn = resample(scored, groups, resamples, seed) if resamples else {}
    result: dict[str, dict[str, float | None]] = {}
    for name, values in _values(scored).items():
        low, high = np.quantile(drawn[name], tails).tolist() if resamples else (None, None)
        result[name] = {"value": float(values.mean()), "ci_low": low, "ci_high": high}
        if len(scored) > 1:
            result[name]["seed_sd"] = float(values.std(ddof=1))
    return result


def _values(scored: list[Scored]) -> dict[str, Floats]:
    """Every metric on the genes as they are, of every seed: {metric: (seeds,)}."""
    each = [measure_profiles(one) for one in scored]
    return {name: np.concatenate([values[name] for values in each]) for name in PROFILE_METRICS}


def _codes(examples: ProfileExamples, source: str) -> NDArray[np.int64]:
    groups = examples.table.set_index("id")["group"]
    return group_codes(groups, examples.table["id"].to_numpy(), source)


def _gene_pearson(scored: list[Scored]) -> Floats:
    """Correlation of each gene, averaged over seeds and the tracks in which it is judged, (n,)."""
    pearson, judged = np.mean([one.pearson for one in scored], axis=0), scored[0].judged
    return (pearson * judged).sum(axis=1) / judged.sum(axis=1).clip(1)
