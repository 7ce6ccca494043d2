"""Several processes that train one model together, one GPU each (data-parallel training).

Every process holds the whole model and takes its share of every batch. A batch's gradient is a sum over examples, so
the processes' gradients are added up and each takes the same optimiser step: the numbers are those of one process, to
rounding and dropout. In a process of its own everything here does nothing.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from nucleotune.errors import InputError


def size() -> int:
    """Number of processes that train together; 1 outside `group`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process among them, 0-based; process 0 writes files and the log."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextmanager
def group() -> Iterator[None]:
    """Join the processes that torchrun started along with this one, for the time of the `with` block."""
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Two back ends: gradients on the GPU go by NCCL, what lies in ordinary memory by gloo.
    dist.init_process_group("cpu:gloo,cuda:nccl" if gpu else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def share(indices: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The part of the examples `indices` that this process computes: they are dealt out by length, to each as much."""
    if size() == 1:
        return indices
    return indices[np.argsort(-lengths[indices], kind="stable")][rank() :: size()]


def add_up(tensor: torch.Tensor) -> torch.Tensor:
    """Replace `tensor` by its sum over all processes, in place; returns it."""
    if size() > 1:
        dist.all_reduce(tensor)
    return tensor


def add_up_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace every gradient by its sum over all processes.

    A parameter without a gradient anywhere keeps none, so that no weight decay acts on what was not used. A process
    whose share of the batch was empty adds nothing.
    """
    if size() == 1:
        return
    parameters = list(parameters)
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    used = torch.tensor([p.grad is not None for p in parameters], dtype=gradients[0].dtype)
    flat = torch.cat([*(g.flatten() for g in gradients), used.to(gradients[0].device)])
    *parts, used = add_up(flat).split([*(p.numel() for p in parameters), len(parameters)])
    for parameter, part, any_used in zip(parameters, parts, used.tolist(), strict=True):
        parameter.grad = part.view_as(parameter) if any_used else None


def average(tensors: Iterable[torch.Tensor]) -> None:
    """Replace every tensor of floats by its mean over all processes, in place."""
    floats = [tensor for tensor in tensors if tensor.is_floating_point()]
    if size() == 1 or not floats:
        return
    means = add_up(torch.cat([tensor.flatten() for tensor in floats])) / size()
    for tensor, mean in zip(floats, means.split([t.numel() for t in floats]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def gather(value: Any) -> list[Any]:
    """`value` of every process, by rank; any picklable object."""
    if size() == 1:
        return [value]
    values: list[Any] = [None] * size()
    dist.all_gather_object(values, value)
    return values


def usable_processes(wanted: int) -> int:
    """How many of `wanted` processes can get a GPU each; all of them where there is no GPU at all."""
    return min(wanted, torch.cuda.device_count() or wanted)


def launch(processes: int, module: str, *arguments: str) -> None:
    """Run `python -m module arguments` in `processes` processes on this machine, by torchrun, and wait for them.

    Their standard error goes to `sys.stderr`, which must be a file. If one fails, torchrun stops the others.

    Raises:
        InputError: one of them failed; it has said why.
    """
    torchrun = ("torch.distributed.run", "--standalone", f"--nproc-per-node={processes}")
    done = subprocess.run(
        [sys.executable, "-m", *torchrun, "-m", module, *arguments], stderr=sys.stderr, check=False
    )
    if done.returncode:
        raise InputError(
            f"training in {processes} processes ended with status {done.returncode}; the reason stands above"
        )
