"""Time of a BPNet training step on the CPU: the profile convolution as a matrix product, and as torch has it.

    python benchmarks/profile_training.py [--threads 1] [--steps 20] [--repeats 3]

Two networks of the same weights on the same batches of 32 sequences of 300 nt and two tracks; they differ in one layer:
`heads.ProfileConv1d`, or the `nn.Conv1d` that it replaces. Both must give the same loss before they are timed; then
each makes `--steps` steps, `--repeats` times in turn, of which the fastest counts: on 64 filters and 8 layers,
the polyadenylation study's network, and on the sizes of `config/methods/bpnet-tiny.yaml`.

Target: not slower on either.
"""

import argparse
import copy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from timing import fastest
from torch import nn

from nucleotune.models.heads import BPNet
from nucleotune.training.compute import resolve_device
from nucleotune.training.profile_loss import count_loss, log_coefficients, profile_loss

BATCH, LENGTH, TRACKS = 32, 300, 2
NETWORKS = {
    "BPNet, 64 filters, 8 layers": {"filters": 64, "layers": 8},
    "BPNet (tiny)": {"filters": 32, "layers": 5, "profile_kernel": 25},
}


def loss(network: nn.Module, signal: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """That of a training with the study's weights."""
    logits, log_counts = network(signal)
    profile = profile_loss(logits, counts, log_coefficients(counts).float())
    return 0.8 * profile.mean() + 0.2 * count_loss(log_counts, counts).mean()


def stepper(network: nn.Module, signal: torch.Tensor, counts: torch.Tensor, steps: int):
    """A function that trains for so many steps."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def train() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss(network, signal, counts).backward()
            optimizer.step()

    return train


def main() -> int:
    """Print one line a network; exit status 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    resolve_device("cpu", arguments.threads)
    torch.manual_seed(1)
    letters = torch.randint(4, (BATCH, LENGTH))
    signal = nn.functional.one_hot(letters, 4).float().mT.contiguous()
    counts = torch.poisson(torch.full((BATCH, TRACKS, LENGTH), 0.5))
    missed = False
    for title, sizes in NETWORKS.items():
        own = BPNet(**sizes)
        plain = copy.deepcopy(own)
        layer = nn.Conv1d(own.profile.in_channels, TRACKS, own.profile.kernel_size, padding="same")
        layer.load_state_dict(own.profile.state_dict())
        plain.profile = layer
        torch.testing.assert_close(loss(own, signal, counts), loss(plain, signal, counts))
        trainings = [stepper(network, signal, counts, arguments.steps) for network in (own, plain)]
        for training in trainings:
            training()
        seconds = [[], []]
        for _ in range(arguments.repeats):
            for times, training in zip(seconds, trainings, strict=True):
                times.append(fastest(training, 1)[0])
        fast, slow = (min(times) / arguments.steps * 1000 for times in seconds)
        missed |= fast > slow
        print(f"{title}: {fast:.1f} ms a step, {slow:.1f} with nn.Conv1d: {slow / fast:.1f} times")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
