"""From examples to predictions and a model directory: what the rule `finetune` does.

A method is the dict of one `config/methods/<name>.yaml`, validated by its schema:

    title, kind: language_model, model
    start_from    name of the method whose trained model this one starts from, or null
    train_splits  the splits trained on
    adaptation    `full`; `lora` with lora: {rank, alpha, dropout}; or `frozen`: the head alone is trained (what the
                  head is, says `models.adapters`). Dropout acts on a frozen encoder, too, while its head is trained
    view          what the model is shown of a sequence (see `sequence.views`)
    truncation    right, left or centre (see `sequence.kmers.encode_kmers`)
    max_tokens    longest input in tokens, or null: the model's
    training      epochs, max_steps, batch_size, learning_rate, weight_decay, warmup_share or warmup_steps,
                  max_gradient_norm, evaluations_per_epoch, patience (evaluations without a better validation loss),
                  micro_batch_tokens, on_collapse, save_minutes
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
from nucleotune.files import check_new_directory
from nucleotune.models.adapters import add_lora, freeze_encoder, head_modules, merge_lora
from nucleotune.models.checkpoints import complete_model, verify_checkpoint
from nucleotune.models.load import build_classifier, load_model, load_pretrained, save_model
from nucleotune.models.spec import as_read, check_model
from nucleotune.models.tokenizers import Tokenizer, make_tokenizer
from nucleotune.models.weights import (
    DESCRIPTION,
    count_parameters,
    library_versions,
    read_description,
    weights_digest,
)
from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.sequence.views import show
from nucleotune.stages import stage_number
from nucleotune.training import parallel
from nucleotune.training.compute import (
    precision,
    predict_logits,
    predicted_splits,
    resolve_device,
)
from nucleotune.training.gates import check_collapse, check_unknown
from nucleotune.training.memory import TokenBudget
from nucleotune.training.state import load_state, run_digest, save_state
from nucleotune.training.trainer import Trainer

logger = logging.getLogger(__name__)


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
    checkpoint: Path | None = None,
    state_dir: Path,
    output_dir: Path,
    labels: tuple[str, str],
) -> Finetuned:
    """Train `model` as `method` says, write it to `output_dir`, and predict train, valid and all test sets.

    The weights kept are those of the lowest validation loss. While training, its state is kept in `state_dir`; if the
    process dies, the same call goes on from there, and on the CPU ends with the very same predictions. The caller
    ends with `state.remove_state(state_dir)`, once it has written what this function returned. In a group of processes
    (`training.parallel`) all call this with the same arguments; the first of them writes the files.

    Args:
        examples: the contract of `contracts.check_examples`; splits other than those used are ignored.
        method: validated dict, see this module's docstring.
        model: validated dict, see `models.spec`; an `architecture` of None is that of `checkpoint` or `start_from`.
        seed: of initial weights, batch order and dropout.
        threads: CPU threads of each process; part of the state's identity, since they decide the order of sums.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        start_from: directory of a trained model of the same architecture and tokenizer whose weights, head included,
            are the starting point.
        checkpoint: directory of a published language model (`models.checkpoints`) that gives the encoder's weights
            and the tokenizer's files. Not together with `start_from`; without both, weights are random.
        state_dir: for this training alone.
        output_dir: the model directory (`models.load`) to be written.
        labels: what labels 0 and 1 mean, for the model's description.

    Raises:
        InputError: examples, method, model, `start_from` and `checkpoint` do not fit each other, a file is broken,
            something other than a model is at `output_dir`, too many unknown tokens, training diverges, or it
            collapses to one class.
    """
    check_new_directory(output_dir, DESCRIPTION)
    model, base = _resolved(model, start_from, checkpoint)
    # From here on the model's limit is the method's: for tokens, the state's identity, and whoever reads the model.
    model = as_read(model, method)
    used = _used_examples(examples, method, model)
    torch_device = resolve_device(device, threads)
    ids, sequences = used["id"].tolist(), show(used["sequence"], method["view"])
    tokenizer = make_tokenizer(model, start_from or checkpoint)
    tokenized = tokenizer.encode(ids, sequences, method["truncation"])
    unknown_share = check_unknown(tokenizer, tokenized, ids, sequences)
    truncated = int(tokenized.truncated.sum())
    truncated_share = truncated / len(used)
    logger.info(
        "%d examples; %.1f %% of them cut at %d tokens, side: %s",
        len(used),
        100 * truncated_share,
        model["max_tokens"],
        method["truncation"],
    )

    classifier, load_report = _starting_classifier(method, model, seed, start_from, checkpoint)
    _check_padding(classifier, tokenizer, model)
    digest = run_digest(
        used,
        stage_version=stage_number("finetune"),
        method=method,
        model=model,
        seed=seed,
        threads=threads,
        processes=parallel.size(),
        device=torch_device.type,
        base=base,
        tokenizer=tokenizer.files,
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
    first = parallel.rank() == 0

    def save(current: dict[str, Any]) -> None:
        if first:
            save_state(Path(state_dir), digest, current)

    trainer.run(save)
    seconds = time.perf_counter() - begin

    adapter = None
    if method["adaptation"] == "lora":
        # Predictions are made with the merged weights: those, and no others, are what `predict` reads.
        classifier, adapter = merge_lora(classifier)
    predictions = _predict(classifier, tokenized, used, torch_device, trainer.budget)
    collapsed = check_collapse(predictions, keep=method["training"]["on_collapse"] == "keep")

    progress = trainer.progress
    summary = {
        "parameters": parameters,
        "load": load_report,
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
        "processes": parallel.size(),
        "threads": threads,
        "micro_batch_tokens": trainer.budget.tokens,
        "steps": progress.step,
        "best_step": progress.best_step,
        "best_validation_loss": progress.best_loss,
        "stopped_early": progress.stopped_early,
        "collapsed": collapsed,
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
        "base": base,
        "truncation": method["truncation"],
        "labels": {"0": labels[0], "1": labels[1]},
        "unknown_share": unknown_share,
        "truncated_share": truncated_share,
        "best_step": progress.best_step,
        "versions": library_versions(),
    }
    if first:
        save_model(output_dir, classifier, description, tokenizer=tokenizer, adapter=adapter)
    return Finetuned(predictions, pd.DataFrame(progress.rows), summary)


def scores(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of label 1, float64 (n,), and the decision at one half, int8 (n,), from logits (n, 2)."""
    probability = expit(logits[:, 1] - logits[:, 0])
    return probability, (probability > 0.5).astype(np.int8)


def _resolved(
    model: dict[str, Any], start_from: Path | None, checkpoint: Path | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """`model` with its architecture, checked, and what it starts from: sha256 of the weights, and their origin."""
    if start_from is not None and checkpoint is not None:
        raise InputError(
            f"model {model['title']!r} is to start from both {start_from} and {checkpoint}: what was trained here has "
            f"its encoder's weights already; leave one of them out"
        )
    if checkpoint is not None:
        record = verify_checkpoint(checkpoint, model if model.get("checkpoint") else None)
        origin = {key: record[key] for key in ("hub", "revision", "commit", "path")}
        return complete_model(model, checkpoint), {"sha256": weights_digest(checkpoint), **origin}
    if start_from is None:
        if model["architecture"] is None:
            raise InputError(
                f"model {model['title']!r}: without a checkpoint, it needs an architecture"
            )
        return check_model(model), None
    trained = read_description(start_from)["model"]
    model = model | {"architecture": model["architecture"] or trained["architecture"]}
    check_model(model)
    for key in ("family", "tokenizer", "architecture"):
        if trained[key] != model[key]:
            raise InputError(
                f"{start_from}: its {key} {trained[key]} is not that of model {model['title']!r}, {model[key]}: "
                f"methods that start from each other need the same model"
            )
    return model, {"sha256": weights_digest(start_from)}


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
    wanted = {*method["train_splits"], *predicted_splits(examples)}
    return examples[examples["split"].isin(wanted)].reset_index(drop=True)


def _starting_classifier(
    method: dict[str, Any],
    model: dict[str, Any],
    seed: int,
    start_from: Path | None,
    checkpoint: Path | None,
) -> tuple[torch.nn.Module, dict[str, Any] | None]:
    """The classifier before its first step, adapted as the method says, and what `load_pretrained` reports."""
    report = None
    if checkpoint is not None:
        classifier, report = load_pretrained(model, checkpoint, seed=seed)
        logger.info(
            "%s: %d weights; new: %s; not used: %s",
            *(checkpoint, report["loaded"]),
            *(", ".join(report[kind]) or "none" for kind in ("new", "ignored")),
        )
    elif start_from is not None:
        classifier = load_model(start_from)[0]
    else:
        classifier = build_classifier(model, seed=seed)
    if method["adaptation"] == "frozen":
        freeze_encoder(classifier)
    elif method["adaptation"] == "lora":
        trained = head_modules(classifier)
        targets = model["lora_targets"]
        classifier = add_lora(classifier, targets, **method["lora"], seed=seed, trained=trained)
    return classifier, report


def _check_padding(
    classifier: torch.nn.Module, tokenizer: Tokenizer, model: dict[str, Any]
) -> None:
    """Raise InputError if the encoder counts positions by another padding token than the tokenizer's."""
    expected = classifier.config.pad_token_id
    if model["family"] == "esm" and tokenizer.pad_id != expected:
        raise InputError(
            f"model {model['title']!r}: its tokenizer pads with {tokenizer.pad_id}, but family 'esm' reads positions "
            f"off the padding id {expected}; its tokenizer.json must give the padding token that id"
        )


def _predict(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    used: pd.DataFrame,
    device: torch.device,
    budget: TokenBudget,
) -> pd.DataFrame:
    """Predictions of the rows of `used` that get any."""
    rows = np.flatnonzero(used["split"].isin(predicted_splits(used)))
    logits = predict_logits(
        classifier,
        tokenized,
        rows,
        device=device,
        budget=budget,
    )
    score, predicted = scores(logits)
    return (
        used.loc[rows, ["id", "split", "label"]]
        .reset_index(drop=True)
        .assign(score=score, predicted=predicted)
    )
