"""The training loop of all methods: batches in parts that fit into the memory, early stop, best weights, resumable.

The optimiser is AdamW, with linear warm-up and decay where the method has a `warmup_share`, at a constant rate where it
has none. Without `weight_decay` AdamW is Adam. Gradients are clipped where the method has a `max_gradient_norm`.

Batch normalisation sees what one forward pass of one process sees. Where a batch is cut, for want of memory or because
several processes share it, each part is normalised by itself; the running means that prediction uses take in one part
after the other, and their average over the processes is what every process goes on with.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from nucleotune.training import parallel
from nucleotune.training.batches import micro_batches
from nucleotune.training.compute import peak_memory_mb
from nucleotune.training.gates import check_finite
from nucleotune.training.interruption import noted_interruption
from nucleotune.training.learner import Learner
from nucleotune.training.state import copy_weights, random_state, set_random_state, set_weights

logger = logging.getLogger(__name__)

#: Seconds between two lines of progress.
LOG_EVERY = 10.0

#: Optimiser steps from one look at the results to the next. Each look waits for the device, so a GPU is left alone for
#: some steps; what a look finds late (a loss that is no number, a signal) is still found before any state is saved.
LOOK_EVERY = {"cpu": 1, "cuda": 5}


@dataclass
class Tally:
    """Sums over examples since some point of the training; `sums` are those of `Learner.parts`."""

    sums: dict[str, float] = field(default_factory=dict)
    examples: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Add `other` to this one."""
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in other.sums.items()}
        self.examples += other.examples
        self.tokens += other.tokens
        self.padded_tokens += other.padded_tokens
        self.seconds += other.seconds

    @property
    def padding_share(self) -> float:
        """Padding among all tokens that were computed, 0 to 1."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0

    def per_second(self, count: int) -> float:
        """Of so many examples or tokens; 0 where nothing was done."""
        return count / self.seconds if self.seconds else 0.0


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


def learning_rate(step: int, *, steps: int, warmup: int | None, peak: float) -> float:
    """Rate of optimiser step `step` (1-based) of `steps`: linear up to `peak` at step `warmup`, then down towards 0.

    The rate would be 0 one step after the last one, so no step is wasted (LoRA-BERT, section 3.1: "reduced to
    approach nearly 0"). With a `warmup` of None it is always `peak`.
    """
    if warmup is None:
        return peak
    if step <= warmup:
        return peak * step / warmup
    return peak * (steps + 1 - step) / (steps + 1 - warmup)


def warmup_steps(training: Mapping[str, Any], steps: int) -> int | None:
    """How many of `steps` warm up; None for a method with a constant rate."""
    if "warmup_share" not in training:
        return None
    warmup = training["warmup_steps"]
    if warmup is None:
        warmup = math.ceil(training["warmup_share"] * steps)
    return min(warmup, steps)


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

    def __init__(self, learner: Learner, seed: int) -> None:
        """Set up a run from its beginning; `seed` is that of batch order and dropout (torch's random state)."""
        self.learner, self.seed = learner, seed
        self.training = training = learner.training
        self.max_norm = training.get("max_gradient_norm")
        self.trained = {n: p for n, p in learner.network.named_parameters() if p.requires_grad}
        self.running = learner.running()
        self.changing = self.trained | self.running
        # A network without trainable parameters is measured only.
        self.steps, self.steps_per_epoch = 0, 1
        if self.trained:
            self.steps_per_epoch = math.ceil(len(learner.train) / training["batch_size"])
            self.steps = training["epochs"] * self.steps_per_epoch
            if training.get("max_steps") is not None:
                self.steps = min(self.steps, training["max_steps"])
            self.warmup = warmup_steps(training, self.steps)
            groups = parameter_groups(learner.network, training.get("weight_decay", 0.0))
            self.optimizer = torch.optim.AdamW(groups, fused=True)
            self._reserve_moments()
        self.progress = Progress()
        self.best: dict[str, torch.Tensor] = {}
        self._begin_tally()
        torch.manual_seed(seed + (parallel.rank() << 32))

    def run(self, save: Callable[[dict[str, Any]], None]) -> None:
        """Train to the end and leave the network with its best weights.

        Args:
            save: called with `state()` after every `save_minutes` of training, at the end, and when the process is told
                to stop by SIGTERM or SIGINT, which has its usual effect after that.

        Raises:
            Diverged: loss or gradient is not finite.
            InputError: one example does not fit into the memory.
        """
        if not self.trained:
            self._measure()
            return
        progress = self.progress
        here, unlogged, unsaved = Tally(), 0.0, 0.0
        epoch, batches = -1, []
        with noted_interruption() as interruption:
            self._begin_tally()
            while not self._ended():
                if progress.step // self.steps_per_epoch != epoch:
                    epoch = progress.step // self.steps_per_epoch
                    batches = self.learner.batches(self.seed, epoch)
                self._step(batches[progress.step % self.steps_per_epoch])
                progress.step += 1
                evaluated = self._evaluation_due()
                if not evaluated and progress.step % LOOK_EVERY[self.learner.device.type]:
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
                due = unsaved >= 60 * self.training["save_minutes"]
                if due or stop or self._ended():
                    save(self.state())
                    unsaved = 0.0
                if stop:
                    interruption.take_effect()
                self._begin_tally()
        if self.best:
            set_weights(self.changing, self.best)

    def _ended(self) -> bool:
        """Whether no step is left to do."""
        return self.progress.step >= self.steps or self.progress.stopped_early

    def _reserve_moments(self) -> None:
        """Make the optimiser's moments, which AdamW would make in its first step.

        What a GPU has left is then known before the first micro-batch, which can be halved where a step cannot.
        """
        for parameter in self.trained.values():
            self.optimizer.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    def _step(self, batch: np.ndarray) -> None:
        """One optimiser step on the examples `batch`."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.progress.step + 1)
        learner = self.learner
        learner.network.train()
        mine = parallel.share(batch, learner.sizes)
        before = [buffer.clone() for buffer in self.running.values()]
        sums, computed = learner.budget.fit(
            lambda tokens: self._accumulate(mine, len(batch), tokens, before),
            longest=int(learner.sizes[mine].max(initial=0)),
        )
        parallel.add_up_gradients(self.trained.values())
        parallel.average(self.running.values())
        if self.max_norm is not None:
            self._norms += torch.nn.utils.clip_grad_norm_(self.trained.values(), self.max_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._sums += sums
        self._steps += 1
        self._examples += len(batch)
        self._tokens += int(learner.sizes[batch].sum())
        self._computed += computed

    def _accumulate(
        self, mine: np.ndarray, batch_size: int, tokens: int, before: list[torch.Tensor]
    ) -> tuple[torch.Tensor, int]:
        """Gradients of the examples `mine` of a batch, in micro-batches of at most `tokens`.

        `before`: the running means as they were. Returns the examples' sums of `Learner.parts`, on the device, and the
        tokens computed, padding included.
        """
        # What an attempt that did not fit has left.
        self.optimizer.zero_grad()
        for buffer, old in zip(self.running.values(), before, strict=True):
            buffer.copy_(old)
        sums, computed = torch.zeros_like(self._sums), 0
        for part in micro_batches(mine, self.learner.sizes, tokens):
            sums += self.learner.learn(part, batch_size)
            computed += len(part) * int(self.learner.sizes[part].max())
        return sums, computed

    def _rate(self, step: int) -> float:
        return learning_rate(
            step, steps=self.steps, warmup=self.warmup, peak=self.training["learning_rate"]
        )

    def _begin_tally(self) -> None:
        """Start counting anew; what is counted on the device stays there until `_tally`."""
        device = self.learner.device
        self._begin = time.perf_counter()
        self._sums = torch.zeros(len(self.learner.parts), dtype=torch.float64, device=device)
        self._norms = torch.zeros((), device=device)
        self._steps = self._examples = self._tokens = self._computed = 0

    def _tally(self, told_to_stop: bool) -> tuple[Tally, bool]:
        """What all processes did since `_begin_tally`, and whether any of them was told to stop.

        Raises:
            Diverged: loss or gradient was not finite.
        """
        own = [self._computed, time.perf_counter() - self._begin, told_to_stop]
        values = torch.tensor([*self._sums.tolist(), *own], dtype=torch.float64)
        *sums, computed, seconds, stop = parallel.add_up(values).tolist()
        tally = Tally(
            sums=dict(zip(self.learner.parts, sums, strict=True)),
            examples=self._examples,
            tokens=self._tokens,
            padded_tokens=int(computed),
            seconds=seconds / parallel.size(),
        )
        found = {"loss": self.learner.numbers(tally.sums, tally.examples)["loss"]}
        if self.max_norm is not None:
            found["gradient norm"] = self._norms.item() / self._steps
        step = self.progress.step
        check_finite(found, step=step, learning_rate=self._rate(step))
        return tally, stop > 0

    def _evaluation_due(self) -> bool:
        """Whether the step just made ends one of the `evaluations_per_epoch` equal parts of an epoch, or the run."""
        step, share = self.progress.step, self.training.get("evaluations_per_epoch", 1)
        crossed = step * share // self.steps_per_epoch > (step - 1) * share // self.steps_per_epoch
        return crossed or step == self.steps

    def _evaluate(self) -> None:
        """Measure the validation loss, note it and the training since the last time, keep the best weights."""
        progress, learner = self.progress, self.learner
        begin = time.perf_counter()
        valid = learner.measure(learner.valid)
        seconds = time.perf_counter() - begin
        loss, rate = valid["loss"], self._rate(progress.step)
        check_finite({"validation loss": loss}, step=progress.step, learning_rate=rate)
        trained, progress.since_evaluation = progress.since_evaluation, Tally()
        numbers = learner.numbers(trained.sums, trained.examples)
        padding = trained.padding_share
        self._note("train", numbers, rate, trained.per_second(trained.examples), padding)
        self._note("valid", valid, rate, len(learner.valid) / seconds, padding)
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step = loss, progress.step
            progress.evaluations_since_best = 0
            self.best = copy_weights(self.changing)
        else:
            progress.evaluations_since_best += 1
            progress.stopped_early = progress.evaluations_since_best >= self.training["patience"]
        further = [f", {k.replace('_', ' ')} {v:.3f}" for k, v in valid.items() if k != "loss"]
        logger.info(
            "step %d/%d: training loss %.4f, validation loss %.4f%s%s",
            *(progress.step, self.steps, numbers["loss"], loss, "".join(further)),
            f"; stopped early, best was step {progress.best_step}"
            if progress.stopped_early
            else "",
        )

    def _measure(self) -> None:
        """Note the losses of a network that is not trained in place of an evaluation's."""
        progress, learner = self.progress, self.learner
        for split, rows in (("train", learner.train), ("valid", learner.valid)):
            begin = time.perf_counter()
            numbers = learner.measure(rows)
            seconds = time.perf_counter() - begin
            progress.total.add(Tally(examples=len(rows), seconds=seconds))
            self._note(split, numbers, 0.0, len(rows) / seconds, 0.0)
            progress.best_loss = numbers["loss"]

    def _note(
        self, split: str, numbers: dict[str, float], rate: float, pace: float, padding: float
    ) -> None:
        """Add a training row: numbers of a split, learning rate, examples a second, share of padding."""
        step = self.progress.step
        row = {"step": step, "epoch": step / self.steps_per_epoch, "split": split, **numbers}
        row |= {"learning_rate": rate, "examples_per_second": pace}
        if self.learner.padded:
            row["padding_share"] = padding
        row["peak_memory_mb"] = peak_memory_mb(self.learner.device)
        self.progress.rows.append(row)

    def _log(self, tally: Tally, here: Tally) -> None:
        """One line of progress: the steps just made, and the pace `here`, in this process."""
        pace = here.per_second(here.examples)
        left = (self.steps - self.progress.step) * self.training["batch_size"] / pace
        logger.info(
            "step %d/%d: loss %.4f, %.1f examples/s, at most %d:%02d min left",
            *(self.progress.step, self.steps),
            *(self.learner.numbers(tally.sums, tally.examples)["loss"], pace),
            *divmod(round(left), 60),
        )

    def state(self) -> dict[str, Any]:
        """All that another process needs to go on: tensors and plain values; at the end, that is the best weights."""
        own = {
            **random_state(self.learner.device),
            "micro_batch_tokens": self.learner.budget.tokens,
        }
        state = {
            "step": self.progress.step,
            "progress": asdict(self.progress),
            "best": self.best,
            "processes": parallel.gather(own),
        }
        if not self._ended():
            state["weights"] = copy_weights(self.changing)
            state["optimizer"] = self.optimizer.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`, which was made by a run of the same arguments."""
        self.progress = Progress.from_dict(state["progress"])
        self.best = state["best"]
        if not self._ended():
            set_weights(self.changing, state["weights"])
            self.optimizer.load_state_dict(state["optimizer"])
        own = state["processes"][parallel.rank()]
        self.learner.budget.tokens = own["micro_batch_tokens"]
        set_random_state(own, self.learner.device)
