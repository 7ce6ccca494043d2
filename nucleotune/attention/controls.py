"""Figure 2 of the promoter study with the controls it lacks: the model before it was tuned, and shuffled promoters.

Attention says where a model looks, not why. Peaks that are there before tuning come from the published weights or from
the sequences' common composition along the promoter; peaks that stay when each promoter is shuffled come from the
position alone.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from nucleotune.attention.profile import LAYERS, mean_by_class, position_profile
from nucleotune.models.load import load_model, load_pretrained
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.sequence.shuffle import shuffle_sequences

logger = logging.getLogger(__name__)

#: Name -> whether the model is the tuned one, and whether the promoters are as they are.
CONTROLS = {"tuned": (True, True), "not tuned": (False, True), "shuffled promoters": (True, False)}


def profiles_with_controls(
    examples: pd.DataFrame,
    model_dir: Path,
    checkpoint: Path,
    *,
    downstream: int,
    seed: int,
    resamples: int,
    confidence: float,
    device: torch.device,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean attention from [CLS] along the promoters of each class, and how peaked it is.

    Args:
        examples: rows with id, sequence (all of one length) and label.
        model_dir: the tuned model.
        checkpoint: the published model it was tuned from; its head is new, but attention does not depend on that.
        downstream: nt of a promoter after its transcription start site.
        seed: of the shuffles, which keep each promoter's dinucleotides, and of the resamples.
        resamples: of `peak_shares`.
        confidence: of its intervals.
        device: where to compute.

    Returns:
        Two tables with columns `control` (of CONTROLS) and `layers` (`last` or `all`), then those of
        `profile.mean_by_class` and of `peak_shares`.
    """
    tuned, description = load_model(model_dir)
    model, truncation = description["model"], description["truncation"]
    untuned, _ = load_pretrained(model, checkpoint, seed=seed)
    tokenizer = make_tokenizer(model, model_dir)
    ids, sequences = examples["id"].tolist(), examples["sequence"].tolist()
    shuffled = shuffle_sequences(examples["sequence"], "dinucleotide", seed)
    first = downstream + 1 - len(sequences[0])
    labels = examples["label"].to_numpy()
    tables: list[pd.DataFrame] = []
    peaks: list[pd.DataFrame] = []
    for control, (is_tuned, whole) in CONTROLS.items():
        classifier = (tuned if is_tuned else untuned).to(device).eval()
        for layers in LAYERS:
            profiles = position_profile(
                classifier,
                model,
                tokenizer,
                ids,
                sequences if whole else list(shuffled),
                truncation=truncation,
                layers=layers,
            )
            names = {"control": control, "layers": layers}
            tables.append(_named(mean_by_class(profiles, labels, first=first), names))
            shares = peak_shares(
                profiles, labels, resamples=resamples, confidence=confidence, seed=seed
            )
            peaks.append(_named(shares, names))
            logger.info("%s, %s: %s", control, layers, shares.to_dict("records"))
    return pd.concat(tables, ignore_index=True), pd.concat(peaks, ignore_index=True)


def peak_shares(
    profiles: np.ndarray,
    labels: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """How peaked the mean profile of each class is: the share of its attention on the tenth of positions with most.

    A tenth is what an even profile has; few sequences bring a little more by chance, in the controls as well.

    Args:
        profiles: (n, length), NaN where a model saw nothing.
        labels: class of each sequence, (n,).
        resamples: bootstrap resamples of the sequences of a class; the positions stay those with most in all of them.
        confidence: coverage of the percentile interval.
        seed: of the resamples.

    Returns:
        One row per class: `label`, `peak_share`, `ci_low`, `ci_high`, `n`.
    """
    rows = []
    for label in np.unique(labels):
        values = profiles[labels == label]
        values = values[:, np.isfinite(values).any(axis=0)]
        n = len(values)
        draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
        # The first row is the sequences as they are.
        counts = np.concatenate([np.ones((1, n)), draws])
        # A position that no sequence of a resample reached counts as 0.
        means = counts @ np.nan_to_num(values) / np.maximum(counts @ np.isfinite(values), 1)
        top = np.argsort(-means[0])[: max(1, values.shape[1] // 10)]
        shares = means[:, top].sum(axis=1) / means.sum(axis=1)
        low, high = np.quantile(shares[1:], [(1 - confidence) / 2, (1 + confidence) / 2])
        rows.append(
            {"label": label, "peak_share": shares[0], "ci_low": low, "ci_high": high, "n": n}
        )
    return pd.DataFrame(rows)


def _named(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    columns = list(table)
    return table.assign(**names)[[*names, *columns]]
