"""Counts along sequences of one length, in one or more tracks.

A method is the dict of one `config/methods/<name>.yaml` of kind profile_model, validated by its schema: see
`models.profile` for what it builds, and

    training  epochs, max_steps, batch_size, learning_rate, max_gradient_norm, patience (epochs without a lower
              validation loss), profile_weight, count_weight (see `profile_loss`), save_minutes

The network `average` is not trained but filled in: for every track the mean of the training sequences' profiles, each
divided by its reads, together with one flat profile (so that no position is impossible), and the mean log(1 + reads).

A frozen encoder computes its hidden states once, without dropout, and every process keeps them in memory: sequences x
positions x hidden size x 4 bytes, some 5 GB for 5,000 sequences of 300 nt and a BERT-base.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nucleotune.errors import InputError
from nucleotune.models.profile import ProfileModel, build_profile_model, save_profile_model
from nucleotune.models.profile_networks import AverageProfile, EncoderProfile, Output
from nucleotune.profile_contracts import (
    PROFILE_PREDICTION_COLUMNS,
    ProfileExamples,
    ProfilePredictions,
    check_profile_examples,
    read_profile_examples,
    write_profile_predictions,
)
from nucleotune.progress import Progress
from nucleotune.training.batches import to_device
from nucleotune.training.compute import (
    lowered,
    predict_parts,
    predicted_splits,
    resolve_device,
)
from nucleotune.training.gates import check_learned, check_unknown
from nucleotune.training.learner import Learner, Rows
from nucleotune.training.memory import TokenBudget
from nucleotune.training.profile_loss import (
    count_loss,
    log_coefficients,
    mean_losses,
    profile_loss,
)

#: Sequences of one forward pass that needs no gradient.
PREDICTED_AT_A_TIME = 64


class ProfileLearner(Learner):
    """A network that predicts counts along sequences; nothing is started from, and labels have no names."""

    parts = ("profile_loss", "count_loss")
    padded = False
    read, write = staticmethod(read_profile_examples), staticmethod(write_profile_predictions)

    def __init__(
        self,
        examples: ProfileExamples,
        *,
        method: dict[str, Any],
        model: dict[str, Any] | None,
        seed: int,
        device: torch.device,
        start_from: Path | None = None,
        checkpoint: Path | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """See `Learner`."""
        check_profile_examples(examples)
        used = examples.of_splits(predicted_splits(examples.table))
        split = {name: np.flatnonzero(used.table["split"] == name) for name in ("train", "valid")}
        for name, rows in split.items():
            if not len(rows):
                raise InputError(f"method {method['title']!r} needs examples of split {name!r}")
        self.train, self.valid = split.values()
        self.training, self.model, self.device = method["training"], model, device
        self.tracks, length = examples.tracks, examples.counts.shape[2]
        self.built = built = build_profile_model(
            method, model, tracks=self.tracks, length=length, seed=seed, checkpoint=checkpoint
        )
        ids, sequences = used.table["id"].tolist(), used.table["sequence"].tolist()
        self.inputs, unknown_share = built.model.inputs(sequences, ids), None
        if built.model.tokenizer is not None:
            tokenized = built.model.tokenize(sequences, ids)
            unknown_share = check_unknown(built.model.tokenizer, tokenized, ids, sequences)
        positions = length - (model["tokenizer"]["k"] - 1 if method["faithful"] else 0)
        counts = used.counts[:, :, :positions]
        # What a label is to a classifier, the counts are here.
        digests = [hashlib.sha256(each.tobytes()).hexdigest() for each in counts]
        self.table = used.table.assign(label=digests)
        self.sizes = np.full(len(counts), positions)
        self.counts = torch.from_numpy(counts.astype(np.float32))
        self.coefficients = log_coefficients(self.counts).float()
        # A batch is one forward pass unless memory is short.
        self.budget = TokenBudget(positions * max(self.training["batch_size"], PREDICTED_AT_A_TIME))
        if isinstance(built.model.network, AverageProfile):
            fill_average(built.model.network, self.counts[self.train])
        self.network = built.model.network.to(device)
        if method["adaptation"] == "frozen":
            self.inputs = hidden_states(self.network, self.inputs, device)
            self.network = self.network.head
        self.parameters, self.report = built.parameters, built.report
        self.identity = {"tracks": self.tracks}
        self.facts = {"positions": positions, "unknown_share": unknown_share}
        self.described = {**built.model.description, "unknown_share": unknown_share}

    def batches(self, seed: int, epoch: int) -> list[Rows]:
        """A permutation, cut into pieces."""
        order = np.random.default_rng((seed, epoch)).permutation(self.train)
        size = self.training["batch_size"]
        return [order[begin : begin + size] for begin in range(0, len(order), size)]

    def learn(self, rows: Rows, batch_size: int) -> torch.Tensor:
        """See `Learner`."""
        counts = to_device(self.counts[rows], self.device)
        coefficients = to_device(self.coefficients[rows], self.device)
        logits, log_counts = outputs(self.network, self.inputs[rows], self.device)
        values = batch_size * counts.shape[1]
        profile = profile_loss(logits, counts, coefficients).sum() / values
        count = count_loss(log_counts, counts).sum() / values
        self.weighted(profile, count).backward()
        return torch.stack([profile.detach(), count.detach()]).double() * batch_size

    def weighted(self, profile: Any, count: Any) -> Any:
        """The loss: both of its parts, weighted as the method says."""
        return self.training["profile_weight"] * profile + self.training["count_weight"] * count

    def numbers(self, sums: Mapping[str, float], examples: int) -> dict[str, float]:
        """See `Learner`."""
        means = {part: sums[part] / examples for part in self.parts}
        return {"loss": self.weighted(*means.values()), **means}

    def measure(self, rows: Rows) -> dict[str, float]:
        """See `Learner`."""
        losses = mean_losses(*self.predict(rows), self.counts[rows])
        return self.numbers(dict(zip(self.parts, losses, strict=True)), 1)

    def predict(self, rows: Rows) -> Output:
        """Profile logits (len(rows), tracks, positions) and log counts (len(rows), tracks), on the CPU."""
        sizes = self.sizes[rows]
        return predict_outputs(self.network, self.inputs[rows], self.device, sizes, self.budget)

    def running(self) -> dict[str, torch.Tensor]:
        """See `Learner`."""
        return dict(self.network.named_buffers())

    def flat_loss(self) -> float:
        """Validation loss of a model that knows only the mean log(1 + reads) of the training set: a flat profile."""
        log_counts = self.counts[self.train].double().sum(-1).log1p().mean(0)
        counts = self.counts[self.valid]
        flat = torch.zeros_like(counts), log_counts.expand(len(counts), -1)
        return self.weighted(*mean_losses(*flat, counts))

    def finish(self, best_loss: float) -> tuple[ProfilePredictions, bool]:
        """See `Learner`."""
        collapsed = check_learned(best_loss, self.flat_loss())
        if self.built.adapted is not None:
            from nucleotune.models.adapters import merge_lora

            # Predictions are made with the merged weights: those, and no others, are what a model directory holds.
            merge_lora(self.built.adapted)
        found = probabilities(*self.predict(np.arange(len(self.table))))
        table = self.table[list(PROFILE_PREDICTION_COLUMNS)]
        return ProfilePredictions(table, *found, self.tracks), collapsed

    def save(self, directory: Path, description: dict[str, Any]) -> None:
        """See `Learner`."""
        save_profile_model(directory, replace(self.built.model, description=description))


def outputs(network: nn.Module, inputs: torch.Tensor, device: torch.device) -> Output:
    """Profile logits and log counts, fp32, of a few inputs.

    On CUDA an encoder, which reads token ids, computes in bf16 (`compute.precision`); all else in fp32, whose products
    and convolutions are TF32 there.
    """
    inputs = to_device(inputs, device)
    with lowered(device, encoder=not inputs.is_floating_point()):
        logits, log_counts = network(inputs)
    return logits.float(), log_counts.float()


def predict_outputs(
    network: nn.Module,
    inputs: torch.Tensor,
    device: torch.device,
    sizes: Rows | None = None,
    budget: TokenBudget | None = None,
) -> Output:
    """Profile logits (n, tracks, positions) and log counts (n, tracks), on the CPU, of many inputs.

    The network is left in evaluation mode. `sizes` and `budget`: see `compute.predict_parts`; by default
    PREDICTED_AT_A_TIME sequences are read at once, fewer where memory is short.
    """
    network.eval()
    if sizes is None or budget is None:
        sizes, budget = np.ones(len(inputs), dtype=np.int64), TokenBudget(PREDICTED_AT_A_TIME)
    logits, log_counts = predict_parts(
        lambda part: outputs(network, inputs[part], device), sizes, budget
    )
    return logits, log_counts


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
    return probabilities(*predict_outputs(network, model.inputs(sequences, ids), torch_device))


def probabilities(
    logits: torch.Tensor, log_counts: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Profiles that add up to 1, and log counts, from what `predict_outputs` gives."""
    return logits.softmax(-1).numpy(), log_counts.double().numpy()


@torch.no_grad()
def hidden_states(network: EncoderProfile, ids: torch.Tensor, device: torch.device) -> torch.Tensor:
    """What the frozen encoder says of all sequences, fp32 (n, positions, hidden), on the CPU."""
    network.eval()
    progress = Progress("hidden states of the frozen encoder", len(ids), "sequences")
    states, done = None, 0
    for part in ids.split(PREDICTED_AT_A_TIME):
        with lowered(device):
            hidden = network.hidden(input_ids=to_device(part, device)).cpu()
        if states is None:
            states = hidden.new_empty((len(ids), *hidden.shape[1:]))
        states[done : done + len(part)] = hidden
        done += len(part)
        progress.reach(done)
    return states


def fill_average(network: AverageProfile, counts: torch.Tensor) -> None:
    """Set the network to the average of sequences with these counts, (n, tracks, positions)."""
    known = counts.double()
    totals = known.sum(-1, keepdim=True)
    seen = (known / totals.clamp(min=1)).sum(0) + 1 / known.shape[-1]
    network.profile.copy_((seen / seen.sum(-1, keepdim=True)).log())
    network.counts.copy_(totals.squeeze(-1).log1p().mean(0))


LEARNER = ProfileLearner
