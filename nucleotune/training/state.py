"""The state of an unfinished training: one file, always whole, from which a killed job goes on as if nothing happened.

The file holds tensors, numbers, strings, lists and dicts only, and is read with `weights_only=True`: no code in it can
run. It belongs to exactly one computation, named by a digest of everything that decides the numbers.
"""

import hashlib
import json
import logging
import os
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from nucleotune.files import atomic_path

logger = logging.getLogger(__name__)

STATE = "state.pt"


def run_digest(examples: pd.DataFrame, **settings: Any) -> str:
    """sha256 of the examples (id, sequence, label and split, in their order) and of `settings` (JSON values)."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for column in ("id", "sequence", "label", "split"):
        digest.update(f"\n{column}\n".encode())
        digest.update("\n".join(examples[column].astype(str)).encode())
    return digest.hexdigest()


def save_state(directory: Path, digest: str, state: dict[str, Any]) -> None:
    """Replace the state in `directory` by `state`, which belongs to the run `digest`; a kill leaves the old one.

    So does a full disk, which is logged and ends no training: the disk may have room again at the next time.
    """
    path = directory / STATE
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            torch.save({"digest": digest, **state}, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        # torch may hide what the system says behind a complaint of its own writer.
        if isinstance(error, RuntimeError) and "inline_container" not in str(error):
            raise
        logger.warning(
            "%s cannot be saved (%s): the training goes on, but if it is killed now it resumes from an older step, or "
            "starts anew",
            *(path, _first_line(error)),
        )


def load_state(directory: Path, digest: str) -> dict[str, Any] | None:
    """The state in `directory` if it belongs to the run `digest`, else None (and the log says why).

    One that is damaged, also where only its numbers are, is put aside under a name that ends in `.damaged`.
    """
    for leftover in directory.glob(f".{STATE}.*.tmp"):  # of a process killed while it wrote
        leftover.unlink()
    path = directory / STATE
    if not path.is_file():
        return None
    try:
        state = _read(path)
        own, step = state["digest"], state["step"]
    # Whatever a damaged file makes zipfile or torch raise: were it let through, the training could never start again.
    except Exception as error:
        aside = path.with_name(f"{STATE}.damaged")
        with suppress(OSError):  # another process of the same training may have done it
            path.replace(aside)
        logger.warning(
            "%s is damaged (%s: %s): put aside as %s, training starts anew",
            *(path, type(error).__name__, _first_line(error), aside.name),
        )
        return None
    if own != digest:
        logger.warning(
            "%s belongs to other settings, data or library versions: training starts anew", path
        )
        return None
    logger.info("%s: training resumes after step %d", path, step)
    return state


def _read(path: Path) -> dict[str, Any]:
    """The content of a state, once its checksums have proved right: torch does not look at them."""
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    if broken is not None:
        raise ValueError(f"wrong checksum of {broken}")
    return torch.load(path, map_location="cpu", weights_only=True)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def remove_state(directory: str | Path) -> None:
    """Forget the state in `directory`: to be called once everything that was trained for is written."""
    shutil.rmtree(directory, ignore_errors=True)


def copy_weights(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies on the CPU of what a training changes, which go on changing themselves."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def set_weights(tensors: Mapping[str, torch.Tensor], weights: Mapping[str, torch.Tensor]) -> None:
    """Set `tensors` to what `copy_weights` kept of them."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(weights[name])


def random_state(device: torch.device) -> dict[str, torch.Tensor | None]:
    """Where torch's random numbers are, on the CPU and, if that is `device`, on the GPU."""
    cuda = device.type == "cuda"
    return {
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state(device) if cuda else None,
    }


def set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Go on with random numbers from what `random_state` kept; other keys of `state` are ignored."""
    torch.set_rng_state(state["random"])
    if state["random_cuda"] is not None:
        torch.cuda.set_rng_state(state["random_cuda"], device)
