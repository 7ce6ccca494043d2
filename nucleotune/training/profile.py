"""From profile examples to predictions and a model directory.

A method is the dict of one `config/methods/<name>.yaml` of kind profile_model, validated by its schema: see
`models.profile` for what it builds, and

    training  epochs, batch_size, learning_rate, patience (epochs without a lower validation loss), profile_weight,
              count_weight (see `profile_loss`), save_minutes

The network `average` is not trained but filled in: for every track the mean of the training sequences' profiles, each
divided by its reads, together with one flat profile (so that no position is impossible), and the mean log(1 + reads).

A frozen encoder computes its hidden states once, without dropout, and they are kept in memory: sequences x positions x
hidden size x 4 bytes, some 5 GB for 5,000 sequences of 300 nt and a BERT-base.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nucleotune.errors import InputError
from nucleotune.files import check_new_directory
from nucleotune.models.checkpoints import complete_model, verify_checkpoint
from nucleotune.models.profile import (
    Built,
    ProfileModel,
    build_profile_model,
    save_profile_model,
)
from nucleotune.models.profile_networks import AverageProfile
from nucleotune.models.spec import check_model
from nucleotune.models.weights import DESCRIPTION, library_versions, weights_digest
from nucleotune.profile_contracts import (
    PROFILE_PREDICTION_COLUMNS,
    ProfileExamples,
    ProfilePredictions,
    check_profile_examples,
)
from nucleotune.stages import stage_number
from nucleotune.training.compute import (
    peak_memory_mb,
    precision,
    predicted_splits,
    resolve_device,
)
from nucleotune.training.gates import check_learned, check_unknown
from nucleotune.training.profile_compute import hidden_states, mean_losses, predict_outputs
from nucleotune.training.profile_trainer import ProfileTrainer, Progress
from nucleotune.training.state import load_state, run_digest, save_state

logger = logging.getLogger(__name__)

ROW_COLUMNS = (
    "step",
    "epoch",
    "split",
    "loss",
    "profile_loss",
    "count_loss",
    "learning_rate",
    "examples_per_second",
    "peak_memory_mb",
)


class TrainedProfile(NamedTuple):
    """What a training gives beside the model directory.

    predictions    of train, valid and all test sets, rows in the order of the examples
    training_rows  one row an epoch and split, ROW_COLUMNS
    summary        JSON values: sizes, losses, speed, versions
    """

    predictions: ProfilePredictions
    training_rows: pd.DataFrame
    summary: dict[str, Any]


def train_profile(
    examples: ProfileExamples,
    *,
    method: dict[str, Any],
    model: dict[str, Any] | None,
    seed: int,
    threads: int,
    device: str | None = None,
    checkpoint: Path | None = None,
    state_dir: Path,
    output_dir: Path | None,
) -> TrainedProfile:
    """Train as `method` says on split `train`, write the model to `output_dir`, and predict train, valid and test sets.

    The weights kept are those of the lowest validation loss. While training, its state is kept in `state_dir`; if the
    process dies, the same call goes on from there, and on the CPU ends with the very same predictions. The caller ends
    with `state.remove_state(state_dir)`, once it has written what this function returned.

    Args:
        examples: splits other than those predicted are ignored.
        method: validated dict, see this module.
        model: validated dict of the encoder (see `models.spec`), or None.
        seed: of new weights, order of sequences and dropout.
        threads: CPU threads.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        checkpoint: directory of the encoder's published weights (`models.checkpoints`); None draws them.
        state_dir: for this training alone.
        output_dir: the model directory to be written; None for none.

    Raises:
        InputError: examples, method, model and checkpoint do not fit each other, too many unknown tokens; `Diverged`:
            a loss is not finite, or far above that of a flat profile. Something other than a model is at `output_dir`.
    """
    check_profile_examples(examples)
    if output_dir is not None:
        check_new_directory(output_dir, DESCRIPTION)
    used = examples.of_splits(predicted_splits(examples.table))
    train, valid = (np.flatnonzero(used.table["split"] == name) for name in ("train", "valid"))
    for rows, name in ((train, "train"), (valid, "valid")):
        if not len(rows):
            raise InputError(f"method {method['title']!r} needs examples of split {name!r}")
    model, base = _resolved(model, checkpoint)
    torch_device = resolve_device(device, threads)
    built = build_profile_model(
        method,
        model,
        tracks=examples.tracks,
        length=examples.counts.shape[2],
        seed=seed,
        checkpoint=checkpoint,
    )
    profile_model, unknown_share = built.model, None
    ids, sequences = used.table["id"].tolist(), used.table["sequence"].tolist()
    inputs = profile_model.inputs(sequences, ids)
    if profile_model.tokenizer is not None:
        tokenized = profile_model.tokenize(sequences, ids)
        unknown_share = check_unknown(profile_model.tokenizer, tokenized, ids, sequences)
    lost = model["tokenizer"]["k"] - 1 if method["faithful"] else 0
    counts = used.counts[:, :, : used.counts.shape[2] - lost]
    digest = run_digest(
        # What a label is to a classifier, the counts are here.
        used.table.assign(label=[hashlib.sha256(each.tobytes()).hexdigest() for each in counts]),
        stage_version=stage_number("fit_profile"),
        method=method,
        model=model,
        tracks=examples.tracks,
        seed=seed,
        threads=threads,
        device=torch_device.type,
        base=base,
        versions=library_versions(),
    )
    targets = torch.from_numpy(counts.astype(np.float32))
    begin = time.perf_counter()
    if isinstance(profile_model.network, AverageProfile):
        progress, resumed = _fill_average(built, inputs, targets, train, valid, torch_device), None
        outputs = predict_outputs(profile_model.network, inputs, torch_device)
    else:
        network = profile_model.network.to(torch_device)
        if method["adaptation"] == "frozen":
            inputs = hidden_states(network, inputs, torch_device)
            network = network.head
        trainer = ProfileTrainer(
            network,
            inputs,
            targets,
            train=train,
            valid=valid,
            training=method["training"],
            seed=seed,
            device=torch_device,
        )
        state = load_state(Path(state_dir), digest)
        if state is not None:
            trainer.restore(state)
        trainer.run(lambda current: save_state(Path(state_dir), digest, current))
        progress, resumed = trainer.progress, None if state is None else state["step"]
        if built.adapted is not None:
            from nucleotune.models.adapters import merge_lora

            # Predictions are made with the merged weights: those, and no others, are what a model directory holds.
            merge_lora(built.adapted)
        outputs = predict_outputs(network, inputs, torch_device)
    collapsed = check_learned(
        progress.best_loss, _flat_loss(targets, train, valid, method["training"])
    )
    seconds = time.perf_counter() - begin
    profile_model.description.update(
        {
            "seed": seed,
            "base": base,
            "unknown_share": unknown_share,
            "best_step": progress.best_step,
            "versions": library_versions(),
        }
    )
    if output_dir is not None:
        save_profile_model(output_dir, profile_model)
    summary = {
        "parameters": built.parameters,
        "load": built.report,
        "examples": {
            name: int(n) for name, n in used.table["split"].value_counts(sort=False).items()
        },
        "positions": counts.shape[2],
        "unknown_share": unknown_share,
        "device": torch_device.type,
        "precision": precision(torch_device) if model is not None else "fp32",
        "processes": 1,
        "threads": threads,
        "steps": progress.step,
        "best_step": progress.best_step,
        "best_validation_loss": progress.best_loss,
        "stopped_early": progress.stopped_early,
        "collapsed": collapsed,
        "resumed": resumed is not None,
        "resumed_at_step": resumed,
        "seconds": seconds,
        "examples_per_second": progress.total_examples / max(progress.total_seconds, 1e-9),
        "versions": library_versions(),
    }
    table = used.table[list(PROFILE_PREDICTION_COLUMNS)]
    predictions = ProfilePredictions(table, *_probabilities(*outputs), examples.tracks)
    rows = pd.DataFrame(progress.rows, columns=list(ROW_COLUMNS))
    return TrainedProfile(predictions, rows, summary)


def predict_profiles(
    model: ProfileModel,
    sequences: Sequence[str],
    *,
    ids: Sequence[str] | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Profiles (n, tracks, positions), each adding up to 1, and log(1 + total) (n, tracks) of upper-case sequences.

    Raises:
        InputError: a sequence has not the length that the model was trained on (named by `ids`).
    """
    torch_device = resolve_device(device, threads)
    network = model.network.to(torch_device)
    return _probabilities(*predict_outputs(network, model.inputs(sequences, ids), torch_device))


def _probabilities(
    logits: torch.Tensor, log_counts: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    return logits.softmax(-1).numpy(), log_counts.double().numpy()


def _resolved(
    model: dict[str, Any] | None, checkpoint: Path | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """`model` with its architecture, checked, and where its weights come from."""
    if model is None:
        return None, None
    if checkpoint is None:
        return check_model(model), None
    record = verify_checkpoint(checkpoint, model if model.get("checkpoint") else None)
    origin = {key: record[key] for key in ("hub", "revision", "commit", "path")}
    return complete_model(model, checkpoint), {"sha256": weights_digest(checkpoint), **origin}


def _flat_loss(
    counts: torch.Tensor, train: np.ndarray, valid: np.ndarray, training: dict[str, Any]
) -> float:
    """Validation loss of who knows nothing: the same everywhere, and the mean log(1 + reads) of the training set."""
    log_counts = counts[train].double().sum(-1).log1p().mean(0).expand(len(valid), -1)
    losses = mean_losses(torch.zeros_like(counts[valid]), log_counts, counts[valid])
    return training["profile_weight"] * losses[0] + training["count_weight"] * losses[1]


def _fill_average(
    built: Built,
    inputs: torch.Tensor,
    counts: torch.Tensor,
    train: np.ndarray,
    valid: np.ndarray,
    device: torch.device,
) -> Progress:
    """Set the average of the training sequences; its losses take the place of an epoch's."""
    begin = time.perf_counter()
    network, training = built.model.network, built.model.description["method"]["training"]
    known = counts[train].double()
    totals = known.sum(-1, keepdim=True)
    seen = (known / totals.clamp(min=1)).sum(0) + 1 / known.shape[-1]
    network.profile.copy_((seen / seen.sum(-1, keepdim=True)).log())
    network.counts.copy_(totals.squeeze(-1).log1p().mean(0))
    network.to(device)
    progress = Progress(total_examples=len(train), total_seconds=time.perf_counter() - begin)
    for split, rows in (("train", train), ("valid", valid)):
        losses = mean_losses(*predict_outputs(network, inputs[rows], device), counts[rows])
        loss = training["profile_weight"] * losses[0] + training["count_weight"] * losses[1]
        values = [0, 0.0, split, loss, *losses, 0.0, len(train) / progress.total_seconds]
        progress.rows.append(dict(zip(ROW_COLUMNS, [*values, peak_memory_mb(device)], strict=True)))
    progress.best_loss = loss
    return progress
