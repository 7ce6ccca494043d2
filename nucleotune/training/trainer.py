"""The training loop: AdamW, linear warm-up and decay, accumulated micro-batches, early stop on validation loss."""

import logging
import math
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nucleotune.sequence.kmers import TokenizedSequences
from nucleotune.training.batches import collate, epoch_batches, micro_batches
from nucleotune.training.gates import check_finite

logger = logging.getLogger(__name__)

#: Seconds between two lines of progress.
LOG_EVERY = 10.0


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


def resolve_device(device: str | None, threads: int | None) -> torch.device:
    """The device to compute on (None: CUDA if there is one), with torch set up for it.

    Sets torch's thread count, and process-wide flags: on the CPU deterministic algorithms, on CUDA TF32 matrix
    products for what autocast leaves in fp32.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    resolved = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    torch.use_deterministic_algorithms(resolved.type == "cpu")
    # Otherwise every new tensor is filled with NaN first, a cost that buys no determinism here.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if resolved.type == "cuda" else "highest")
    return resolved


def precision(device: torch.device) -> str:
    """What the forward pass computes in: `bf16` (autocast) on CUDA, `fp32` elsewhere."""
    return "bf16" if device.type == "cuda" else "fp32"


def forward(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    indices: np.ndarray,
    device: torch.device,
) -> tuple[torch.Tensor, int]:
    """Logits, fp32 (examples, 2), of one micro-batch, and the number of tokens computed, padding included."""
    ids, mask = collate(tokenized, indices, device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision(device) == "bf16"):
        logits = classifier(input_ids=ids, attention_mask=mask).logits
    return logits.float(), ids.numel()


@torch.inference_mode()
def predict_logits(
    classifier: torch.nn.Module,
    tokenized: TokenizedSequences,
    indices: np.ndarray,
    *,
    device: torch.device,
    micro_batch_tokens: int,
) -> np.ndarray:
    """Logits, float64 (len(indices), 2), in the order of `indices`; the classifier is left in evaluation mode."""
    classifier.eval()
    lengths = tokenized.lengths[indices]
    logits = np.empty((len(indices), 2))
    for part in micro_batches(np.arange(len(indices)), lengths, micro_batch_tokens):
        logits[part] = forward(classifier, tokenized, indices[part], device)[0].cpu().numpy()
    return logits


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
    """One training run: `run()` it; `state()` and `restore()` carry it over from one process to the next."""

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
        self.warmup = math.ceil(training["warmup_share"] * self.steps)
        self.trainable = {n: p for n, p in self.classifier.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            parameter_groups(classifier, training["weight_decay"]), fused=True
        )
        self.progress = Progress()
        self.best: dict[str, torch.Tensor] = {}
        torch.manual_seed(seed)

    def run(self, save: Callable[[dict[str, Any]], None]) -> None:
        """Train to the end and leave the classifier with its best weights.

        Args:
            save: called with `state()` at every evaluation, and at least every `save_minutes`.

        Raises:
            InputError: loss or gradient is not finite.
        """
        progress = self.progress
        last_save = last_log = time.monotonic()
        here = Tally()
        epoch, batches = -1, []
        while progress.step < self.steps and not progress.stopped_early:
            if progress.step // self.steps_per_epoch != epoch:
                epoch = progress.step // self.steps_per_epoch
                batches = epoch_batches(
                    self.tokenized.lengths[self.train_indices],
                    self.training["batch_size"],
                    seed=self.seed,
                    epoch=epoch,
                )
            tally = self._step(self.train_indices[batches[progress.step % self.steps_per_epoch]])
            progress.step += 1
            for sums in (progress.since_evaluation, progress.total, here):
                sums.add(tally)
            now = time.monotonic()
            if now - last_log >= LOG_EVERY:
                self._log(tally, here)
                last_log = now
            evaluated = self._evaluation_due()
            if evaluated:
                self._evaluate()
            if evaluated or now - last_save >= 60 * self.training["save_minutes"]:
                save(self.state())
                last_save = time.monotonic()
        if self.best:
            self._set_weights(self.best)

    def _step(self, batch: np.ndarray) -> Tally:
        """One optimiser step on the examples `batch`."""
        begin = time.perf_counter()
        rate = learning_rate(
            self.progress.step + 1,
            steps=self.steps,
            warmup=self.warmup,
            peak=self.training["learning_rate"],
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.classifier.train()
        lengths = self.tokenized.lengths
        loss_sum = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        padded_tokens = 0
        for part in micro_batches(batch, lengths, self.training["micro_batch_tokens"]):
            logits, computed = forward(self.classifier, self.tokenized, part, self.device)
            target = torch.from_numpy(self.labels[part]).to(self.device)
            # Divided by the whole batch, the micro-batches' gradients add up to that of the batch mean.
            loss = cross_entropy(logits, target, reduction="sum") / len(batch)
            loss.backward()
            loss_sum += loss.detach()
            correct += (logits.argmax(1) == target).sum()
            padded_tokens += computed
        norm = torch.nn.utils.clip_grad_norm_(
            self.trainable.values(), self.training["max_gradient_norm"]
        )
        mean_loss = loss_sum.item()
        found = {"loss": mean_loss, "gradient norm": norm.item()}
        check_finite(found, step=self.progress.step + 1, learning_rate=rate)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return Tally(
            loss=mean_loss * len(batch),
            correct=correct.item(),
            examples=len(batch),
            tokens=int(lengths[batch].sum()),
            padded_tokens=padded_tokens,
            seconds=time.perf_counter() - begin,
        )

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
            micro_batch_tokens=self.training["micro_batch_tokens"],
        )
        labels = self.labels[self.valid_indices]
        loss = float(
            np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels])
        )
        accuracy = float(np.mean(logits.argmax(axis=1) == labels))
        progress, rate = self.progress, self.optimizer.param_groups[0]["lr"]
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
            self.best = self._weights()
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

    def _weights(self) -> dict[str, torch.Tensor]:
        return {
            name: parameter.detach().cpu().clone() for name, parameter in self.trainable.items()
        }

    def _set_weights(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.trainable.items():
                parameter.copy_(weights[name])

    def state(self) -> dict[str, Any]:
        """All that another process needs to go on: tensors and plain values."""
        return {
            "step": self.progress.step,
            "progress": asdict(self.progress),
            "weights": self._weights(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device)
            if self.device.type == "cuda"
            else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`, which was made by a run of the same arguments."""
        self.progress = Progress.from_dict(state["progress"])
        self._set_weights(state["weights"])
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"], self.device)


def peak_memory_mb(device: torch.device) -> float:
    """Most memory used so far, MiB: of the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
