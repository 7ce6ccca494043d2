"""Predict new sequences with a trained model or a fitted baseline; its directory is all that is needed."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nucleotune.errors import InputError
from nucleotune.files import read_json
from nucleotune.models.description import check_classifier, head_of
from nucleotune.models.load import load_model
from nucleotune.models.names import BASELINE, DESCRIPTION
from nucleotune.models.profile import KIND, load_profile_model
from nucleotune.models.reading import read_tokens
from nucleotune.models.tokenizers import make_tokenizer
from nucleotune.models.weights import read_description
from nucleotune.sequence.views import show
from nucleotune.training.compute import predict_logits, resolve_device
from nucleotune.training.gates import check_unknown
from nucleotune.training.kinds import learner_class
from nucleotune.training.kinds.profiles import predict_profiles
from nucleotune.training.memory import TokenBudget

#: Unknown tokens that new sequences may hold. Laxer than in training, where it is a statement on a whole data set: one
#: N in one short record is no reason to refuse it. RNA letters, lower case or protein give 30 % and more.
MAX_UNKNOWN_SHARE = 0.05

#: In the directory of a run: what is told of a baseline's fit, and the model.
FIT, MODEL = "fit.json", "model"

COLUMNS = ("id", "score", "predicted", "truncated")
PROFILE_COLUMNS = ("id", "track", "position", "probability", "reads")


def predict(
    model_dir: str | Path,
    records: Iterable[tuple[str, str]],
    device: str | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    """Predict `records`, pairs of id and upper-case ACGTN sequence, with the model in `model_dir`.

    Args:
        model_dir: as written by `training.fit` or `baselines.fit_predict`.
        records: read once, in order.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        threads: CPU threads; None leaves torch's choice.

    Returns:
        One row per record, in order: `id`, what the model's kind of labels gives, `truncated` (whether the model saw
        only a part of the sequence). The kind, `task`, and names are in the model's nucleotune.json.

        two classes   `score` (probability of label 1, of some baselines a margin), `predicted` (0 or 1)
        more classes  `score:<class>` (probability) of each, `predicted` (name of the most probable one)
        labels        `score:<label>` (probability) and `predicted:<label>` (0 or 1) of each
        numbers       `predicted:<target>` of each, in the unit of the training examples

        Of a model of profiles one row per record, track and position (0-based): `id`, `track`, `position`,
        `probability` (they add up to 1 along a record) and `reads`, its share of the total that the model expects.

    Raises:
        InputError: broken model directory, a record too short for one token, or mostly unknown letters; for a model of
            profiles a record of another length than it was trained on; a prediction that is no finite number.
    """
    check_has_model(model_dir)
    description = read_description(model_dir)
    if description.get("kind") == KIND:
        return _predict_profiles(model_dir, list(records), device, threads)
    if description.get("kind") == BASELINE:
        return _predict_baseline(model_dir, description, list(records), threads)
    check_classifier(model_dir, description, to_predict=True)
    classifier, description = load_model(model_dir)
    ids, sequences = (
        map(list, zip(*records, strict=True)) if (records := list(records)) else ([], [])
    )
    decode = learner_class(head_of(description).task).decode
    if not ids:
        none = np.empty((0, head_of(description).outputs))
        return pd.DataFrame(columns=["id", *decode(none, description), "truncated"])
    tokenizer = make_tokenizer(description["model"], model_dir)
    sequences = show(sequences, description["method"]["view"])
    windows = read_tokens(tokenizer, ids, sequences, description)
    tokenized, training = windows.tokenized, description["method"]["training"]
    check_unknown(tokenizer, tokenized, ids, sequences, limit=MAX_UNKNOWN_SHARE)
    torch_device = resolve_device(device, threads)
    logits = predict_logits(
        classifier.to(torch_device),
        windows,
        np.arange(len(ids)),
        device=torch_device,
        budget=TokenBudget(
            training["micro_batch_tokens"], window=description["model"]["max_tokens"]
        ),
    )
    _check_finite(model_dir, ids, logits)
    return pd.DataFrame(
        {"id": ids, **decode(logits, description), "truncated": tokenized.truncated}
    )


def check_has_model(model_dir: str | Path) -> None:
    """Raise InputError for the directory of a run that has no model, or has it one level below."""
    path = Path(model_dir)
    run = path if (path / FIT).is_file() else path.parent
    if (run / FIT).is_file() and read_json(run / FIT).get("mode") == "original":
        raise InputError(
            f"{path}: an installed tool made these predictions with its own model (mode: original), which is"
            " not stored here: run the tool itself, or predict with a method that was fitted here"
        )
    if (path / MODEL / DESCRIPTION).is_file() and not (path / DESCRIPTION).is_file():
        raise InputError(f"{path}: the directory of a run; its model is {path / MODEL}")


def _predict_baseline(
    model_dir: str | Path,
    description: dict[str, Any],
    records: list[tuple[str, str]],
    threads: int | None,
) -> pd.DataFrame:
    # Here, not above: scikit-learn and ViennaRNA take seconds to import, and no language model needs them.
    from nucleotune.baselines import MODULES, find_baseline, predict_baseline

    name = description.get("baseline", "")
    if name in MODULES and find_baseline(name).column != "sequence":
        raise InputError(
            f"{model_dir}: this baseline reads {find_baseline(name).column!r} of the examples, which a FASTA"
            " file does not have"
        )
    ids, sequences = map(list, zip(*records, strict=True)) if records else ([], [])
    return predict_baseline(
        model_dir, description, ids, sequences, threads=threads or os.cpu_count() or 1
    )


def _check_finite(model_dir: str | Path, ids: list[str], *outputs: np.ndarray) -> None:
    """Raise InputError naming the first record of which one of `outputs` (records, ...) is not finite."""
    for values in outputs:
        broken = ~np.isfinite(values).all(axis=1)
        if broken.any():
            raise InputError(
                f"{model_dir}: record {ids[int(broken.argmax())]!r} and {int(broken.sum()) - 1} others: the"
                " model's output is not finite; its weights are damaged or its training failed: copy or train it again"
            )


def _predict_profiles(
    model_dir: str | Path,
    records: list[tuple[str, str]],
    device: str | None,
    threads: int | None,
) -> pd.DataFrame:
    if not records:
        return pd.DataFrame(columns=list(PROFILE_COLUMNS))
    ids, sequences = map(list, zip(*records, strict=True))
    model = load_profile_model(model_dir)
    profiles, log_counts = predict_profiles(
        model, sequences, ids=ids, device=device, threads=threads
    )
    _check_finite(model_dir, ids, profiles.sum(-1), log_counts)
    n, tracks, positions = profiles.shape
    reads = profiles * np.maximum(np.expm1(log_counts), 0)[:, :, None]
    return pd.DataFrame(
        {
            "id": np.repeat(ids, tracks * positions),
            "track": np.tile(np.repeat(model.tracks, positions), n),
            "position": np.tile(np.arange(positions), n * tracks),
            "probability": profiles.ravel(),
            "reads": reads.ravel(),
        }
    )
