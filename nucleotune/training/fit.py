"""From examples to predictions and a model directory, for every kind of labels: what the rule `finetune` does."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from nucleotune.devices import describe
from nucleotune.errors import InputError
from nucleotune.files import check_new_directory
from nucleotune.models.checkpoints import complete_model, verify_checkpoint
from nucleotune.models.spec import check_model
from nucleotune.models.weights import (
    DESCRIPTION,
    library_versions,
    read_description,
    weights_digest,
)
from nucleotune.stages import stage_number
from nucleotune.training import parallel
from nucleotune.training.compute import log_precision, precision, resolve_device
from nucleotune.training.kinds import learner_class
from nucleotune.training.state import load_state, run_digest, save_state
from nucleotune.training.trainer import Trainer


class Fitted(NamedTuple):
    """What a training gives beside the model directory.

    predictions    of train, valid and all test sets in the contract of the kind, rows in the order of the examples
    training_rows  one row an evaluation and split: step, epoch, split, loss, the kind's further numbers, learning_rate,
                   examples_per_second, padding_share (where anything is padded), peak_memory_mb
    summary        JSON values: sizes, shares, speed, versions
    """

    predictions: Any
    training_rows: pd.DataFrame
    summary: dict[str, Any]


def fit(
    examples: Any,
    *,
    task: str,
    method: dict[str, Any],
    model: dict[str, Any] | None,
    seed: int,
    threads: int,
    device: str | None = None,
    start_from: Path | None = None,
    checkpoint: Path | None = None,
    state_dir: Path,
    output_dir: Path | None,
    labels: Sequence[str] | None = None,
) -> Fitted:
    """Train as `method` says, write the model to `output_dir`, and predict train, valid and all test sets.

    The weights kept are those of the lowest validation loss. While training, its state is kept in `state_dir`; if the
    process dies, the same call goes on from there, and on the CPU ends with the very same predictions. The caller
    ends with `state.remove_state(state_dir)`, once it has written what this function returned. In a group of processes
    (`training.parallel`) all call this with the same arguments; the first of them writes the files.

    Args:
        examples: the contract of the kind; splits other than those used are ignored.
        task: the kind of labels, a module of `training.kinds`.
        method: validated dict, see `training.sequences` and `training.kinds.profiles`.
        model: validated dict, see `models.spec`; an `architecture` of None is that of `checkpoint` or `start_from`.
            None for a network without a language model.
        seed: of new weights, batch order and dropout.
        threads: CPU threads of each process; part of the state's identity, since they decide the order of sums.
        device: `cpu`, `cuda`, ...; None takes CUDA if there is one.
        start_from: directory of a trained model of the same architecture, tokenizer and outputs whose weights, head
            included, are the starting point.
        checkpoint: directory of a published language model (`models.checkpoints`) that gives the encoder's weights
            and the tokenizer's files. Not together with `start_from`; without both, weights are random. With `weights`
            `random` in the method it gives tokenizer and architecture only.
        state_dir: for this training alone.
        output_dir: the model directory to be written; None for none.
        labels: names of classes 0, 1, ..., or of labels or targets, in the order of the head's outputs; None takes two
            classes, or the examples' columns.

    Raises:
        InputError: examples, method, model, `start_from` and `checkpoint` do not fit each other, a file is broken,
            something other than a model is at `output_dir`, too many unknown tokens, or the model predicts the same
            for all; `Diverged`: a loss is not finite, or that of a profile far above a flat one's.
    """
    if output_dir is not None:
        check_new_directory(output_dir, DESCRIPTION)
    model, base = _resolved(model, start_from, checkpoint)
    if method.get("weights") == "random":
        base = None
    torch_device = resolve_device(device, threads)
    log_precision(torch_device)
    learner = learner_class(task)(
        examples,
        method=method,
        model=model,
        seed=seed,
        device=torch_device,
        start_from=start_from,
        checkpoint=checkpoint,
        labels=labels,
    )
    digest = run_digest(
        learner.table,
        stage_version=stage_number("finetune"),
        task=task,
        method=method,
        model=learner.model,
        seed=seed,
        threads=threads,
        processes=parallel.size(),
        device=torch_device.type,
        base=base,
        versions=library_versions(),
        **learner.identity,
    )
    trainer = Trainer(learner, seed)
    state = load_state(Path(state_dir), digest)
    if state is not None:
        trainer.restore(state)
    first = parallel.rank() == 0

    def save(current: dict[str, Any]) -> None:
        if first:
            save_state(Path(state_dir), digest, current)

    begin = time.perf_counter()
    trainer.run(save)
    seconds = time.perf_counter() - begin
    progress, total = trainer.progress, trainer.progress.total
    predictions, collapsed = learner.finish(progress.best_loss)
    counts = learner.table["split"].value_counts(sort=False)
    summary = {
        "parameters": learner.parameters,
        "load": learner.report,
        "examples": {split: int(n) for split, n in counts.items()},
        **learner.facts,
        "padding_share": total.padding_share,
        "device": torch_device.type,
        "precision": "fp32" if model is None else precision(torch_device),
        **describe(torch_device),
        "processes": parallel.size(),
        "threads": threads,
        "micro_batch_tokens": learner.budget.tokens,
        "steps": progress.step,
        "best_step": progress.best_step,
        "best_validation_loss": progress.best_loss,
        "stopped_early": progress.stopped_early,
        "collapsed": collapsed,
        "resumed": state is not None,
        "resumed_at_step": None if state is None else state["step"],
        "seconds": seconds,
        "examples_per_second": total.per_second(total.examples),
        "tokens_per_second": total.per_second(total.tokens),
        "versions": library_versions(),
    }
    description = {
        "task": task,
        **learner.described,
        "seed": seed,
        "base": base,
        "best_step": progress.best_step,
        "versions": library_versions(),
    }
    if first and output_dir is not None:
        learner.save(output_dir, description)
    return Fitted(predictions, pd.DataFrame(progress.rows), summary)


def _resolved(
    model: dict[str, Any] | None, start_from: Path | None, checkpoint: Path | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """`model` with its architecture, checked, and what it starts from: sha256 of the weights, and their origin."""
    if model is None:
        return None, None
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
