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
    device: torch.device,
) -> pd.DataFrame:
    """Mean attention from [CLS] along the promoters of each class.

    Args:
        examples: rows with id, sequence (all of one length) and label.
        model_dir: the tuned model.
        checkpoint: the published model it was tuned from; its head is new, but attention does not depend on that.
        downstream: nt of a promoter after its transcription start site.
        seed: of the shuffles, which keep each promoter's dinucleotides.
        device: where to compute.

    Returns:
        Columns `control` (of CONTROLS), `layers` (`last` or `all`), then those of `profile.mean_by_class`.
    """
    tuned, description = load_model(model_dir)
    model, truncation = description["model"], description["truncation"]
    untuned, _ = load_pretrained(model, checkpoint, seed=seed)
    tokenizer = make_tokenizer(model, model_dir)
    ids, sequences = examples["id"].tolist(), examples["sequence"].tolist()
    shuffled = shuffle_sequences(examples["sequence"], "dinucleotide", seed)
    first = downstream + 1 - len(sequences[0])
    tables = []
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
            table = mean_by_class(profiles, examples["label"].to_numpy(), first=first)
            tables.append(table.assign(control=control, layers=layers))
            logger.info("%s, %s: %s", control, layers, contrast(table))
    table = pd.concat(tables, ignore_index=True)
    return table[
        ["control", "layers", *(name for name in table if name not in ("control", "layers"))]
    ]


def contrast(table: pd.DataFrame) -> dict[str, float]:
    """How peaked a profile is, by class: the share of its attention on the tenth of the positions that has most.

    A tenth is what an even profile has.
    """
    result = {}
    for label, rows in table.groupby("label"):
        values = np.sort(rows["mean"].dropna().to_numpy())[::-1]
        result[str(label)] = float(values[: max(1, len(values) // 10)].sum() / values.sum())
    return result
