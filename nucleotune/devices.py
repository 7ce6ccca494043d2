"""GPUs of this machine: which of them a job has, why there is none, and what else a result on one rests on.

Run as a module, it says on what this installation computes.
"""

import fcntl
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from nucleotune.errors import InputError

logger = logging.getLogger(__name__)

#: Environment variable: `cpu` makes jobs that ask for GPUs compute on the CPU instead.
DEVICE = "NUCLEOTUNE_DEVICE"

#: Environment variable of CUDA: the GPUs that a process sees.
VISIBLE = "CUDA_VISIBLE_DEVICES"

#: Where the kernel module of the driver says its version.
DRIVER = Path("/sys/module/nvidia/version")

#: Seconds between two looks for a free GPU.
LOOK_EVERY = 1.0


@contextmanager
def granted(gpus: int) -> Iterator[str]:
    """The device of a job that asked for so many GPUs, `cpu` or `cuda`; they are its own within the block.

    Where the process sees more GPUs than it asked for, it takes free ones, sees no others from then on, and waits if
    none is free. So several jobs share a machine whose GPUs nobody else deals out. To be called before CUDA is used.

    Raises:
        InputError: GPUs were asked for and there is none that torch can use.
    """
    wanted = os.environ.get(DEVICE)
    if wanted not in (None, "", "cpu"):
        raise InputError(f"{DEVICE}={wanted}: expected cpu, or no such variable")
    if not gpus or wanted == "cpu":
        yield "cpu"
        return
    # Not is_available(): that would fix which GPUs the process sees.
    here, before = torch.cuda.device_count(), os.environ.get(VISIBLE)
    with ExitStack() as stack:
        if here > gpus:
            names = before.split(",")[:here] if before else [str(number) for number in range(here)]
            os.environ[VISIBLE] = ",".join(_take(names, gpus, stack))
            stack.callback(_set_visible, before)
            logger.info("GPU %s of %s", os.environ[VISIBLE], ",".join(names))
        # An old driver counts its GPUs, but they cannot be used.
        if not torch.cuda.is_available():
            raise InputError(
                f"the job asks for a GPU, but {no_gpu()}. Run it where there is one (docs/gpu.md), set `gpu: 0` under "
                f"`resources` of its model or method file, or set {DEVICE}=cpu to compute on the CPU this once"
            )
        yield "cuda"


def _set_visible(names: str | None) -> None:
    if names is None:
        os.environ.pop(VISIBLE)
    else:
        os.environ[VISIBLE] = names


def _take(names: list[str], count: int, stack: ExitStack) -> list[str]:
    """Lock `count` of the GPUs `names` until `stack` is closed, or the process ends; waits until so many are free."""
    # GPUs that a scheduler grants may have the numbers of another job's.
    owner = f"{os.getuid()}-{os.environ.get('SLURM_JOB_ID', 'all')}"
    folder = Path(tempfile.gettempdir()) / f"nucleotune-gpus-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = False
    while True:
        with ExitStack() as attempt:
            free = []
            for name in names:
                file = attempt.enter_context((folder / re.sub(r"[^\w-]", "_", name)).open("w"))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue
                free.append(name)
                if len(free) == count:
                    # Open files are locks: those of this attempt now last as long as `stack`.
                    stack.push(attempt.pop_all())
                    return free
        if not told:
            logger.info("all GPUs are taken by other jobs: waiting for %d of %d", count, len(names))
            told = True
        time.sleep(LOOK_EVERY)


def no_gpu() -> str:
    """Why torch finds no GPU here, to be read after "but"; names torch's CUDA and the driver."""
    driver = driver_version()
    has = "no NVIDIA driver is loaded here" if driver is None else f"the driver here is {driver}"
    if torch.version.cuda is None:
        return (
            f"torch {torch.__version__} was built without CUDA (torch.version.cuda is None); {has}"
        )
    hidden = f"; {VISIBLE} is {os.environ[VISIBLE]!r}" if VISIBLE in os.environ else ""
    return f"torch {torch.__version__}, built for CUDA {torch.version.cuda}, finds none that it can use; {has}{hidden}"


def driver_version() -> str | None:
    """Version of the NVIDIA driver, such as `580.65.06`; None without one."""
    return DRIVER.read_text().strip() if DRIVER.is_file() else None


def describe(device: torch.device) -> dict[str, dict[str, str]]:
    """Under `gpu`, what numbers computed there rest on beside the versions of libraries; nothing for the CPU."""
    if device.type != "cuda":
        return {}
    major, minor = torch.cuda.get_device_capability(device)
    facts = {
        "name": torch.cuda.get_device_name(device),
        "compute_capability": f"{major}.{minor}",
        "driver": driver_version() or "unknown",
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
        "attention": ", ".join(attention_kernels()),
    }
    return {"gpu": facts}


def attention_kernels() -> list[str]:
    """Kernels that torch may choose from for attention on a GPU; it takes the first that fits a call."""
    cuda = torch.backends.cuda
    allowed = {
        "cudnn": cuda.cudnn_sdp_enabled(),
        "flash": cuda.flash_sdp_enabled(),
        "memory-efficient": cuda.mem_efficient_sdp_enabled(),
        "math": cuda.math_sdp_enabled(),
    }
    return [name for name, on in allowed.items() if on]


@contextmanager
def full_fp32() -> Iterator[None]:
    """Within the block, products and convolutions in fp32 are just that, not TF32 with its 10 bits of mantissa."""
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32 = before[1]


def summary() -> str:
    """On what jobs that ask for a GPU would compute, and what to do about an installation that does not fit."""
    if torch.cuda.is_available():
        name, driver = torch.cuda.get_device_name(), driver_version()
        return f"GPU: {name} ({torch.cuda.device_count()} here), CUDA {torch.version.cuda}, driver {driver}"
    text = f"No GPU, computing on the CPU: {no_gpu()}."
    if torch.version.cuda is not None and driver_version() is None:
        text += (
            " A build without CUDA takes about 3 GB less: make install "
            "TORCH_INDEX=https://download.pytorch.org/whl/cpu"
        )
    elif driver_version() is not None:
        text += " Another build may fit: docs/gpu.md"
    return text


if __name__ == "__main__":
    print(summary())
