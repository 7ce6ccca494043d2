"""From examples to predictions and a model directory: what the rule `finetune` does.

A method is the dict of one `config/methods/<name>.yaml`, validated by its schema:

    title, kind: language_model, model
    start_from    name of the method whose trained model this one starts from, or null
    train_splits  the splits trained on
    adaptation    `full`, or `lora` with lora: {rank, alpha, dropout}
    truncation    right, left or centre (see `sequence.kmers.encode_kmers`)
    training      epochs, max_steps, batch_size, learning_rate, weight_decay, warmup_share, max_gradient_norm,
                  evaluations_per_epoch, patience (evaluations without a better validation loss), micro_batch_tokens,
                  save_minutes
"""

import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.special import expit

from nucleotune.contracts import check_examples
from nucleotune.errors import InputError
from nucleotune.models.load import (
    add_lora,
    build_classifier,
    count_parameters,
    library_versions,
    load_model,
    save_model,
    weights_digest,
)
from nucleotune.models.spec import check_model
from nucleotune.models.tokenizers import tokenize
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training.gates import check_collapse, check_unknown
from nucleotune.training.state import load_state, run_digest, save_state
from nucleotune.training.trainer import Trainer, precision, predict_logits, resolve_device

logger = logging.getLogger(__name__)

#: Raised by hand when a change of this package changes what a training computes: older states are then not resumed.
STAGE_VERSION = 1

#: Splits that get predictions; `pretrain` serves training only.
PREDICTED_SPLITS = ("train", "valid", "test")


class Finetuned(NamedTuple):
    """What a fine-tuning gives beside the model directory.

    predictions    the contract of `contracts.write_predictions`, rows in the order of the examples
    training_rows  one row an evaluation and split: step, epoch, split, loss, accuracy, learning_rate,
                   examples_per_second, padding_share, peak_memory_mb
    summary        JSON values: sizes, shares, speed, versions
    """

    predictions: pd.DataFrame
    training_rows: pd.DataFrame
    summary: dict[str, Any]


def finetune(
    examples: pd.DataFrame,
    *,
    method: dict[str, Any],
    model: dict[str, Any],
    seed: int,
    threads: int,
    device: str | None = None,
    start_from: Path | None = None,
    state_dir: Path,
    output_dir: Path,
    labels: tuple[str, str] = ("mRNA", "lncRNA"),
) -> Finetuned:
    """Train `model` as `method` says, write it to `output_dir`, and predict the splits train, valid and test.

    The weights kept are those of the lowest validation loss. While training, its state is kept in `state_dir`; if the
    process dies, the same call goes on from there, and on the CPU ends with the very same predictions. The caller
    ends with `state.remove_state(state_dir)`, once it has written what this function returned.

    Args:
        examples: the contract of `contracts.check_examples`; splits other than those used are ignored.
        method: validated dict, see this module's docstring.
        model: validated dict, see `models.spec`.
        seed: of initial weights, batch order and dropout.
        threads: CPU threads of torch; part of the state's identity, since they decide the order of sums.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        start_from: directory of a trained model of the same architecture and tokenizer whose weights, head included,
            are the starting point; None for random weights.
        state_dir: for this training alone.
        output_dir: the model directory (`models.load`) to be written.
        labels: what labels 0 and 1 mean, for the model's description.

    Raises:
        InputError: examples, method, model and `start_from` do not fit each other, too many unknown tokens, training
            diverges, or it collapses to one class.
    """
    check_model(model)
    used = _used_examples(examples, method, model)
    torch_device = resolve_device(device, threads)
    ids, sequences = used["id"].tolist(), used["sequence"].tolist()
    tokenized = tokenize(model, ids, sequences, method["truncation"])
    unknown_share = check_unknown(model, tokenized, ids, sequences)
    truncated = int(tokenized.truncated.sum())
    truncated_share = truncated / len(used)
    logger.info(
        "%d examples; %.1f %% of them cut at %d tokens, side: %s",
        len(used),
        100 * truncated_share,
        model["max_tokens"],
        method["truncation"],
    )

    classifier = _starting_classifier(method, model, seed, start_from)
    digest = run_digest(
        used,
        stage_version=STAGE_VERSION,
        method=method,
        model=model,
        seed=seed,
        threads=threads,
        device=torch_device.type,
        start_from=None if start_from is None else weights_digest(start_from),
        versions=library_versions(),
    )
    parameters = count_parameters(classifier)
    trainer = Trainer(
        classifier,
        tokenized,
        used["label"].to_numpy(dtype=np.int64),
        train=np.flatnonzero(used["split"].isin(method["train_splits"])),
        valid=np.flatnonzero(used["split"] == "valid"),
        training=method["training"],
        seed=seed,
        device=torch_device,
    )
    state = load_state(Path(state_dir), digest)
    if state is not None:
        trainer.restore(state)
    begin = time.perf_counter()
    trainer.run(save=lambda current: save_state(Path(state_dir), digest, current))
    seconds = time.perf_counter() - begin

    if method["adaptation"] == "lora":
        # Predictions are made with the merged weights: those, and no others, are what the model directory holds.
        classifier = classifier.merge_and_unload()
    predictions = _predict(classifier, tokenized, used, torch_device, method)
    check_collapse(predictions)

    progress = trainer.progress
    summary = {
        "parameters": parameters,
        "examples": {split: int(n) for split, n in used["split"].value_counts(sort=False).items()},
        "unknown_share": unknown_share,
        "truncated": {
            "side": method["truncation"],
            "count": truncated,
            "share": truncated_share,
        },
        "padding_share": progress.total.padding_share,
        "device": torch_device.type,
        "precision": precision(torch_device),
        "threads": threads,
        "steps": progress.step,
        "best_step": progress.best_step,
        "best_validation_loss": progress.best_loss,
        "stopped_early": progress.stopped_early,
        "resumed": state is not None,
        "resumed_at_step": None if state is None else state["step"],
        "seconds": seconds,
        "examples_per_second": progress.total.examples / progress.total.seconds,
        "tokens_per_second": progress.total.tokens / progress.total.seconds,
        "versions": library_versions(),
    }
    description = {
        "model": model,
        "method": method,
        "seed": seed,
        "truncation": method["truncation"],
        "labels": {"0": labels[0], "1": labels[1]},
        "unknown_share": unknown_share,
        "truncated_share": truncated_share,
        "best_step": progress.best_step,
        "versions": library_versions(),
    }
    save_model(output_dir, classifier, description)
    return Finetuned(predictions, pd.DataFrame(progress.rows), summary)


def scores(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of label 1, float64 (n,), and the decision at one half, int8 (n,), from logits (n, 2)."""
    probability = expit(logits[:, 1] - logits[:, 0])
    return probability, (probability > 0.5).astype(np.int8)


def _used_examples(
    examples: pd.DataFrame, method: dict[str, Any], model: dict[str, Any]
) -> pd.DataFrame:
    """Rows that are trained on or predicted, after checks."""
    check_examples(examples)
    longest, limit = model["max_tokens"], method["training"]["micro_batch_tokens"]
    if limit < longest:
        raise InputError(
            f"method {method['title']!r}: training.micro_batch_tokens {limit} is less than one longest input of the "
            f"model ({longest} tokens)"
        )
    for split in (*method["train_splits"], "valid"):
        found = examples.loc[examples["split"] == split, "label"].nunique()
        if found < 2:
            raise InputError(
                f"method {method['title']!r} needs examples of both labels in split {split!r}, found "
                f"{'none' if found == 0 else 'one label only'}"
            )
    if "valid" in method["train_splits"] or "test" in method["train_splits"]:
        raise InputError(
            f"method {method['title']!r}: train_splits must not hold 'valid' or 'test'"
        )
    wanted = {*method["train_splits"], *PREDICTED_SPLITS}
    return examples[examples["split"].isin(wanted)].reset_index(drop=True)


def _starting_classifier(
    method: dict[str, Any], model: dict[str, Any], seed: int, start_from: Path | None
) -> torch.nn.Module:
    """The classifier before its first step, with its LoRA adapter if the method asks for one."""
    if start_from is None:
        classifier = build_classifier(model, seed=seed)
    else:
        classifier, description = load_model(start_from)
        for key in ("architecture", "tokenizer"):
            if description["model"][key] != model[key]:
                raise InputError(
                    f"{start_from}: its {key} {description['model'][key]} is not that of model {model['title']!r}, "
                    f"{model[key]}; methods that start from each other need the same model"
                )
    if method["adaptation"] == "lora":
        classifier = add_lora(classifier, model["lora_targets"], **method["lora"], seed=seed)
    return classifier


def _predict(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    used: pd.DataFrame,
    device: torch.device,
    method: dict[str, Any],
) -> pd.DataFrame:
    """Predictions of the rows of `used` whose split is one of PREDICTED_SPLITS."""
    rows = np.flatnonzero(used["split"].isin(PREDICTED_SPLITS))
    logits = predict_logits(
        classifier,
        tokenized,
        rows,
        device=device,
        micro_batch_tokens=method["training"]["micro_batch_tokens"],
    )
    score, predicted = scores(logits)
    return (
        used.loc[rows, ["id", "split", "label"]]
        .reset_index(drop=True)
        .assign(score=score, predicted=predicted)
    )
