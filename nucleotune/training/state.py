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
