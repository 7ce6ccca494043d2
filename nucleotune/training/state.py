"""The state of an unfinished training: one file, always whole, from which a killed job goes on as if nothing happened.

The file holds tensors, numbers, strings, lists and dicts only, and is read with `weights_only=True`: no code in it can
run. It belongs to exactly one computation, named by a digest of everything that decides the numbers.
"""

import hashlib
import json
import logging
import os
import pickle
import shutil
from collections.abc import Mapping
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
    """Replace the state in `directory` by `state`, which belongs to the run `digest`; a kill leaves the old one."""
    with atomic_path(directory / STATE) as temporary, temporary.open("wb") as file:
        torch.save({"digest": digest, **state}, file)
        file.flush()
        os.fsync(file.fileno())


def load_state(directory: Path, digest: str) -> dict[str, Any] | None:
    """The state in `directory` if it belongs to the run `digest`, else None (and the log says why)."""
    for leftover in directory.glob(f".{STATE}.*.tmp"):  # of a process killed while it wrote
        leftover.unlink()
    path = directory / STATE
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        logger.warning("%s cannot be read (%s): training starts anew", path, error)
        return None
    if state["digest"] != digest:
        logger.warning(
            "%s belongs to other settings, data or library versions: training starts anew", path
        )
        return None
    logger.info("%s: training resumes after step %d", path, state["step"])
    return state


def remove_state(directory: str | Path) -> None:
    """Forget the state in `directory`: to be called once everything that was trained for is written."""
    shutil.rmtree(directory, ignore_errors=True)


def copy_weights(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies on the CPU of what a training changes, which go on changing themselves."""
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


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
