"""The training loop: AdamW, linear warm-up and decay, accumulated micro-batches, early stop on validation loss."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training import parallel
from nucleotune.training.batches import epoch_batches, micro_batches, to_device
from nucleotune.training.compute import forward, peak_memory_mb, predict_logits
from nucleotune.training.gates import check_finite
from nucleotune.training.interruption import noted_interruption
from nucleotune.training.memory import TokenBudget
from nucleotune.training.state import copy_weights, random_state, set_random_state, set_weights

logger = logging.getLogger(__name__)

#: Seconds between two lines of progress.
LOG_EVERY = 10.0

#: Optimiser steps from one look at the results to the next. Each look waits for the device, so a GPU is left alone for
#: some steps; what a look finds late (a loss that is no number, a signal) is still found before any state is saved.
LOOK_EVERY = {"cpu": 1, "cuda": 5}


@dataclass
class Tally:
    """Sums over examples since some point of the training."""

    loss: float = 0.0
    correct: int = 0
    examples: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Add `other` to this one."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def padding_share(self) -> float:
        """Padding among all tokens that were computed, 0 to 1."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0


@dataclass
class Progress:
    """Where a training stands, weights and optimiser apart; all of it is kept in the resumable state."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    evaluations_since_best: int = 0
    stopped_early: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    since_evaluation: Tally = field(default_factory=Tally)
    total: Tally = field(default_factory=Tally)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Progress":
        """The inverse of `dataclasses.asdict`."""
        tallies = {name: Tally(**values[name]) for name in ("since_evaluation", "total")}
        return cls(**(values | tallies))


def learning_rate(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Rate of optimiser step `step` (1-based) of `steps`: linear up to `peak` at step `warmup`, then down towards 0.

    The rate would be 0 one step after the last one, so no step is wasted (LoRA-BERT, section 3.1: "reduced to
    approach nearly 0").
    """
    if step <= warmup:
        return peak * step / warmup
    return peak * (steps + 1 - step) / (steps + 1 - warmup)


def parameter_groups(module: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trainable parameters for AdamW: weight decay on matrices, none on biases and LayerNorm scales (vectors)."""
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]


class Trainer:
    """One training run: `run()` it; `state()` and `restore()` carry it over from one process to the next.

    In a group of processes (`training.parallel`) each has a Trainer of the same arguments, and all run together.
    """

    def __init__(
        self,
        classifier: torch.nn.Module,
        tokenized: TokenizedSequences,
        labels: np.ndarray,
        *,
        train: np.ndarray,
        valid: np.ndarray,
        training: dict[str, Any],
        seed: int,
        device: torch.device,
    ) -> None:
        """Set up a run from its beginning; seeds torch's random state (dropout).

        Args:
            classifier: gives `.logits` (examples, 2); its trainable parameters are trained in place.
            tokenized: all examples.
            labels: int64 (n,), 0 or 1.
            train: indices of the examples to train on.
            valid: indices of the examples whose loss decides when to stop and which weights to keep.
            training: the method's `training` settings.
            seed: of batch order and dropout.
            device: where to compute; the classifier is moved there.
        """
        self.classifier = classifier.to(device)
        self.tokenized, self.labels = tokenized, labels
        self.train_indices, self.valid_indices = train, valid
        self.training, self.seed, self.device = training, seed, device
        self.steps_per_epoch = math.ceil(len(train) / training["batch_size"])
        self.steps = training["epochs"] * self.steps_per_epoch
        if training["max_steps"] is not None:
            self.steps = min(self.steps, training["max_steps"])
        self.warmup = training["warmup_steps"]
        if self.warmup is None:
            self.warmup = math.ceil(training["warmup_share"] * self.steps)
        self.warmup = min(self.warmup, self.steps)
        self.trainable = {n: p for n, p in self.classifier.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            parameter_groups(classifier, training["weight_decay"]), fused=True
        )
        self.progress = Progress()
        self.best: dict[str, torch.Tensor] = {}
        self.budget = TokenBudget(training["micro_batch_tokens"])
        self._begin_tally()
        torch.manual_seed(seed + (parallel.rank() << 32))

    def run(self, save: Callable[[dict[str, Any]], None]) -> None:
        """Train to the end and leave the classifier with its best weights.

        Args:
            save: called with `state()` at every evaluation, at least every `save_minutes`, and when the process is told
                to stop by SIGTERM or SIGINT, which has its usual effect after that.

        Raises:
            InputError: loss or gradient is not finite, or one example does not fit into the memory.
        """
        progress = self.progress
        here, unlogged, unsaved = Tally(), 0.0, 0.0
        epoch, batches = -1, []
        with noted_interruption() as interruption:
            self._begin_tally()
            while progress.step < self.steps and not progress.stopped_early:
                if progress.step // self.steps_per_epoch != epoch:
                    epoch = progress.step // self.steps_per_epoch
                    batches = epoch_batches(
                        self.tokenized.lengths[self.train_indices],
                        self.training["batch_size"],
                        seed=self.seed,
                        epoch=epoch,
                    )
                self._step(self.train_indices[batches[progress.step % self.steps_per_epoch]])
                progress.step += 1
                evaluated = self._evaluation_due()
                if not evaluated and progress.step % LOOK_EVERY[self.device.type]:
                    continue
                tally, stop = self._tally(interruption.came)
                for sums in (progress.since_evaluation, progress.total, here):
                    sums.add(tally)
                unlogged += tally.seconds
                unsaved += tally.seconds
                if unlogged >= LOG_EVERY:
                    self._log(tally, here)
                    unlogged = 0.0
                if evaluated:
                    self._evaluate()
                if evaluated or stop or unsaved >= 60 * self.training["save_minutes"]:
                    save(self.state())
                    unsaved = 0.0
                if stop:
                    interruption.take_effect()
                self._begin_tally()
        if self.best:
            set_weights(self.trainable, self.best)

    def _step(self, batch: np.ndarray) -> None:
        """One optimiser step on the examples `batch`."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.progress.step + 1)
        self.classifier.train()
        lengths = self.tokenized.lengths
        mine = parallel.share(batch, lengths)
        self._sums += self.budget.fit(
            lambda tokens: self._accumulate(mine, len(batch), tokens),
            longest=int(lengths[mine].max(initial=0)),
        )
        parallel.add_up_gradients(self.trainable.values())
        self._norms += torch.nn.utils.clip_grad_norm_(
            self.trainable.values(), self.training["max_gradient_norm"]
        )
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._steps += 1
        self._examples += len(batch)
        self._tokens += int(lengths[batch].sum())

    def _accumulate(self, mine: np.ndarray, batch_size: int, tokens: int) -> torch.Tensor:
        """Gradients of the examples `mine` of a batch, in micro-batches of at most `tokens`.

        Returns, on the device, their sums of loss, right predictions and computed tokens.
        """
        self.optimizer.zero_grad()  # what an attempt that did not fit has left
        sums = torch.zeros_like(self._sums)
        for part in micro_batches(mine, self.tokenized.lengths, tokens):
            logits, computed = forward(self.classifier, self.tokenized, part, self.device)
            target = to_device(self.labels[part], self.device)
            loss = cross_entropy(logits, target, reduction="sum")
            # Divided by the whole batch, the micro-batches' gradients add up to that of the batch mean.
            (loss / batch_size).backward()
            sums[0] += loss.detach()
            sums[1] += (logits.argmax(1) == target).sum()
            sums[2] += computed
        return sums

    def _rate(self, step: int) -> float:
        return learning_rate(
            step, steps=self.steps, warmup=self.warmup, peak=self.training["learning_rate"]
        )

    def _begin_tally(self) -> None:
        """Start counting anew; what is counted on the device stays there until `_tally`."""
        self._begin = time.perf_counter()
        self._sums = torch.zeros(3, dtype=torch.float64, device=self.device)
        self._norms = torch.zeros((), device=self.device)
        self._steps = self._examples = self._tokens = 0

    def _tally(self, told_to_stop: bool) -> tuple[Tally, bool]:
        """What all processes did since `_begin_tally`, and whether any of them was told to stop.

        Raises:
            InputError: loss or gradient was not finite.
        """
        values = [*self._sums.tolist(), time.perf_counter() - self._begin, told_to_stop]
        loss, correct, padded, seconds, stop = parallel.add_up(
            torch.tensor(values, dtype=torch.float64)
        ).tolist()
        step = self.progress.step
        found = {
            "loss": loss / self._examples,
            "gradient norm": self._norms.item() / self._steps,
        }
        check_finite(found, step=step, learning_rate=self._rate(step))
        tally = Tally(
            loss=loss,
            correct=int(correct),
            examples=self._examples,
            tokens=self._tokens,
            padded_tokens=int(padded),
            seconds=seconds / parallel.size(),
        )
        return tally, stop > 0

    def _evaluation_due(self) -> bool:
        """Whether the step just made ends one of the `evaluations_per_epoch` equal parts of an epoch, or the run."""
        step, share = self.progress.step, self.training["evaluations_per_epoch"]
        crossed = step * share // self.steps_per_epoch > (step - 1) * share // self.steps_per_epoch
        return crossed or step == self.steps

    def _evaluate(self) -> None:
        """Measure the validation loss, note it and the training since the last time, keep the best weights."""
        begin = time.perf_counter()
        logits = predict_logits(
            self.classifier,
            self.tokenized,
            self.valid_indices,
            device=self.device,
            budget=self.budget,
        )
        labels = self.labels[self.valid_indices]
        loss = float(
            np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels])
        )
        accuracy = float(np.mean(logits.argmax(axis=1) == labels))
        progress = self.progress
        rate = self._rate(progress.step)
        check_finite({"validation loss": loss}, step=progress.step, learning_rate=rate)
        trained, progress.since_evaluation = progress.since_evaluation, Tally()
        common = {"step": progress.step, "epoch": progress.step / self.steps_per_epoch}
        machine = {
            "learning_rate": rate,
            "examples_per_second": trained.examples / trained.seconds,
            "padding_share": trained.padding_share,
            "peak_memory_mb": peak_memory_mb(self.device),
        }
        train_row = {
            "loss": trained.loss / trained.examples,
            "accuracy": trained.correct / trained.examples,
        }
        valid_row = {"loss": loss, "accuracy": accuracy}
        rate = len(labels) / (time.perf_counter() - begin)
        progress.rows.append(common | {"split": "train"} | train_row | machine)
        progress.rows.append(
            common | {"split": "valid"} | valid_row | machine | {"examples_per_second": rate}
        )
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.evaluations_since_best = (
                loss,
                progress.step,
                0,
            )
            self.best = copy_weights(self.trainable)
        else:
            progress.evaluations_since_best += 1
            progress.stopped_early = progress.evaluations_since_best >= self.training["patience"]
        logger.info(
            "step %d/%d: training loss %.4f, validation loss %.4f, accuracy %.3f%s",
            *(progress.step, self.steps, train_row["loss"], loss, accuracy),
            f"; stopped early, best was step {progress.best_step}"
            if progress.stopped_early
            else "",
        )

    def _log(self, tally: Tally, here: Tally) -> None:
        """One line of progress: the step just made, and the pace `here`, in this process."""
        pace = here.examples / here.seconds
        left = (self.steps - self.progress.step) * self.training["batch_size"] / pace
        logger.info(
            "step %d/%d: loss %.4f, %.1f examples/s, at most %d:%02d min left",
            *(
                self.progress.step,
                self.steps,
                tally.loss / tally.examples,
                pace,
                *divmod(round(left), 60),
            ),
        )

    def state(self) -> dict[str, Any]:
        """All that another process needs to go on: tensors and plain values."""
        return {
            "step": self.progress.step,
            "progress": asdict(self.progress),
            "weights": copy_weights(self.trainable),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "processes": parallel.gather(
                {**random_state(self.device), "micro_batch_tokens": self.budget.tokens}
            ),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`, which was made by a run of the same arguments."""
        self.progress = Progress.from_dict(state["progress"])
        set_weights(self.trainable, state["weights"])
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        own = state["processes"][parallel.rank()]
        self.budget.tokens = own["micro_batch_tokens"]
        set_random_state(own, self.device)
