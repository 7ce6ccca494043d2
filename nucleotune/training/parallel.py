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

#: Gradients added up in one message: more would take memory that the micro-batches were not measured with.
SENT_AT_A_TIME = 2**23


def size() -> int:
    """Number of processes that train together; 1 outside `group`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process among them, 0-based; process 0 writes files and the log."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextmanager
def group(device: str) -> Iterator[None]:
    """Join the processes that torchrun started along with this one, for the time of the `with` block.

    `device` is `cpu`, or `cuda` for a GPU each; where there are fewer GPUs than processes, some share one.
    """
    backend = "gloo"
    if device == "cuda":
        gpus = torch.cuda.device_count()
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % gpus)
        backend = backend_of(int(os.environ["LOCAL_WORLD_SIZE"]), gpus)
    dist.init_process_group(backend)
    try:
        yield
    finally:
        dist.destroy_process_group()


def backend_of(processes: int, gpus: int) -> str:
    """What so many processes on so many GPUs of one machine talk by.

    Gradients on the GPU go by NCCL, which wants a GPU for each, what lies in ordinary memory by gloo.
    """
    return "cpu:gloo,cuda:nccl" if processes <= gpus else "gloo"


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
    whose share of the batch was empty adds nothing. They are sent in parts of about SENT_AT_A_TIME numbers.
    """
    if size() == 1:
        return
    parameters = list(parameters)
    # In ordinary memory, so that nothing waits for the GPU.
    used = add_up(torch.tensor([int(p.grad is not None) for p in parameters]))
    trained = [p for p, any_used in zip(parameters, used.tolist(), strict=True) if any_used]
    begins = np.cumsum([0, *(p.numel() for p in trained)])[:-1] // SENT_AT_A_TIME
    for part in np.unique(begins):
        sent = [trained[i] for i in np.flatnonzero(begins == part)]
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in sent]
        flat = add_up(torch.cat([gradient.flatten() for gradient in gradients]))
        sums = flat.split([p.numel() for p in sent])
        for parameter, summed in zip(sent, sums, strict=True):
            parameter.grad = summed.view_as(parameter)


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
    """How many of `wanted` processes can get a GPU each."""
    return min(wanted, torch.cuda.device_count())


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
