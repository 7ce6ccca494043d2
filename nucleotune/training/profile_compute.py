"""Forward passes and losses of many sequences at once, for profile regressions."""

import logging
import time

import torch
from torch import nn

from nucleotune.models.profile_networks import EncoderProfile, Output
from nucleotune.training.compute import precision
from nucleotune.training.profile_loss import count_loss, log_coefficients, profile_loss

logger = logging.getLogger(__name__)

#: Seconds between two lines of progress.
LOG_EVERY = 10.0

#: Sequences of one forward pass that needs no gradient.
PREDICTED_AT_A_TIME = 64


def outputs(network: nn.Module, inputs: torch.Tensor, device: torch.device) -> Output:
    """Profile logits and log counts, fp32, of a few inputs.

    On CUDA an encoder, which reads token ids, computes in bf16 (`compute.precision`); all else in fp32.
    """
    if device.type == "cuda":
        inputs = inputs.pin_memory()
    inputs = inputs.to(device, non_blocking=True)
    low = not inputs.is_floating_point() and precision(device) == "bf16"
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
        logits, log_counts = network(inputs)
    return logits.float(), log_counts.float()


@torch.inference_mode()
def predict_outputs(network: nn.Module, inputs: torch.Tensor, device: torch.device) -> Output:
    """Profile logits (n, tracks, positions) and log counts (n, tracks), on the CPU, of many inputs.

    The network is left in evaluation mode.
    """
    network.eval()
    parts = [outputs(network, part, device) for part in inputs.split(PREDICTED_AT_A_TIME)]
    logits, log_counts = (
        torch.cat([part.cpu() for part in each]) for each in zip(*parts, strict=True)
    )
    return logits, log_counts


def mean_losses(
    logits: torch.Tensor, log_counts: torch.Tensor, counts: torch.Tensor
) -> list[float]:
    """Mean profile loss and count loss over sequences and tracks; counts (n, tracks, positions)."""
    each = (
        profile_loss(logits.double(), counts.double(), log_coefficients(counts)),
        count_loss(log_counts.double(), counts.double()),
    )
    return [float(losses.mean()) for losses in each]


@torch.no_grad()
def hidden_states(network: EncoderProfile, ids: torch.Tensor, device: torch.device) -> torch.Tensor:
    """What the frozen encoder says of all sequences, fp32 (n, positions, hidden), on the CPU."""
    network.eval()
    begin = logged = time.perf_counter()
    states, done = None, 0
    for part in ids.split(PREDICTED_AT_A_TIME):
        low = precision(device) == "bf16"
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            hidden = network.hidden(input_ids=part.to(device)).cpu()
        if states is None:
            states = hidden.new_empty((len(ids), *hidden.shape[1:]))
        states[done : done + len(part)] = hidden
        done, now = done + len(part), time.perf_counter()
        if now - logged > LOG_EVERY or done == len(ids):
            pace, logged = done / (now - begin), now
            left = divmod(round((len(ids) - done) / pace), 60)
            logger.info(
                "hidden states of the frozen encoder: %d of %d sequences, %.0f sequences/s, %d:%02d min left",
                *(done, len(ids), pace, *left),
            )
    return states
