"""The training loop of a profile regression: Adam at a constant rate, early stop on validation loss, best weights."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from nucleotune.training.compute import peak_memory_mb
from nucleotune.training.gates import Diverged
from nucleotune.training.interruption import noted_interruption
from nucleotune.training.profile_compute import LOG_EVERY, mean_losses, outputs, predict_outputs
from nucleotune.training.profile_loss import count_loss, log_coefficients, profile_loss
from nucleotune.training.state import copy_weights, random_state, set_random_state, set_weights

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Where a training stands, weights and optimiser apart; all of it is kept in the resumable state.

    `profile_sum`, `count_sum` and `examples` are sums over sequences since the last evaluation, `seconds` its time.
    """

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    epochs_since_best: int = 0
    stopped_early: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    profile_sum: float = 0.0
    count_sum: float = 0.0
    examples: int = 0
    seconds: float = 0.0
    total_examples: int = 0
    total_seconds: float = 0.0


class ProfileTrainer:
    """One training run: `run()` it; `state()` and `restore()` carry it over from one process to the next."""

    def __init__(
        self,
        network: nn.Module,
        inputs: torch.Tensor,
        counts: torch.Tensor,
        *,
        train: np.ndarray,
        valid: np.ndarray,
        training: dict[str, Any],
        seed: int,
        device: torch.device,
    ) -> None:
        """Set up a run from its beginning; seeds torch's random state (dropout).

        Args:
            network: gives profile logits and log counts; its trainable parameters and its buffers change in place.
            inputs: what it reads of every sequence, (n, ...).
            counts: (n, tracks, positions), float32.
            train: indices of the sequences to train on.
            valid: indices of those whose loss decides when to stop and which weights to keep.
            training: the method's `training` settings.
            seed: of the order of sequences and of dropout.
            device: where to compute; the network is moved there.
        """
        self.network = network.to(device)
        self.inputs, self.counts = inputs, counts
        self.coefficients = log_coefficients(counts).float()
        self.train_indices, self.valid_indices = train, torch.from_numpy(valid)
        self.training, self.seed, self.device = training, seed, device
        self.steps_per_epoch = math.ceil(len(train) / training["batch_size"])
        self.steps = training["epochs"] * self.steps_per_epoch
        trainable = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trainable, lr=training["learning_rate"], fused=True)
        self.progress = Progress()
        self.best: dict[str, torch.Tensor] = {}
        torch.manual_seed(seed)

    def run(self, save: Callable[[dict[str, Any]], None]) -> None:
        """Train to the end and leave the network with its best weights.

        Args:
            save: called with `state()` at least every `save_minutes`, and when the process is told to stop by SIGTERM
                or SIGINT, which has its usual effect after that.

        Raises:
            Diverged: a loss is not finite.
        """
        progress = self.progress
        epoch, batches = -1, []
        logged = saved = time.perf_counter()
        with noted_interruption() as interruption:
            self._begin_tally()
            while progress.step < self.steps and not progress.stopped_early:
                if progress.step // self.steps_per_epoch != epoch:
                    epoch = progress.step // self.steps_per_epoch
                    batches = self._batches(epoch)
                self._step(batches[progress.step % self.steps_per_epoch])
                progress.step += 1
                if progress.step % self.steps_per_epoch == 0:
                    self._tally()
                    self._evaluate()
                now = time.perf_counter()
                if now - logged >= LOG_EVERY:
                    self._tally()
                    self._log()
                    logged = now
                if interruption.came or now - saved >= 60 * self.training["save_minutes"]:
                    self._tally()
                    save(self.state())
                    saved = now
                if interruption.came:
                    interruption.take_effect()
        if self.best:
            set_weights(self._changing(), self.best)

    def _batches(self, epoch: int) -> list[torch.Tensor]:
        """Indices of each batch of an epoch: a permutation that depends on seed and epoch alone, cut into pieces."""
        order = np.random.default_rng((self.seed, epoch)).permutation(self.train_indices)
        return list(torch.from_numpy(order).split(self.training["batch_size"]))

    def _step(self, batch: torch.Tensor) -> None:
        self.network.train()
        counts = self.counts[batch].to(self.device, non_blocking=True)
        coefficients = self.coefficients[batch].to(self.device, non_blocking=True)
        logits, log_counts = outputs(self.network, self.inputs[batch], self.device)
        profile = profile_loss(logits, counts, coefficients).mean()
        count = count_loss(log_counts, counts).mean()
        self.optimizer.zero_grad()
        self._weighted(profile, count).backward()
        self.optimizer.step()
        self._sums += torch.stack([profile.detach(), count.detach()]).double() * len(batch)
        self._examples += len(batch)

    def _weighted(self, profile: Any, count: Any) -> Any:
        return self.training["profile_weight"] * profile + self.training["count_weight"] * count

    def _begin_tally(self) -> None:
        """Start counting anew; what is counted on the device stays there until `_tally`."""
        self._sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        self._examples = 0
        self._begin = time.perf_counter()

    def _tally(self) -> None:
        """Add what was done since `_begin_tally` to the progress, and start anew."""
        progress, (profile, count) = self.progress, self._sums.tolist()
        seconds = time.perf_counter() - self._begin
        self._check_finite({"training loss": self._weighted(profile, count)})
        progress.profile_sum += profile
        progress.count_sum += count
        progress.examples += self._examples
        progress.seconds += seconds
        progress.total_examples += self._examples
        progress.total_seconds += seconds
        self._begin_tally()

    def _evaluate(self) -> None:
        """Measure the validation loss, note it and the training since the last time, keep the best weights."""
        progress, n = self.progress, self.progress.examples
        begin = time.perf_counter()
        found = predict_outputs(self.network, self.inputs[self.valid_indices], self.device)
        valid = mean_losses(*found, self.counts[self.valid_indices])
        valid_rate = len(self.valid_indices) / (time.perf_counter() - begin)
        trained = [progress.profile_sum / n, progress.count_sum / n]
        rate = n / progress.seconds
        for split, losses, pace in (("train", trained, rate), ("valid", valid, valid_rate)):
            progress.rows.append(
                {
                    "step": progress.step,
                    "epoch": progress.step / self.steps_per_epoch,
                    "split": split,
                    "loss": self._weighted(*losses),
                    "profile_loss": losses[0],
                    "count_loss": losses[1],
                    "learning_rate": self.training["learning_rate"],
                    "examples_per_second": pace,
                    "peak_memory_mb": peak_memory_mb(self.device),
                }
            )
        progress.profile_sum = progress.count_sum = progress.seconds = 0.0
        progress.examples = 0
        loss = self._weighted(*valid)
        self._check_finite({"validation loss": loss})
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.epochs_since_best = (
                loss,
                progress.step,
                0,
            )
            self.best = copy_weights(self._changing())
        else:
            progress.epochs_since_best += 1
            progress.stopped_early = progress.epochs_since_best >= self.training["patience"]
        logger.info(
            "epoch %d/%d: training loss %.2f, validation loss %.2f, %.0f sequences/s%s",
            *(progress.step // self.steps_per_epoch, self.training["epochs"]),
            *(self._weighted(*trained), loss, rate),
            f"; stopped early, best was epoch {progress.best_step // self.steps_per_epoch}"
            if progress.stopped_early
            else "",
        )
        self._begin = time.perf_counter()

    def _check_finite(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"training diverged: {name} {value} at step {self.progress.step}. Lower training.learning_rate "
                    f"(it is {self.training['learning_rate']:.2g})"
                )

    def _log(self) -> None:
        """One line of progress."""
        progress = self.progress
        pace = progress.total_examples / progress.total_seconds
        left = (self.steps - progress.step) * self.training["batch_size"] / pace
        logger.info(
            "step %d/%d: %.0f sequences/s, at most %d:%02d min left",
            *(progress.step, self.steps, pace, *divmod(round(left), 60)),
        )

    def _changing(self) -> dict[str, torch.Tensor]:
        """What training changes of the network: trainable parameters and buffers (running means of normalisations)."""
        parameters = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        return parameters | dict(self.network.named_buffers())

    def state(self) -> dict[str, Any]:
        """All that another process needs to go on: tensors and plain values."""
        return {
            "step": self.progress.step,
            "progress": asdict(self.progress),
            "weights": copy_weights(self._changing()),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            **random_state(self.device),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`, which was made by a run of the same arguments."""
        self.progress = Progress(**state["progress"])
        set_weights(self._changing(), state["weights"])
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        set_random_state(state, self.device)
